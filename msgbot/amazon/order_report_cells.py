"""The cells of an order report, and what they mean: an item, its flag, who ships, and where the order stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from msgbot.domain.order import Fulfilment, OrderItem, OrderStatus, RequestKnowledge


class Row(NamedTuple):
    """What is read of one row: its line, then the trimmed cells of the columns that the fields are named after."""

    line: int
    order_id: str
    order_item_id: str
    sku: str
    asin: str
    product_name: str
    quantity_purchased: str
    quantity_shipped: str
    quantity_to_ship: str
    order_status: str
    item_status: str
    fulfillment_channel: str
    sales_channel: str
    purchase_date: str
    promise_date: str
    last_updated_date: str
    is_buyer_requested_cancellation: str
    buyer_requested_cancel_reason: str


_APART = "\t"
"""Between the cells of several columns in one field of `Row`: it stands in no cell."""


@dataclass(slots=True)
class Notes:
    """Sentences for the user, each kept once, with the lines that it is true of."""

    _lines: dict[str, list[int]] = field(default_factory=dict)

    def add(self, sentence: str, line: int = 0) -> None:
        """Keeps a sentence; line 0 is for one about the whole file."""
        self._lines.setdefault(sentence, []).append(line)

    def sentences(self) -> tuple[str, ...]:
        """The sentences, each after the first of its lines."""
        return tuple(_place(lines) + sentence for sentence, lines in self._lines.items())


def _place(lines: list[int]) -> str:
    if lines[0] == 0:
        return ""
    more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines[:5]))}{more}: "


def read_item(row: Row, flag_counts: bool, notes: Notes) -> OrderItem:
    """The item of a row. Its formal request is unknown where the flag does not count."""
    quantity = _number(row.quantity_purchased)
    if quantity is None and row.quantity_purchased:
        notes.add(f'quantity "{row.quantity_purchased[:40]}" is not a number', row.line)
    return OrderItem(
        id=row.order_item_id,
        sku=row.sku,
        asin=row.asin,
        title=row.product_name,
        quantity=quantity,
        formal_request=_formal_request(row, notes) if flag_counts else RequestKnowledge.UNKNOWN,
        cancel_reason=row.buyer_requested_cancel_reason,
    )


def _formal_request(row: Row, notes: Notes) -> RequestKnowledge:
    said = flags_in(row)
    if len(said) == 1 and RequestKnowledge.UNKNOWN not in said:
        return said.pop()
    cell = row.is_buyer_requested_cancellation.replace(_APART, " and ")
    notes.add(f'"{cell[:40]}" in is-buyer-requested-cancellation is neither true nor false: taken as unknown', row.line)
    return RequestKnowledge.UNKNOWN


def flag_cell(cells: Iterable[str]) -> str:
    """The cells of a row's columns of the flag as one, for `Row`. An empty one says nothing where another speaks."""
    return _APART.join(dict.fromkeys(filter(None, map(str.strip, cells))))


def flags_in(row: Row) -> set[RequestKnowledge]:
    """What a row says of a formal request: one word, or more of them where its columns contradict each other."""
    return {_flag(cell) for cell in row.is_buyer_requested_cancellation.split(_APART)}


def _flag(cell: str) -> RequestKnowledge:
    match cell.lower():
        case "true" | "yes" | "1":
            return RequestKnowledge.YES
        case "false" | "no" | "0" | "":  # empty means no request (section 2)
            return RequestKnowledge.NO
    return RequestKnowledge.UNKNOWN


def status_of_quantities(rows: tuple[Row, ...], notes: Notes) -> OrderStatus:
    """Where the order stands by the quantities of all its items; UNKNOWN, with a note, where they do not tell."""
    status = _status_of_quantities(rows)
    if status is OrderStatus.UNKNOWN:
        notes.add("the quantities of this order do not tell what has been shipped: its status is unknown", rows[0].line)
    return status


def _status_of_quantities(rows: tuple[Row, ...]) -> OrderStatus:
    """Where the order stands by the quantities of all its items; what is neither shipped nor to be shipped tells nothing."""
    shipped = open_ = 0
    for row in rows:
        bought, sent, left = map(_number, (row.quantity_purchased, row.quantity_shipped, row.quantity_to_ship))
        if bought is not None and left is not None and sent is None:
            sent = bought - left
        if bought is not None and sent is not None and left is None:
            left = bought - sent
        if sent is None or left is None or sent < 0 or left < 0:
            return OrderStatus.UNKNOWN
        shipped += sent
        open_ += left
    if shipped and open_:
        return OrderStatus.PARTLY_SHIPPED
    if shipped:
        return OrderStatus.SHIPPED
    return OrderStatus.UNSHIPPED if open_ else OrderStatus.UNKNOWN


_STATUS = {
    "pending": OrderStatus.PENDING,
    "unshipped": OrderStatus.UNSHIPPED,
    "partiallyshipped": OrderStatus.PARTLY_SHIPPED,
    "shipping": OrderStatus.SHIPPED,
    "shipped": OrderStatus.SHIPPED,
    "canceled": OrderStatus.CANCELLED,
    "cancelled": OrderStatus.CANCELLED,
}


def status_in_words(rows: tuple[Row, ...], notes: Notes) -> OrderStatus:
    """The order-status that all rows agree on; cancelled items do not change it. UNKNOWN for a word that is not known for sure."""
    statuses = set()
    for cell in dict.fromkeys(row.order_status for row in rows):
        word = cell.lower().replace(" ", "")
        # "Shipped - Delivered to Buyer" and the like
        status = _STATUS.get("shipped" if word.startswith("shipped-") else word)
        if status is None:
            notes.add(f'order-status "{cell[:40]}" is not one that msgbot knows: taken as unknown')
        statuses.add(status or OrderStatus.UNKNOWN)
    if len(statuses) > 1:
        notes.add("the rows of this order do not agree on its order-status: taken as unknown", rows[0].line)
        return OrderStatus.UNKNOWN
    item_states = {row.item_status.lower() for row in rows} - {"canceled", "cancelled"}
    if rows[0].order_status.lower() == "shipping" and len(item_states) > 1:
        # "Shipping" says that parcels are on their way. Only items in different states show that something is still here;
        # otherwise it counts as shipped, so that nothing is cancelled that has left.
        return OrderStatus.PARTLY_SHIPPED
    return statuses.pop()


def read_fulfilment(row: Row, notes: Notes) -> Fulfilment:
    """Who ships the order of a row; UNKNOWN, with a note, for a channel that does not tell."""
    cell = row.fulfillment_channel
    match cell.lower().partition("_")[0]:  # AMAZON_NA, AMAZON_EU, …
        case "merchant" | "seller" | "mfn" | "default":
            return Fulfilment.SELLER
        case "amazon" | "afn":
            return Fulfilment.AMAZON
    notes.add(f'fulfillment-channel "{cell[:40]}" does not say who ships: taken as unknown')
    return Fulfilment.UNKNOWN


# Only what means one thing in Amazon's reports: CST and IST each name several zones.
_ZONES = {
    "JST": "+09:00", "PST": "-08:00", "PDT": "-07:00", "UTC": "+00:00", "GMT": "+00:00", "BST": "+01:00", "CET": "+01:00",
    "CEST": "+02:00", "MET": "+01:00", "MEST": "+02:00", "AEST": "+10:00", "AEDT": "+11:00",
}  # fmt: skip


def read_moment(cell: str, line: int, notes: Notes) -> datetime | None:
    """`2026-11-19T08:15:00+09:00` or `2026/11/19 08:15:00 JST` in UTC; None where it is empty, unreadable or has no time zone."""
    if not cell:
        return None
    clock, _, zone = cell.replace("/", "-").rpartition(" ")
    offset = _ZONES.get(zone.upper())
    try:
        moment = datetime.fromisoformat(clock + offset if offset else cell)
        if moment.tzinfo:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    notes.add(f'"{cell[:40]}" is not a date with its time zone', line)
    return None


@lru_cache
def _number(cell: str) -> int | None:
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 10 else None
