"""Cancel: asks the guard about cancellations, records what it says, and lets through what may go ahead. The way of an allowed one
to Amazon begins here and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon.cancellation_files import CancellationRow, read_cancellation_file
from msgbot.amazon.order_feeds import check_adjustment
from msgbot.announce import announce
from msgbot.clock import Clock
from msgbot.domain.cancellation import Adjustment
from msgbot.domain.events import EventType
from msgbot.domain.guard import OVERRIDABLE, Outcome, Ruling, RulingCode
from msgbot.domain.rate import Rate
from msgbot.domain.trail import EntryKind, Facts, Value
from msgbot.engine import Engine
from msgbot.errors import AccessError, Conflict, InputError, NotFound
from msgbot.judgement import Asking, Judgement, Proposed, Ruled
from msgbot.rate_on_file import seven_days
from msgbot.refresh import MOMENT, Refresh
from msgbot.store import amazon_sync, cancellations, orders, rulings, trail
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.database import Database
from msgbot.store.rulings import Recorded

__all__ = ["SUBMIT", "Asking", "Cancel", "Proposed", "Ruled", "call_submit"]

SUBMIT = "submit"
"""The name of the workflow that hands cancellations to Amazon."""
_PATIENCE = 15.0
"""Seconds that whoever asks for a cancellation waits for Amazon to tell of the order."""
_JUST_READ = timedelta(minutes=5)
"""Facts of an order in a file that were read so short a time ago are not read again."""
SHORTEST_REASON = 10
"""Letters that the reason of an override must have: a dot is no reason."""
LONGEST_REASON = 2_000


class Cancel:
    """The use case."""

    def __init__(self, database: Database, engine: Engine, refresh: Refresh, clock: Clock, freshness: timedelta) -> None:
        self._database = database
        self._engine = engine
        self._refresh = refresh
        self._clock = clock
        self._judgement = Judgement(database, refresh.is_live, clock, freshness)

    async def rule(self, account: str, proposals: Sequence[Proposed], asking: Sequence[Asking]) -> list[Ruled]:
        """The ruling on each proposal, on record; nothing goes ahead. The orders of a connected account are read before."""
        unreadable = await self._read(account, [each.order_id for each in proposals], _PATIENCE, MOMENT)
        return await self._judgement.rule(account, proposals, asking, unreadable)

    async def rule_file(
        self, account: str, data: bytes, name: str, *, by: str = "", request_id: str = "", patience: float = _PATIENCE
    ) -> tuple[list[CancellationRow], list[Ruling]]:
        """The rows of a cancellation file and the ruling on each. The orders of a connected account are read before, for `patience`
        seconds at most: Amazon lets an account read one every two seconds. What was not read by then is not allowed, and is read
        when the file is given again. Raises InputError when it is no such file."""
        rows = list(read_cancellation_file(data, name).rows)
        unreadable = await self._read(account, [row.order_id for row in rows if not row.flaws], patience, _JUST_READ)
        return rows, await self._judgement.rule_file(account, rows, name, unreadable, by=by, request_id=request_id)

    async def _read(self, account: str, order_ids: Sequence[str], patience: float, at_most: timedelta) -> dict[str, str]:
        """Reads orders of a connected account that were not read within `at_most`. Why some could not be read, by order."""
        if not self._refresh.is_live(account):
            return {}
        until = self._clock() + timedelta(seconds=patience)
        found: dict[str, str] = {}
        for order_id in dict.fromkeys(order_ids):
            left = (until - self._clock()).total_seconds()
            found[order_id] = (
                await self._refresh.read(account, order_id, min(left, _PATIENCE), at_most=at_most)
                if left > 0
                else "there was no time to: Amazon lets an account read one order every two seconds; ask again"
            )
        return found

    async def request(self, account: str, proposal: Proposed, asking: Asking, *, confirm: str = "") -> Ruled:
        """Asks for a cancellation: the order is read from Amazon, if the account is connected, and what the guard lets through
        goes ahead. A ruling that needs confirmation is confirmed by its code in `confirm`: so nobody confirms what they have not
        read. Raises InputError when Amazon would not take the cancellation as it is put."""
        self._check_amazon_takes(account, proposal)
        unreadable = await self._refresh.read(account, proposal.order_id, _PATIENCE)
        now = self._clock()
        async with self._database.transaction() as connection:
            await self._lock(connection, account, proposal.order_id)
            rate = await seven_days(connection, account, now)
            ruled = await self._judgement.on_record(connection, account, proposal, asking, rate, now, unreadable)
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
        async with self._database.reading() as connection:
            asked = await rulings.get(connection, account, ruling_id)
        if asked is None:
            raise NotFound(f"no ruling {ruling_id} of account {account}")
        _check_can_be_overridden(asked, by)
        unreadable = await self._refresh.read(account, asked.order_id, _PATIENCE)
        now = self._clock()
        async with self._database.transaction() as connection:
            await self._lock(connection, account, asked.order_id)
            recorded = await rulings.get(connection, account, ruling_id) or asked
            _check_can_be_overridden(recorded, by)
            rate = await seven_days(connection, account, now)
            ruling = await self._judgement.judge(connection, account, recorded.proposal, rate, now, unreadable)
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
        """Takes a cancellation back that was not handed to Amazon, or of which nobody can tell: whoever takes that back has looked
        at the order. Raises NotFound, and Conflict when it is too late."""
        async with self._database.transaction() as connection:
            found = await self._held(connection, account, identity, cancellations.WITHDRAWABLE)
            return await self._lapse(connection, found, f"withdrawn by {asking.by}", asking)

    async def hand_over(self, account: str, identity: str, asking: Asking) -> Cancellation:
        """A cancellation that a person is to hand to Amazon now: what has come to light since it was let through counts. Raises
        NotFound, and Conflict when it is no longer to be done, then it has lapsed; or when msgbot hands it over itself."""
        async with self._database.transaction() as connection:
            found = await self._held(connection, account, identity, {CancellationState.READY, CancellationState.BY_HAND})
            if self._refresh.is_live(account) and found.state is CancellationState.READY:
                raise Conflict("msgbot hands this cancellation to Amazon itself; withdraw it first to do it by hand")
            note = await self.no_longer(connection, found)
            if not note:
                return found
            await self._lapse(connection, found, note, asking)
        raise Conflict(f"the cancellation is {note}; ask for it again")

    async def no_longer(self, connection: AsyncConnection, found: Cancellation, unreadable: str = "") -> str:
        """Why a cancellation that was let through may not go ahead by what is on file now; empty when it may. `unreadable` is why
        the order could not be read from Amazon."""
        recorded = await rulings.get(connection, found.account, found.ruling_id)
        # The rate foretells what it would cost; whether it may be done does not hang on it.
        ruling = await self._judgement.judge(connection, found.account, found.proposal, Rate(0, 0), self._clock(), unreadable)
        if ruling.allowed or (recorded is not None and ruling.code.value == recorded.code):
            return ""
        return f"no longer allowed: {'; '.join(ruling.reasons)}"

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
        """The codes of the items that are left of an order on file."""
        async with self._database.reading() as connection:
            order = await orders.get(connection, account, order_id)
        return tuple(item.id for item in order.items_left if item.id) if order is not None else ()

    def _check_amazon_takes(self, account: str, proposal: Proposed) -> None:
        if self._refresh.is_live(account) and proposal.reason is None:
            raise InputError("give a reason: Amazon takes no cancellation without one", field="reason")
        if isinstance(proposal, Adjustment):
            check_adjustment(proposal)

    async def _lock(self, connection: AsyncConnection, account: str, order_id: str) -> None:
        """Holds the order; before it, as everybody does, the account's place at Amazon."""
        if self._refresh.is_live(account):
            await amazon_sync.lock(connection, account, self._clock())
        await orders.lock(connection, account, order_id)

    async def _held(
        self, connection: AsyncConnection, account: str, identity: str, states: Collection[CancellationState]
    ) -> Cancellation:
        """The cancellation, with its order held, if it is in one of `states`. Raises NotFound, Conflict."""
        found = await cancellations.get(connection, account, identity)
        if found is None:
            raise NotFound(f"no cancellation {identity} of account {account}")
        await self._lock(connection, account, found.order_id)
        # It may have moved on while others held the order.
        found = await cancellations.get(connection, account, identity) or found
        if found.state not in states:
            raise Conflict(f"the cancellation is {found.state.value}" + (f": {found.note}" if found.note else ""))
        return found

    async def _let_through(
        self, connection: AsyncConnection, account: str, ruled: Ruled, asking: Asking, now: datetime
    ) -> Cancellation:
        """The cancellation that may go ahead; the one on file, if the same was let through before and is not done yet. Raises
        Conflict when another one of the same items is on its way. The order is locked by the caller."""
        proposal = ruled.proposal
        for known in await cancellations.of_orders(connection, account, [proposal.order_id], cancellations.OPEN):
            if known.proposal == proposal:
                return known
            if known.meets(proposal.item_ids):
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
        if self._refresh.is_live(account):
            await call_submit(connection, self._engine, account)
        return made


async def call_submit(connection: AsyncConnection, engine: Engine, account: str, delay: float = 0.0) -> None:
    """Sees to it that what waits is handed to Amazon; once, however often it is called until that begins."""
    if await amazon_sync.submit_waits(connection, account, waits=True):
        await engine.enqueue(connection, SUBMIT, account, secrets.token_hex(6), delay=delay)


def _check_can_be_overridden(recorded: Recorded, by: str) -> None:
    if RulingCode(recorded.code) not in OVERRIDABLE:
        raise Conflict(f"a ruling of {recorded.code} cannot be overridden: {recorded.way_out or '; '.join(recorded.reasons)}")
    if recorded.overridden_at is not None:
        raise Conflict(f"{recorded.overridden_by} has overridden this ruling already")
    if recorded.asked_by == by:
        raise AccessError("whoever asked for the cancellation cannot override the ruling on it: a second person must")
