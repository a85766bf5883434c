"""Cancel: asks the guard about cancellations, records what it says, and lets through what may go ahead. The way of an allowed one
to Amazon begins here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot import metrics
from msgbot.amazon.cancellation_files import CancellationRow, read_cancellation_file
from msgbot.announce import announce
from msgbot.clock import Clock
from msgbot.domain.cancellation import Proposal
from msgbot.domain.events import EventType
from msgbot.domain.guard import OVERRIDABLE, Case, Outcome, Ruling, RulingCode, judge
from msgbot.domain.rate import Rate
from msgbot.domain.trail import EntryKind, Facts, Value
from msgbot.domain.verdict import Intent
from msgbot.engine import Engine
from msgbot.errors import AccessError, Conflict, InputError, NotFound
from msgbot.rate_on_file import seven_days
from msgbot.store import cancellations, formal_requests, messages, orders, rulings, trail
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.database import Database
from msgbot.store.rulings import Recorded

SHORTEST_REASON = 10
"""Letters that the reason of an override must have: a dot is no reason."""
LONGEST_REASON = 2_000


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
    proposal: Proposal
    ruling: Ruling
    cancellation: Cancellation | None = None


class Cancel:
    """The use case."""

    def __init__(self, database: Database, engine: Engine, clock: Clock, freshness: timedelta) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock
        self._freshness = freshness

    async def rule(self, account: str, proposals: Sequence[Proposal], asking: Sequence[Asking]) -> list[Ruled]:
        """The ruling on each proposal, on record.

        A ruling that only repeats the last one from the same origin is not recorded again. Each is judged by itself, but the rate
        that is foretold counts the ones before it that were allowed and count."""
        now = self._clock()
        found: list[Ruled] = []
        async with self._database.transaction() as connection:
            rate = await seven_days(connection, account, now)
            counted: set[str] = set()
            for proposal, each in zip(proposals, asking, strict=True):
                foretold = Rate(rate.counted + len(counted), rate.orders)
                ruled = await self._rule(connection, account, proposal, each, foretold, now)
                if ruled.ruling.allowed and ruled.ruling.counts:
                    counted.add(proposal.order_id)
                found.append(ruled)
        return found

    async def rule_file(
        self, account: str, data: bytes, name: str, *, by: str = "", request_id: str = ""
    ) -> tuple[list[CancellationRow], list[Ruling]]:
        """The rows of a cancellation file and the ruling on each. Raises InputError when it is no such file."""
        rows = list(read_cancellation_file(data, name).rows)
        first: dict[tuple[str, str], int] = {}
        for row in rows:
            first.setdefault((row.order_id, row.item_id), row.line)
        sound = [row for row in rows if not row.flaws and first[row.order_id, row.item_id] == row.line]
        proposals = [Proposal(row.order_id, row.reason, (row.item_id,) if row.item_id else ()) for row in sound]
        base = name.replace("\\", "/").rpartition("/")[2]
        asking = [Asking(f"{base} line {row.line}", by, request_id) for row in sound]
        ruled = await self.rule(account, proposals, asking)
        made = {row.line: each.ruling for row, each in zip(sound, ruled, strict=True)}
        return rows, [made.get(row.line) or _unsound(row, first) for row in rows]

    async def request(self, account: str, proposal: Proposal, asking: Asking, *, confirm: str = "") -> Ruled:
        """Asks for a cancellation: what the guard lets through goes ahead. A ruling that needs confirmation is confirmed by its
        code in `confirm`: so nobody confirms what they have not read."""
        now = self._clock()
        async with self._database.transaction() as connection:
            await orders.lock(connection, account, proposal.order_id)
            rate = await seven_days(connection, account, now)
            ruled = await self._rule(connection, account, proposal, asking, rate, now)
            ruling = ruled.ruling
            confirmed = ruling.outcome is Outcome.NEEDS_CONFIRMATION and confirm == ruling.code.value
            if ruling.allowed or confirmed:
                return replace(ruled, cancellation=await self._let_through(connection, account, ruled, asking, now))
            told: dict[str, Value] = {
                "ruling": ruled.id,
                "order": proposal.order_id,
                "code": ruling.code.value,
                "asked_by": asking.by,
            }
            await announce(connection, self._engine, account, EventType.CANCELLATION_BLOCKED, told, now)
        return ruled

    async def override(self, account: str, ruling_id: str, reason: str, *, by: str, request_id: str = "") -> Ruled:
        """Lets a blocked cancellation through, on the word of a second person. Raises NotFound, InputError for a missing reason,
        AccessError when it is the same person, and Conflict when the ruling is none that can be overridden, or no longer holds."""
        reason = reason.strip()
        if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
            raise InputError(f"the reason must say in {SHORTEST_REASON} to {LONGEST_REASON} letters why the cancellation is right")
        now = self._clock()
        async with self._database.transaction() as connection:
            recorded = await rulings.get(connection, account, ruling_id)
            if recorded is None:
                raise NotFound(f"no ruling {ruling_id} of account {account}")
            _check_can_be_overridden(recorded, by)
            await orders.lock(connection, account, recorded.order_id)
            rate = await seven_days(connection, account, now)
            ruling = await self._judge(connection, account, recorded.proposal, rate, now)
            if ruling.code.value != recorded.code:
                raise Conflict(f"the ruling no longer holds: it is {ruling.code.value} now; ask for the cancellation again")
            if not await rulings.override(connection, account, ruling_id, by, reason, now):
                raise Conflict("somebody has overridden this ruling already")
            facts: Facts = {
                "ruling": ruling_id,
                "order": recorded.order_id,
                "code": recorded.code,
                "asked_by": recorded.asked_by,
                "by": by,
                "reason": reason,
                "request": request_id,
            }
            await trail.append(connection, account, now, EntryKind.OVERRIDE, facts)
            ruled = Ruled(ruling_id, recorded.proposal, ruling)
            asking = Asking(recorded.origin, recorded.asked_by, request_id)
            made = await self._let_through(connection, account, ruled, asking, now)
            told: dict[str, Value] = {"ruling": ruling_id, "order": recorded.order_id, "code": recorded.code, "by": by}
            await announce(connection, self._engine, account, EventType.RULING_OVERRIDDEN, told, now)
        return replace(ruled, cancellation=made)

    async def withdraw(self, account: str, identity: str, asking: Asking) -> Cancellation:
        """Takes a cancellation back that was not handed to Amazon yet. Raises NotFound, and Conflict when it is too late."""
        async with self._database.transaction() as connection:
            found = await _ready(connection, account, identity)
            return await self._lapse(connection, found, f"withdrawn by {asking.by}", asking)

    async def hand_over(self, account: str, identity: str, asking: Asking) -> Cancellation:
        """A cancellation that is to be handed to Amazon now: what has come to light since it was let through counts. Raises
        NotFound, and Conflict when it is no longer to be done; then it has lapsed."""
        now = self._clock()
        async with self._database.transaction() as connection:
            found = await _ready(connection, account, identity)
            recorded = await rulings.get(connection, account, found.ruling_id)
            proposal = Proposal(found.order_id, found.reason, found.item_ids)
            ruling = await self._judge(connection, account, proposal, await seven_days(connection, account, now), now)
            if ruling.allowed or (recorded is not None and ruling.code.value == recorded.code):
                return found
            note = f"no longer allowed: {'; '.join(ruling.reasons)}"
            await self._lapse(connection, found, note, asking)
        raise Conflict(f"the cancellation is {note}; ask for it again")

    async def _lapse(self, connection: AsyncConnection, known: Cancellation, note: str, asking: Asking) -> Cancellation:
        now = self._clock()
        if not await cancellations.move(connection, known, CancellationState.LAPSED, note, now):
            raise Conflict("the cancellation has moved on a moment ago")
        facts: Facts = {
            "cancellation": known.id,
            "state": CancellationState.LAPSED.value,
            "order": known.order_id,
            "by": asking.by,
            "request": asking.request_id,
        }
        await trail.append(connection, known.account, now, EntryKind.CANCELLATION, facts)
        return replace(known, state=CancellationState.LAPSED, note=note, changed_at=now)

    async def get(self, account: str, identity: str) -> Cancellation:
        """A cancellation that was let through. Raises NotFound."""
        async with self._database.reading() as connection:
            found = await cancellations.get(connection, account, identity)
        if found is None:
            raise NotFound(f"no cancellation {identity} of account {account}")
        return found

    async def item_ids(self, account: str, order_id: str) -> tuple[str, ...]:
        """The codes of the items of an order on file."""
        async with self._database.reading() as connection:
            order = await orders.get(connection, account, order_id)
        return tuple(item.id for item in order.items if item.id) if order is not None else ()

    async def _judge(self, connection: AsyncConnection, account: str, proposal: Proposal, rate: Rate, now: datetime) -> Ruling:
        conversation = await messages.about_order(connection, account, proposal.order_id)
        request = conversation.open_request()
        intent = conversation.intent_of(request) if request is not None else Intent.NONE
        return judge(
            Case(
                proposal=proposal,
                now=now,
                freshness=self._freshness,
                order=await orders.get(connection, account, proposal.order_id),
                formal=await formal_requests.of_order(connection, account, proposal.order_id),
                asked=conversation.asks(),
                asked_if=intent is Intent.CONDITIONAL,
                withdrawn=conversation.withdrawal() is not None,
                solicited=conversation.soliciting() is not None,
                rate=rate,
            )
        )

    async def _rule(
        self, connection: AsyncConnection, account: str, proposal: Proposal, asking: Asking, rate: Rate, now: datetime
    ) -> Ruled:
        ruling = await self._judge(connection, account, proposal, rate, now)
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

    async def _let_through(
        self, connection: AsyncConnection, account: str, ruled: Ruled, asking: Asking, now: datetime
    ) -> Cancellation:
        """The cancellation that may go ahead; the one on file, if the same was let through before and is not done yet. Raises
        Conflict when another one of the same items is on its way. The order is locked by the caller."""
        proposal = ruled.proposal
        for known in await cancellations.of_orders(connection, account, [proposal.order_id], CancellationState.READY):
            if (known.item_ids, known.reason) == (proposal.item_ids, proposal.reason):
                return known
            if not known.item_ids or not proposal.item_ids or set(known.item_ids) & set(proposal.item_ids):
                raise Conflict(f"cancellation {known.id} of this order is on its way already; withdraw it first")
        made = await cancellations.add(connection, account, proposal, ruled.id, asking.by, ruled.ruling.counts, now)
        facts: Facts = {
            "cancellation": made.id,
            "state": made.state.value,
            "ruling": ruled.id,
            "code": ruled.ruling.code.value,
            "order": proposal.order_id,
            "by": asking.by,
            "request": asking.request_id,
        }
        await trail.append(connection, account, now, EntryKind.CANCELLATION, facts)
        return made


async def _ready(connection: AsyncConnection, account: str, identity: str) -> Cancellation:
    """The cancellation, if it still waits to be handed to Amazon."""
    found = await cancellations.get(connection, account, identity)
    if found is None:
        raise NotFound(f"no cancellation {identity} of account {account}")
    if found.state is not CancellationState.READY:
        raise Conflict(f"the cancellation is {found.state.value}: {found.note}")
    return found


def _check_can_be_overridden(recorded: Recorded, by: str) -> None:
    if RulingCode(recorded.code) not in OVERRIDABLE:
        raise Conflict(f"a ruling of {recorded.code} cannot be overridden: {recorded.way_out or '; '.join(recorded.reasons)}")
    if recorded.overridden_at is not None:
        raise Conflict(f"{recorded.overridden_by} has overridden this ruling already")
    if recorded.asked_by == by:
        raise AccessError("whoever asked for the cancellation cannot override the ruling on it: a second person must")


def _unsound(row: CancellationRow, first: dict[tuple[str, str], int]) -> Ruling:
    if row.flaws:
        return Ruling(Outcome.BLOCKED, RulingCode.UNREADABLE, row.flaws, "correct the row; Amazon would refuse it")
    reasons = (f"the same stands in line {first[row.order_id, row.item_id]} already",)
    return Ruling(Outcome.BLOCKED, RulingCode.REPEATED, reasons, "drop the row")
