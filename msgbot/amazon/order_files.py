"""Files of orders: an order report or saved answers, told apart by what stands in them and read into one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgbot.amazon.order_reports import OrderReport, SkippedRow, read_order_report
from msgbot.amazon.saved_answers import SavedAnswer, read_saved
from msgbot.domain.order import Order


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file says of orders, whatever its format.

    `contradicted` are readings of the same orders that other parts of the file contradict: what they tell of formal requests goes
    on file, one after the other, before what `orders` tell of them.

    `kind` names the format, `parts` counts what it consists of, and `part` is the word for that (`row`, `answer`). `skipped` are
    parts and orders that were left out; line 0 where the format has no lines. `tells_of_requests`: whether it can say of any order
    whether the buyer filed a formal request. `notes` are sentences for the user, and `details` what only this format tells, as
    plain data.
    """

    kind: str
    parts: int
    part: str
    orders: tuple[Order, ...]
    contradicted: tuple[Order, ...]
    skipped: tuple[SkippedRow, ...]
    tells_of_requests: bool
    notes: tuple[str, ...]
    details: Mapping[str, object] = field(default_factory=dict)


def read_order_file(data: bytes, *, account: str, source: str, as_of: datetime, charset: str | None = None) -> ReadFile:
    """The orders in an order report, or in answers of Amazon's order interfaces that were saved to a file.

    `charset` is that of the download, if it was one. Raises InputError when it is neither, is cut off, or is an error that Amazon
    answered with.
    """
    saved = read_saved(data, account=account, source=source, as_of=as_of)
    if saved is not None:
        return _of_saved(saved)
    return _of_report(read_order_report(data, account=account, source=source, as_of=as_of, charset=charset))


def _of_report(report: OrderReport) -> ReadFile:
    return ReadFile(
        kind=f"{report.family.value.replace('_', ' ')} report, read as {report.charset}",
        parts=report.rows,
        part="row",
        orders=report.orders,
        contradicted=report.contradicted,
        skipped=report.skipped,
        tells_of_requests=report.has_formal_request_column,
        notes=report.notes,
        details={
            "family": report.family.value,
            "charset": report.charset,
            "has_formal_request_column": report.has_formal_request_column,
            "has_status": report.has_status,
            "unknown_columns": list(report.unknown_columns),
        },
    )


def _of_saved(saved: SavedAnswer) -> ReadFile:
    return ReadFile(
        kind=saved.kind,
        parts=saved.answers,
        part="answer",
        orders=saved.orders,
        contradicted=saved.contradicted,
        skipped=tuple(SkippedRow(0, flaw) for flaw in saved.flaws),
        tells_of_requests=any(order.request_as_of is not None for order in saved.orders),
        notes=saved.notes,
    )
