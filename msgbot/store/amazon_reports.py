"""Reports asked of Amazon, and the Cancellation Rates that were read from them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon.performance_report import AmazonRate
from msgbot.store.amazon_schema import amazon_rates, amazon_reports
from msgbot.store.values import storable


class ReportState(StrEnum):
    """How far a report has come."""

    WANTED = "wanted"
    ASKED = "asked"
    """Amazon is at it."""
    READ = "read"
    EMPTY = "empty"
    """Amazon has no data for it."""
    FAILED = "failed"


ENDED = frozenset({ReportState.READ, ReportState.EMPTY, ReportState.FAILED})


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `looks` counts how often its state was asked for; `note` says for people what came of it."""

    account: str
    id: str
    type: str
    state: ReportState
    created_at: datetime
    changed_at: datetime
    amazon_id: str = ""
    looks: int = 0
    note: str = ""


async def add(connection: AsyncConnection, account: str, report_type: str, now: datetime) -> Report:
    """Puts a report on file that is to be asked for."""
    made = Report(account, secrets.token_hex(8), report_type, ReportState.WANTED, now, now)
    await connection.execute(insert(amazon_reports).values(_row(made)))
    return made


async def get(connection: AsyncConnection, account: str, identity: str) -> Report | None:
    """The report, or None."""
    query = select(amazon_reports).where(amazon_reports.c.account == account, amazon_reports.c.id == identity)
    row = (await connection.execute(query)).first()
    return _report(row) if row is not None else None


async def last(connection: AsyncConnection, account: str, report_type: str) -> Report | None:
    """The report of this type that was asked for last, or None."""
    query = select(amazon_reports).where(amazon_reports.c.account == account, amazon_reports.c.type == report_type)
    row = (await connection.execute(query.order_by(amazon_reports.c.created_at.desc()).limit(1))).first()
    return _report(row) if row is not None else None


async def change(connection: AsyncConnection, report: Report, now: datetime, **changes: Any) -> Report | None:
    """The report with `changes` on file; None when it has moved on in the meantime."""
    changed = replace(report, changed_at=now, **changes)
    where = (
        amazon_reports.c.account == report.account,
        amazon_reports.c.id == report.id,
        amazon_reports.c.state == report.state.value,
        amazon_reports.c.looks == report.looks,
    )
    done = await connection.execute(update(amazon_reports).where(*where).values(_row(changed)))
    return changed if done.rowcount else None


async def put_rates(connection: AsyncConnection, account: str, rates: Sequence[AmazonRate], now: datetime) -> None:
    """Puts rates on file; one of the same marketplace and day is replaced."""
    for rate in rates:
        key = {"account": account, "marketplace": rate.marketplace, "until": rate.until.isoformat()}
        where = [amazon_rates.c[name] == value for name, value in key.items()]
        await connection.execute(delete(amazon_rates).where(*where))
        values = {
            "since": rate.since.isoformat(),
            "orders": rate.orders,
            "cancelled": rate.cancelled,
            "rate": str(rate.rate),
            "target": "" if rate.target is None else str(rate.target),
            "condition": storable(rate.condition)[:32],
            "status": storable(rate.status)[:32],
            "read_at": now,
        }
        await connection.execute(insert(amazon_rates).values({**key, **values}))


async def latest_rates(connection: AsyncConnection, account: str) -> list[AmazonRate]:
    """The newest rate of each marketplace."""
    query = select(amazon_rates).where(amazon_rates.c.account == account).order_by(amazon_rates.c.until)
    newest = {str(row.marketplace): _rate(row) for row in await connection.execute(query)}
    return [newest[marketplace] for marketplace in sorted(newest)]


def _rate(row: Row[Any]) -> AmazonRate:
    return AmazonRate(
        marketplace=row.marketplace,
        since=date.fromisoformat(row.since),
        until=date.fromisoformat(row.until),
        orders=row.orders,
        cancelled=row.cancelled,
        rate=Decimal(row.rate),
        target=Decimal(row.target) if row.target else None,
        condition=row.condition,
        status=row.status,
    )


def _row(report: Report) -> dict[str, Any]:
    return {
        "account": report.account,
        "id": report.id,
        "type": report.type,
        "state": report.state.value,
        "amazon_id": report.amazon_id,
        "created_at": report.created_at,
        "changed_at": report.changed_at,
        "looks": report.looks,
        "note": storable(report.note),
    }


def _report(row: Row[Any]) -> Report:
    return Report(**{**row._mapping, "state": ReportState(row.state)})
