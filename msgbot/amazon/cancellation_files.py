"""The order cancellation template that sellers upload by hand (domain.md section 4), read and written.

Judges only the form of a row: whether an order may be cancelled is the guard's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from msgbot.amazon.flat_files import column_name, decode, split_lines, what_stands_in
from msgbot.domain.cancellation import CancelReason
from msgbot.domain.message import ORDER_ID
from msgbot.errors import InputError


def parse_reason(text: str) -> CancelReason | None:
    """The reason that `BuyerCanceled`, `Buyer Cancelled`, `BUYER_CANCELLED` or `buyer-canceled` names, or None."""
    return _REASONS.get(_key(text))


def _key(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text).lower().replace("cancelled", "canceled")


_REASONS = {_key(reason): reason for reason in CancelReason}


@dataclass(frozen=True, slots=True)
class CancellationRow:
    """One order, or one item of it, to be cancelled.

    `line` counts from 1 in the file it was read from. `reason` is what `reason_text` names, None where that is empty or unknown. An
    empty `item_id` means the whole order. `flaws` says in plain words why Amazon would refuse the row.
    """

    line: int
    order_id: str
    reason: CancelReason | None = None
    reason_text: str = ""
    item_id: str = ""
    flaws: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CancellationFile:
    """A cancellation file: its rows in order, and the version it states (`1.0/1.0.3`), empty where it states none."""

    rows: tuple[CancellationRow, ...]
    version: str = ""


_VERSION = "1.0/1.0.3"
# The two blanks before "Do not" stand in every copy of Amazon's template seen in public code.
_FIRST_LINE = f"TemplateType=OrderCancellation\tVersion={_VERSION}\tThis row for Amazon.com use only.  Do not modify or delete."
_COLUMNS = ("order-id", "cancellation-reason-code", "amazon-order-item-code")
_EXPECTED = f"the order cancellation template: tab-separated text with the columns {', '.join(_COLUMNS)}"


def read_cancellation_file(data: bytes, source: str) -> CancellationFile:
    """The rows of a filled-in template, 1.0/1.0.3 or the older 1.0/1.0.1, also as Excel saves it.

    Rows that Amazon would refuse are kept, with their flaws. Raises InputError when the data is not this template.
    """
    text, _ = decode(data)
    lines = [(number, line) for number, line in enumerate(split_lines(text), start=1) if line.strip()]
    if not lines:
        raise InputError(f"this is {what_stands_in(data, '')}; expected {_EXPECTED}", file=source, line=1, column=1)
    version = ""
    number, line = lines[0]
    if template := re.search(r"TemplateType=(\w*)", line, re.IGNORECASE):
        if template[1].lower() != "ordercancellation":
            found = f'this is a template for "{template[1]}"'
            raise InputError(f"{found}; expected {_EXPECTED}", file=source, line=number, column=template.start() + 1)
        stated = re.search(r"Version=([\w./]+)", line, re.IGNORECASE)
        version = stated[1] if stated else ""
        lines = lines[1:]

    number, line = lines[0] if lines else (number + 1, "")
    names = [column_name(cell) for cell in _cells(line)]
    missing = [name for name in _COLUMNS if name not in names]
    if missing:
        close = template or len(missing) < len(_COLUMNS)
        found = f"the line has no column {' or '.join(missing)}" if close else f"this is {what_stands_in(data, line)}"
        raise InputError(f"{found}; expected {_EXPECTED}", file=source, line=number, column=1)
    places = [names.index(name) for name in _COLUMNS]
    return CancellationFile(tuple(_row(number, _cells(line), places, len(names)) for number, line in lines[1:]), version)


def write_cancellation_file(rows: Iterable[CancellationRow]) -> bytes:
    """The template in version 1.0/1.0.3, ASCII with CRLF, ready for upload.

    Raises InputError for a row with flaws: nothing that Amazon would refuse is written.
    """
    lines = [_FIRST_LINE, "\t".join(_COLUMNS)]
    for row in rows:
        reason = row.reason.value if row.reason else row.reason_text
        if flaws := row.flaws or _flaws(row.order_id, reason, row.item_id):
            raise InputError(f"the cancellation of line {row.line} cannot be written: {'; '.join(flaws)}")
        lines.append(f"{row.order_id}\t{reason}\t{row.item_id}")
    return "".join(line + "\r\n" for line in lines).encode("ascii")


def _cells(line: str) -> list[str]:
    """The cells of a line, trimmed, without the quotes that Excel puts around some."""
    cells = [cell.strip() for cell in line.split("\t")]
    return [cell[1:-1].strip() if re.fullmatch(r'".*"', cell) else cell for cell in cells]


def _row(line: int, cells: list[str], places: list[int], width: int) -> CancellationRow:
    beyond = any(cells[width:])
    cells += [""] * (width - len(cells))
    order_id, reason_text, item_id = (cells[place] for place in places)
    flaws = _flaws(order_id, reason_text, item_id)
    if beyond:
        flaws += (f"the row has more cells than the {width} columns: what stands in which column is not certain",)
    return CancellationRow(line, order_id, parse_reason(reason_text), reason_text, item_id, flaws)


def _flaws(order_id: str, reason_text: str, item_id: str) -> tuple[str, ...]:
    flaws = []
    if not (ORDER_ID.fullmatch(order_id) and order_id.isascii()):
        flaws.append(f'"{order_id[:40]}" is not an order id like 123-1234567-1234567')
    if reason_text and not parse_reason(reason_text):
        flaws.append(f'"{reason_text[:40]}" is not a cancellation reason; these are: {", ".join(CancelReason)}')
    if bool(reason_text) != bool(item_id):
        given, absent = ("a reason", "item code") if reason_text else ("an item code", "reason")
        flaws.append(f"{given} is given without {absent}: give both or neither")
    if item_id and not (item_id.isascii() and item_id.isdigit()):
        flaws.append(f'item code "{item_id[:40]}" is not all digits: Excel shortens long numbers in columns that are not text')
    return tuple(flaws)
