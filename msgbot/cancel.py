"""Cancel: asks the guard about cancellations and records what it says. The way of an allowed one to Amazon begins here and
nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.clock import Clock
from msgbot.domain.cancellation import Proposal
from msgbot.domain.guard import Case, Ruling, judge
from msgbot.domain.rate import Rate
from msgbot.domain.trail import EntryKind, Facts
from msgbot.domain.verdict import Intent
from msgbot.rate_on_file import seven_days
from msgbot.store import formal_requests, messages, orders, rulings, trail
from msgbot.store.database import Database


class Cancel:
    """The use case."""

    def __init__(self, database: Database, clock: Clock, freshness: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._freshness = freshness

    async def rule(self, account: str, proposals: Sequence[Proposal], origins: Sequence[str]) -> list[Ruling]:
        """The ruling on each proposal, on record. `origins` say where each comes from, for people (`cancellations.txt line 7`).

        A ruling that only repeats the last one from the same origin is not recorded again. Each is judged by itself, but the rate
        that is foretold counts the ones before it that were allowed and count."""
        now = self._clock()
        found: list[Ruling] = []
        async with self._database.transaction() as connection:
            rate = await seven_days(connection, account, now)
            counted: set[str] = set()
            for proposal, origin in zip(proposals, origins, strict=True):
                conversation = await messages.about_order(connection, account, proposal.order_id)
                request = conversation.open_request()
                intent = conversation.intent_of(request) if request is not None else Intent.NONE
                case = Case(
                    proposal=proposal,
                    now=now,
                    freshness=self._freshness,
                    order=await orders.get(connection, account, proposal.order_id),
                    formal=await formal_requests.of_order(connection, account, proposal.order_id),
                    asked=conversation.asks(),
                    asked_if=intent is Intent.CONDITIONAL,
                    withdrawn=conversation.withdrawal() is not None,
                    solicited=conversation.soliciting() is not None,
                    rate=Rate(rate.counted + len(counted), rate.orders),
                )
                ruling = judge(case)
                if ruling.allowed and ruling.counts:
                    counted.add(proposal.order_id)
                if not await rulings.is_on_file(connection, account, proposal, ruling, origin):
                    await self._record(connection, account, proposal, ruling, origin, now)
                found.append(ruling)
        return found

    async def _record(
        self, connection: AsyncConnection, account: str, proposal: Proposal, ruling: Ruling, origin: str, now: datetime
    ) -> None:
        identity = await rulings.add(connection, account, proposal, ruling, origin, now)
        facts: Facts = {
            "ruling": identity,
            "order": proposal.order_id,
            "items": list(proposal.item_ids),
            "reason": proposal.reason.value if proposal.reason else None,
            "outcome": ruling.outcome.value,
            "code": ruling.code.value,
            "counts": ruling.counts,
            "origin": origin,
        }
        await trail.append(connection, account, now, EntryKind.RULING, facts)

    async def item_ids(self, account: str, order_id: str) -> tuple[str, ...]:
        """The codes of the items of an order on file."""
        async with self._database.transaction() as connection:
            order = await orders.get(connection, account, order_id)
        return tuple(item.id for item in order.items if item.id) if order is not None else ()
