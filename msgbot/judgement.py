"""Judgement: what the guard says of proposed cancellations by what is on file, put on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot import metrics
from msgbot.amazon.cancellation_files import CancellationRow
from msgbot.clock import Clock
from msgbot.domain.cancellation import Adjustment, Proposal
from msgbot.domain.guard import Case, Outcome, Ruling, RulingCode, judge
from msgbot.domain.guard_adjustment import judge_adjustment
from msgbot.domain.rate import Rate
from msgbot.domain.trail import EntryKind, Facts
from msgbot.domain.verdict import Intent
from msgbot.rate_on_file import seven_days
from msgbot.store import cancellations, formal_requests, messages, orders, rulings, trail
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.database import Database

Proposed: TypeAlias = Proposal | Adjustment
"""What somebody may ask for: a cancellation, or an adjustment of an order that was shipped."""


_OURS = cancellations.OPEN - {CancellationState.BY_HAND}
"""States in which a person must not do the same by hand."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a cancellation and where: `origin` for people (`cancellations.txt line 7`), `by` as the audit names them
    (empty: the command line), and the id of the HTTP request, if it came by one."""

    origin: str
    by: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Ruled:
    """A ruling on record. `cancellation` is what may go ahead because of it, if anything."""

    id: str
    proposal: Proposed
    ruling: Ruling
    cancellation: Cancellation | None = None


class Judgement:
    """The use case. `is_live` tells whether an account is connected to Amazon."""

    def __init__(self, database: Database, is_live: Callable[[str], bool], clock: Clock, freshness: timedelta) -> None:
        self._database = database
        self._is_live = is_live
        self._clock = clock
        self._freshness = freshness

    async def rule(
        self, account: str, proposals: Sequence[Proposed], asking: Sequence[Asking], unreadable: Mapping[str, str]
    ) -> list[Ruled]:
        """The ruling on each proposal, on record. `unreadable` says of orders why they could not be read from Amazon. What msgbot
        hands to Amazon itself is not for anybody else to do as well.

        A ruling that only repeats the last one from the same origin is not recorded again. Each is judged by itself, but the rate
        that is foretold counts the ones before it that were allowed and count."""
        now = self._clock()
        found: list[Ruled] = []
        async with self._database.transaction() as connection:
            rate = await seven_days(connection, account, now)
            counted: set[str] = set()
            under_way = await self._under_way(connection, account, proposals)
            for proposal, each in zip(proposals, asking, strict=True):
                foretold = Rate(rate.counted + len(counted), rate.orders)
                also = next((known.id for known in under_way.get(proposal.order_id, []) if known.meets(proposal.item_ids)), "")
                failed = unreadable.get(proposal.order_id, "")
                ruled = await self.on_record(connection, account, proposal, each, foretold, now, failed, also)
                if ruled.ruling.allowed and ruled.ruling.counts:
                    counted.add(proposal.order_id)
                found.append(ruled)
        return found

    async def rule_file(
        self, account: str, rows: list[CancellationRow], name: str, unreadable: Mapping[str, str], *, by: str, request_id: str
    ) -> list[Ruling]:
        """The ruling on each of the rows of a cancellation file."""
        first: dict[tuple[str, str], int] = {}
        for row in rows:
            first.setdefault((row.order_id, row.item_id), row.line)
        sound = [row for row in rows if not row.flaws and first[row.order_id, row.item_id] == row.line]
        proposals = [Proposal(row.order_id, row.reason, (row.item_id,) if row.item_id else ()) for row in sound]
        base = name.replace("\\", "/").rpartition("/")[2]
        asking = [Asking(f"{base} line {row.line}", by, request_id) for row in sound]
        ruled = await self.rule(account, proposals, asking, unreadable)
        made = {row.line: each.ruling for row, each in zip(sound, ruled, strict=True)}
        return [made.get(row.line) or _unsound(row, first) for row in rows]

    async def on_record(
        self,
        connection: AsyncConnection,
        account: str,
        proposal: Proposed,
        asking: Asking,
        rate: Rate,
        now: datetime,
        unreadable: str = "",
        under_way: str = "",
    ) -> Ruled:
        """The ruling on one proposal, on record; the one that is there, if nothing is new about it. `unreadable` is why the order
        could not be read from Amazon, `under_way` the cancellation of the same items that stands in the way."""
        ruling = await self.judge(connection, account, proposal, rate, now, unreadable, under_way)
        known = await rulings.same_on_file(connection, account, proposal, ruling, asking.origin, asking.by)
        if known is not None:
            return Ruled(known, proposal, ruling)
        identity = await rulings.add(connection, account, proposal, ruling, asking.origin, asking.by, now)
        facts: Facts = {
            "ruling": identity,
            "order": proposal.order_id,
            "items": list(proposal.item_ids),
            "reason": proposal.reason.value if proposal.reason else None,
            "outcome": ruling.outcome.value,
            "code": ruling.code.value,
            "counts": ruling.counts,
            "origin": asking.origin,
            "by": asking.by,
            "request": asking.request_id,
        }
        await trail.append(connection, account, now, EntryKind.RULING, facts)
        metrics.rulings.labels(ruling.outcome.value, ruling.code.value).inc()
        return Ruled(identity, proposal, ruling)

    async def judge(
        self,
        connection: AsyncConnection,
        account: str,
        proposal: Proposed,
        rate: Rate,
        now: datetime,
        unreadable: str = "",
        under_way: str = "",
    ) -> Ruling:
        """The ruling on one proposal by what is on file, on no record."""
        conversation = await messages.about_order(connection, account, proposal.order_id)
        request = conversation.open_request()
        intent = conversation.intent_of(request) if request is not None else Intent.NONE
        facts: dict[str, Any] = {
            "now": now,
            "freshness": self._freshness,
            "order": await orders.get(connection, account, proposal.order_id),
            "formal": await formal_requests.of_order(connection, account, proposal.order_id),
            "asked": conversation.asks(),
            "asked_if": intent is Intent.CONDITIONAL,
            "withdrawn": conversation.withdrawal() is not None,
            "solicited": conversation.soliciting() is not None,
            "rate": rate,
            "live": self._is_live(account),
            "unreadable": unreadable,
            "under_way": under_way,
        }
        if isinstance(proposal, Adjustment):
            adjusted = await self._adjusted(connection, account, proposal)
            return judge_adjustment(Case(proposal, adjusted=adjusted, **facts))
        return judge(Case(proposal, **facts))

    async def _under_way(
        self, connection: AsyncConnection, account: str, proposals: Sequence[Proposed]
    ) -> Mapping[str, list[Cancellation]]:
        """What msgbot hands to Amazon, or has handed there, of these orders; by order."""
        found: dict[str, list[Cancellation]] = {}
        if self._is_live(account):
            order_ids = list(dict.fromkeys(each.order_id for each in proposals))
            for known in await cancellations.of_orders(connection, account, order_ids, _OURS):
                found.setdefault(known.order_id, []).append(known)
        return found

    async def _adjusted(self, connection: AsyncConnection, account: str, proposal: Adjustment) -> int:
        """How many of the item were taken off before."""
        done = await cancellations.of_orders(connection, account, [proposal.order_id], {CancellationState.DONE})
        return sum(each.adjustment.quantity for each in done if each.adjustment and each.adjustment.item_id == proposal.item_id)


def _unsound(row: CancellationRow, first: dict[tuple[str, str], int]) -> Ruling:
    if row.flaws:
        return Ruling(Outcome.BLOCKED, RulingCode.UNREADABLE, row.flaws, "correct the row; Amazon would refuse it")
    reasons = (f"the same stands in line {first[row.order_id, row.item_id]} already",)
    return Ruling(Outcome.BLOCKED, RulingCode.REPEATED, reasons, "drop the row")
