"""Take orders in: what a report says of orders and formal requests goes on file, with a record of what it changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon.order_reports import OrderReport, read_order_report
from msgbot.clock import Clock
from msgbot.domain.trail import EntryKind, Facts
from msgbot.store import formal_requests, messages, orders, trail
from msgbot.store.database import Database
from msgbot.store.formal_requests import Filed
from msgbot.store.orders import Taken


@dataclass(frozen=True, slots=True)
class TakenReport:
    """What was read and what it changed."""

    report: OrderReport
    taken: Taken
    filed: Filed


class TakeOrders:
    """The use case."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def report(self, account: str, data: bytes, source: str, as_of: datetime | None = None) -> TakenReport:
        """Takes in an order report. `as_of` is when it was made; now, if not given. Raises InputError when it is none."""
        now = self._clock()
        report = read_order_report(data, account=account, source=source, as_of=as_of or now)
        async with self._database.transaction() as connection:
            taken = await orders.put(connection, account, report.orders)
            filed = await formal_requests.put(connection, account, report.orders)
            result = TakenReport(report, taken, filed)
            if taken.new or taken.changed or filed.new or filed.denied:
                await self._record(connection, account, source, data, result, now)
        return result

    async def _record(
        self, connection: AsyncConnection, account: str, source: str, data: bytes, result: TakenReport, now: datetime
    ) -> None:
        report, taken, filed = result.report, result.taken, result.filed
        evidence = hashlib.sha256(data).hexdigest()
        facts: Facts = {
            "source": source,
            "sha256": evidence,
            "orders": len(report.orders),
            "rows": report.rows,
            "new": len(taken.new),
        }
        await trail.append(connection, account, now, EntryKind.ORDERS_IMPORTED, facts)
        for request in filed.new:
            facts = {
                "order": request.order_id,
                "item": request.item_id,
                "source": source,
                "sha256": evidence,
            }
            await trail.append(connection, account, now, EntryKind.FORMAL_REQUEST_ON_FILE, facts)
        for request in filed.denied:
            facts = {"order": request.order_id, "item": request.item_id, "source": source, "sha256": evidence}
            await trail.append(connection, account, now, EntryKind.FORMAL_REQUEST_DENIED, facts)
        for order_id in taken.cancelled:
            conversation = await messages.about_order(connection, account, order_id)
            facts = {
                "order": order_id,
                "source": source,
                "formal_request": bool(await formal_requests.of_order(connection, account, order_id)),
                "asked_by_message": conversation.open_request() is not None,
            }
            await trail.append(connection, account, now, EntryKind.ORDER_CANCELLED_SEEN, facts)
