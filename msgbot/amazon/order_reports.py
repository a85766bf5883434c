"""Order reports: the tab-separated files of domain.md section 5, bytes in and orders out. Touches no file and no network.

A fact that a report cannot carry is unknown, never "no" (section 2), and where rows contradict each other nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from operator import itemgetter

from msgbot.amazon.flat_files import codec_name, column_name, decode, split_lines, what_stands_in
from msgbot.amazon.marketplaces import by_domain
from msgbot.amazon.order_report_cells import (
    Notes,
    Row,
    flag_cell,
    flags_in,
    read_fulfilment,
    read_item,
    read_moment,
    status_in_words,
    status_of_quantities,
)
from msgbot.amazon.order_words import all_known
from msgbot.amazon.readings import disputed
from msgbot.domain.message import ORDER_ID
from msgbot.domain.order import Fulfilment, Order, OrderStatus, RequestKnowledge
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
    spelled in the file. `charset` is the one used, `notes` are sentences for the user. `contradicted` is what `ReadFile` says.
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
    contradicted: tuple[Order, ...] = ()


_FLAG = "is-buyer-requested-cancellation"
_READ = tuple(name.replace("_", "-") for name in Row._fields[1:])
_OTHER_SPELLING = {
    "amazon-order-id": "order-id",
    "quantity": "quantity-purchased",
    "is-buyer-requested-cancelation": _FLAG,
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
    """What the line of column names says of the rows below it. `pick` takes the cells that are read, in the order of `_READ`.
    `flags` are the columns of the flag, which may stand there in both spellings."""

    line: int
    names: tuple[str, ...]
    family: ReportFamily
    pick: Callable[[list[str]], tuple[str, ...]]
    flags: tuple[int, ...]
    has_status: bool
    unknown: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.names)

    @property
    def has_flag(self) -> bool:
        """Whether the report can tell of formal requests."""
        return bool(self.flags)


def read_order_report(data: bytes, *, account: str, source: str, as_of: datetime, charset: str | None = None) -> OrderReport:
    """The orders in a report of either family, in the file's order, each with the items that it lists.

    `charset` is the download's, if there was one; bytes that do not fit it are read as what they look like, with a note. Raises
    InputError when the data is no order report at all; rows that cannot be read are listed in `skipped`.
    """
    text, used = decode(data, charset)
    lines = split_lines(text)
    header = _read_header(lines, data, source)
    notes = Notes()
    if charset and not used.startswith(codec_name(charset) or "nothing"):
        notes.add(f"the file is said to be in {charset} but is not: it was read as {used}")
    if "\ufffd" in text:
        notes.add("some characters of the file could not be read and stand as \ufffd")
    _note_what_is_missing(header, notes)

    count = 0
    skipped: list[SkippedRow] = []
    rows_of: dict[str, dict[str, Row]] = {}
    repeats: dict[str, list[Row]] = {}
    for number, line in enumerate(lines[header.line :], start=header.line + 1):
        if not line or line.isspace():
            continue
        cells = line.split("\t")
        if not ORDER_ID.search(line) and _is_other_header(cells, header):
            reason = "here begins a header with other columns: all below it is left out; give each report a file of its own"
            skipped.append(SkippedRow(number, reason))
            break
        count += 1
        if len(cells) > header.width:
            reason = f"the row has {len(cells)} cells, the header {header.width}: what stands in which column is not certain"
            skipped.append(SkippedRow(number, reason))
            continue
        # Amazon leaves out empty cells at a row's end. Missing columns are read from the one cell that stands beyond it.
        cells += [""] * (header.width + 1 - len(cells))
        row = Row(number, *map(str.strip, header.pick(cells)))
        if len(header.flags) > 1:
            row = row._replace(is_buyer_requested_cancellation=flag_cell(cells[index] for index in header.flags))
        if not ORDER_ID.fullmatch(row.order_id):
            skipped.append(SkippedRow(number, f'"{row.order_id[:40]}" is not an order id like 123-1234567-1234567'))
            continue
        # A row counts once: by its item id or, where there is none, by all that stands in it.
        first = rows_of.setdefault(row.order_id, {}).setdefault(row.order_item_id or line.rstrip(), row)
        if first is not row and first[1:] != row[1:]:
            repeats.setdefault(row.order_id, []).append(row)
            notes.add("this item stands here a second time, with other values: its order's status and requests are unknown", number)

    orders = []
    contradicted: list[Order] = []
    for order_id, keyed in rows_of.items():
        rows, again = tuple(keyed.values()), repeats.get(order_id, [])
        order = _order(rows, bool(again), header, notes, account=account, source=source, as_of=as_of)
        orders.append(order)
        if header.has_flag and order.request_as_of is None:
            contradicted += _contradicted(order, rows, again)
    return OrderReport(
        orders=tuple(orders),
        family=header.family,
        rows=count,
        skipped=tuple(skipped),
        has_formal_request_column=header.has_flag,
        has_status=header.has_status,
        unknown_columns=header.unknown,
        charset=used,
        notes=notes.sentences(),
        contradicted=tuple(contradicted),
    )


def _read_header(lines: list[str], data: bytes, source: str) -> _Header:
    number, line = next(((number, line) for number, line in enumerate(lines, start=1) if line.strip()), (1, ""))
    cells = [cell.strip() for cell in line.split("\t")]
    names = tuple(column_name(cell) for cell in cells)
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
        names=names,
        family=family,
        pick=itemgetter(*(place.get(name, len(names)) for name in _READ)),
        flags=tuple(index for index, name in enumerate(names) if _OTHER_SPELLING.get(name, name) == _FLAG),
        has_status=has_quantities if family is ReportFamily.SHIPPING else "order-status" in place,
        unknown=tuple(cells[index] for name, index in place.items() if name and name not in _READ and name not in _NOT_NEEDED),
    )


def _is_other_header(cells: list[str], header: _Header) -> bool:
    """Whether cells name columns, and others than the header of the file or in another order."""
    names = tuple(map(column_name, cells))
    return ("order-id" in names or "amazon-order-id" in names) and names != header.names


def _note_what_is_missing(header: _Header, notes: Notes) -> None:
    if not header.has_flag:
        also = f" (columns not known to msgbot: {', '.join(header.unknown)})" if header.unknown else ""
        missing = "the column is-buyer-requested-cancellation is missing"
        notes.add(f"{missing}: it is unknown whether buyers filed formal requests{also}")
    if not header.has_status:
        notes.add("the report does not say what has been shipped: the status of its orders is unknown")


def _status(rows: tuple[Row, ...], header: _Header, notes: Notes) -> OrderStatus:
    return status_in_words(rows, notes) if header.family is ReportFamily.ALL_ORDERS else status_of_quantities(rows, notes)


def _order(
    rows: tuple[Row, ...], contradictory: bool, header: _Header, notes: Notes, *, account: str, source: str, as_of: datetime
) -> Order:
    first = rows[0]
    market = by_domain(first.sales_channel)
    items = tuple(read_item(row, header.has_flag and not contradictory, notes) for row in rows)
    return Order(
        account=account,
        id=first.order_id,
        status=_status(rows, header, notes) if header.has_status and not contradictory else OrderStatus.UNKNOWN,
        fulfilment=read_fulfilment(first, notes) if header.family is ReportFamily.ALL_ORDERS else Fulfilment.SELLER,
        as_of=as_of,
        source=source,
        items=items,
        marketplace=market.id if market else "",
        purchased_at=read_moment(first.purchase_date, first.line, notes),
        ship_by=read_moment(first.promise_date, first.line, notes),
        updated_at=read_moment(first.last_updated_date, first.line, notes),
        request_as_of=as_of if all_known(items) else None,
    )


def _contradicted(order: Order, rows: Sequence[Row], again: Sequence[Row]) -> tuple[Order, ...]:
    """What rows say of items whose requests are unknown, as others, of `again` or their own second cell, say something else."""
    told, denied = [], []
    for row, item in zip(rows, order.items, strict=True):
        same = [row, *(each for each in again if each.order_item_id == row.order_item_id)]
        said = set().union(*(flags_in(each) for each in same))
        if item.formal_request is RequestKnowledge.UNKNOWN and RequestKnowledge.YES in said:
            reasons = (each.buyer_requested_cancel_reason for each in same if RequestKnowledge.YES in flags_in(each))
            told.append(replace(item, formal_request=RequestKnowledge.YES, cancel_reason=next(filter(None, reasons), "")))
            if len(said) > 1:
                denied.append(item)
        else:
            told.append(replace(item, formal_request=RequestKnowledge.UNKNOWN))
    return disputed(order, told, denied)
