"""Order reports: the tab-separated files of domain.md section 5, bytes in and orders out. Touches no file and no network.

A fact that a report cannot carry is unknown, never "no" (section 2), and where rows contradict each other nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from msgbot.amazon.flat_files import codec_name, column_name, decode, split_lines, what_stands_in
from msgbot.amazon.marketplaces import by_domain
from msgbot.domain.message import ORDER_ID
from msgbot.domain.order import Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.errors import InputError


class ReportFamily(StrEnum):
    """The two kinds of order report, told apart by the name of their first column."""

    SHIPPING = "shipping"
    """Column `order-id`: unshipped and new orders, which the seller ships."""
    ALL_ORDERS = "all_orders"
    """Column `amazon-order-id`: every order, with its status and fulfilment channel."""


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that was left out: its line, counted from 1, and the reason in plain words."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What one order report says.

    `rows` counts the data rows read, repeated and skipped ones too. `unknown_columns` are names that are not known from Amazon, as
    spelled in the file. `charset` is the one used, `notes` are sentences for the user.
    """

    orders: tuple[Order, ...]
    family: ReportFamily
    rows: int
    skipped: tuple[SkippedRow, ...]
    has_formal_request_column: bool
    has_status: bool
    unknown_columns: tuple[str, ...]
    charset: str
    notes: tuple[str, ...]


class _Row(NamedTuple):
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


_READ = tuple(name.replace("_", "-") for name in _Row._fields[1:])
_OTHER_SPELLING = {
    "amazon-order-id": "order-id",
    "quantity": "quantity-purchased",
    "is-buyer-requested-cancelation": "is-buyer-requested-cancellation",
}
# Columns that real reports have and nothing here needs: a name outside both lists may be a renamed one, so the user hears of it.
_NOT_NEEDED = {
    "payments-date", "reporting-date", "days-past-promise", "buyer-email", "buyer-name", "cpf", "buyer-phone-number",
    "number-of-items", "ship-service-level", "ship-service-name", "recipient-name", "ship-address-1", "ship-address-2",
    "ship-address-3", "ship-city", "ship-state", "ship-postal-code", "ship-country", "customized-url", "customized-page",
    "is-business-order", "purchase-order-number", "price-designation", "is-prime", "verge-of-cancellation",
    "verge-of-lateshipment", "signature-confirmation-recommended", "buyer-identification-number", "buyer-identification-type",
    "merchant-order-id", "order-channel", "url", "currency", "item-price", "item-tax", "shipping-price", "shipping-tax",
    "gift-wrap-price", "gift-wrap-tax", "item-promotion-discount", "ship-promotion-discount", "promotion-ids",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Header:
    """What the line of column names says of the rows below it. `pick` takes the cells that are read, in the order of `_READ`."""

    line: int
    width: int
    family: ReportFamily
    pick: Callable[[list[str]], tuple[str, ...]]
    has_flag: bool
    has_status: bool
    unknown: tuple[str, ...]


@dataclass(slots=True)
class _Notes:
    """Sentences for the user, each kept once, with the lines that it is true of."""

    _lines: dict[str, list[int]] = field(default_factory=dict)

    def add(self, sentence: str, line: int = 0) -> None:
        self._lines.setdefault(sentence, []).append(line)

    def sentences(self) -> tuple[str, ...]:
        return tuple(_place(lines) + sentence for sentence, lines in self._lines.items())


def _place(lines: list[int]) -> str:
    if lines[0] == 0:
        return ""
    more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines[:5]))}{more}: "


def read_order_report(data: bytes, *, account: str, source: str, as_of: datetime, charset: str | None = None) -> OrderReport:
    """The orders in a report of either family, in the file's order, each with the items that it lists.

    `charset` is the download's, if there was one; bytes that do not fit it are read as what they look like, with a note. Raises
    InputError when the data is no order report at all; rows that cannot be read are listed in `skipped`.
    """
    text, used = decode(data, charset)
    lines = split_lines(text)
    header = _read_header(lines, data, source)
    notes = _Notes()
    if charset and not used.startswith(codec_name(charset) or "nothing"):
        notes.add(f"the file is said to be in {charset} but is not: it was read as {used}")
    if "\ufffd" in text:
        notes.add("some characters of the file could not be read and stand as \ufffd")
    _note_what_is_missing(header, notes)

    count = 0
    skipped: list[SkippedRow] = []
    rows_of: dict[str, dict[str, _Row]] = {}
    contradictory: set[str] = set()
    for number, line in enumerate(lines[header.line :], start=header.line + 1):
        if not line or line.isspace():
            continue
        count += 1
        cells = line.split("\t")
        if len(cells) > header.width:
            reason = f"the row has {len(cells)} cells, the header {header.width}: what stands in which column is not certain"
            skipped.append(SkippedRow(number, reason))
            continue
        # Amazon leaves out empty cells at a row's end. Missing columns are read from the one cell that stands beyond it.
        cells += [""] * (header.width + 1 - len(cells))
        row = _Row(number, *map(str.strip, header.pick(cells)))
        if not ORDER_ID.fullmatch(row.order_id):
            skipped.append(SkippedRow(number, f'"{row.order_id[:40]}" is not an order id like 123-1234567-1234567'))
            continue
        # A row counts once: by its item id or, where there is none, by all that stands in it.
        first = rows_of.setdefault(row.order_id, {}).setdefault(row.order_item_id or line.rstrip(), row)
        if first is not row and first[1:] != row[1:]:
            contradictory.add(row.order_id)
            notes.add("this item stands here a second time, with other values: its order's status and requests are unknown", number)

    orders = tuple(
        _order(tuple(rows.values()), order_id in contradictory, header, notes, account=account, source=source, as_of=as_of)
        for order_id, rows in rows_of.items()
    )
    return OrderReport(
        orders=orders,
        family=header.family,
        rows=count,
        skipped=tuple(skipped),
        has_formal_request_column=header.has_flag,
        has_status=header.has_status,
        unknown_columns=header.unknown,
        charset=used,
        notes=notes.sentences(),
    )


def _read_header(lines: list[str], data: bytes, source: str) -> _Header:
    number, line = next(((number, line) for number, line in enumerate(lines, start=1) if line.strip()), (1, ""))
    cells = [cell.strip() for cell in line.split("\t")]
    names = [column_name(cell) for cell in cells]
    if "order-id" not in names and "amazon-order-id" not in names:
        expected = "an order report: tab-separated text whose first line names the columns, order-id or amazon-order-id among them"
        raise InputError(f"this is {what_stands_in(data, line)}; expected {expected}", file=source, line=number, column=1)
    place: dict[str, int] = {}
    for index, name in enumerate(names):
        place.setdefault(_OTHER_SPELLING.get(name, name), index)
    family = ReportFamily.ALL_ORDERS if "amazon-order-id" in names else ReportFamily.SHIPPING
    # Any two of the three quantities tell what is shipped: the third follows.
    has_quantities = len(place.keys() & {"quantity-purchased", "quantity-shipped", "quantity-to-ship"}) > 1
    return _Header(
        line=number,
        width=len(names),
        family=family,
        pick=itemgetter(*(place.get(name, len(names)) for name in _READ)),
        has_flag="is-buyer-requested-cancellation" in place,
        has_status=has_quantities if family is ReportFamily.SHIPPING else "order-status" in place,
        unknown=tuple(cells[index] for name, index in place.items() if name and name not in _READ and name not in _NOT_NEEDED),
    )


def _note_what_is_missing(header: _Header, notes: _Notes) -> None:
    if not header.has_flag:
        also = f" (columns not known to msgbot: {', '.join(header.unknown)})" if header.unknown else ""
        missing = "the column is-buyer-requested-cancellation is missing"
        notes.add(f"{missing}: it is unknown whether buyers filed formal requests{also}")
    if not header.has_status:
        notes.add("the report does not say what has been shipped: the status of its orders is unknown")


def _order(
    rows: tuple[_Row, ...], contradictory: bool, header: _Header, notes: _Notes, *, account: str, source: str, as_of: datetime
) -> Order:
    first = rows[0]
    market = by_domain(first.sales_channel)
    return Order(
        account=account,
        id=first.order_id,
        status=_status(rows, header, notes) if header.has_status and not contradictory else OrderStatus.UNKNOWN,
        fulfilment=_fulfilment(first, notes) if header.family is ReportFamily.ALL_ORDERS else Fulfilment.SELLER,
        as_of=as_of,
        source=source,
        items=tuple(_item(row, header.has_flag and not contradictory, notes) for row in rows),
        marketplace=market.id if market else "",
        purchased_at=_moment(first.purchase_date, first.line, notes),
        ship_by=_moment(first.promise_date, first.line, notes),
        updated_at=_moment(first.last_updated_date, first.line, notes),
        request_as_of=as_of if header.has_flag and not contradictory else None,
    )


def _item(row: _Row, flag_counts: bool, notes: _Notes) -> OrderItem:
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


def _formal_request(row: _Row, notes: _Notes) -> RequestKnowledge:
    cell = row.is_buyer_requested_cancellation
    match cell.lower():
        case "true" | "yes" | "1":
            return RequestKnowledge.YES
        case "false" | "no" | "0" | "":  # empty means no request (section 2)
            return RequestKnowledge.NO
    notes.add(f'"{cell[:40]}" in is-buyer-requested-cancellation is neither true nor false: taken as unknown', row.line)
    return RequestKnowledge.UNKNOWN


def _status(rows: tuple[_Row, ...], header: _Header, notes: _Notes) -> OrderStatus:
    if header.family is ReportFamily.ALL_ORDERS:
        return _status_in_words(rows, notes)
    status = _status_of_quantities(rows)
    if status is OrderStatus.UNKNOWN:
        notes.add("the quantities of this order do not tell what has been shipped: its status is unknown", rows[0].line)
    return status


def _status_of_quantities(rows: tuple[_Row, ...]) -> OrderStatus:
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


def _status_in_words(rows: tuple[_Row, ...], notes: _Notes) -> OrderStatus:
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


def _fulfilment(row: _Row, notes: _Notes) -> Fulfilment:
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


def _moment(cell: str, line: int, notes: _Notes) -> datetime | None:
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
