"""The ledger of feeds: each step that a feed takes is put on file with what it means for the cancellations in it.

Whoever changes a feed holds the account's place at Amazon, then the orders in the feed, and only then writes: so two processes wait
for each other, and never in a ring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.announce import announce
from msgbot.cancel import call_submit
from msgbot.clock import Clock
from msgbot.domain.events import EventType
from msgbot.domain.trail import EntryKind, Facts
from msgbot.engine import Engine
from msgbot.feed_outcomes import Outcome
from msgbot.refresh import Refresh
from msgbot.store import amazon_sync, cancellations, feeds, orders, trail
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.database import Database
from msgbot.store.feeds import Feed, FeedState

FOLLOW = "follow"
"""The name of the workflow that sees what became of a feed."""
TRIED = timedelta(days=1)
"""So long is tried to hand a cancellation over."""
_log = structlog.get_logger(__name__)
_TRIES = 3
"""So often is handed over what Amazon drops."""


@dataclass(frozen=True, slots=True)
class FeedTimes:
    """How long the stages of a feed's way take; in seconds, where nothing else is said."""

    again: float = 120.0
    """Until what could not be handed over is tried again."""
    soon: float = 5.0
    """Until somebody looks at a feed that Amazon has just got."""
    search: float = 180.0
    """Until somebody looks for a feed whose number never came: longer than handing it over can take."""
    search_again: float = 120.0
    lost: timedelta = timedelta(minutes=15)
    """A feed that Amazon does not list so long after it was handed over is not there."""
    first_look: float = 10.0
    longest_look: float = 1_800.0
    seen: tuple[float, ...] = (5.0, 60.0, 600.0, 3_600.0)
    """After Amazon's report, until an order is read again to see it cancelled."""


class FeedLedger:
    """Records what happens to feeds. `times` are those of their way."""

    def __init__(self, database: Database, engine: Engine, refresh: Refresh, clock: Clock, times: FeedTimes = FeedTimes()) -> None:
        self._database = database
        self._engine = engine
        self._refresh = refresh
        self._clock = clock
        self.times = times

    @asynccontextmanager
    async def holding(self, feed: Feed) -> AsyncIterator[tuple[AsyncConnection, list[Cancellation]]]:
        """A transaction in which nobody else changes the feed, and the cancellations in it of which nothing has been seen yet."""
        async with self._database.transaction() as connection:
            await amazon_sync.lock(connection, feed.account, self._clock())
            inside = await cancellations.of_feed(connection, feed.account, feed.id)
            await orders.lock(connection, feed.account, *(each.order_id for each in inside))
            # Some may have been seen cancelled while others held the orders: those are done, whatever becomes of the feed.
            current = await cancellations.of_feed(connection, feed.account, feed.id)
            yield connection, [each for each in current if each.state is CancellationState.SUBMITTED]

    async def submitted(self, feed: Feed, amazon_id: str, note: str = "") -> None:
        """Amazon has the feed. Calls the next."""
        async with self.holding(feed) as (connection, _):
            # Somebody may have looked for it in the meantime.
            current = await feeds.get(connection, feed.account, feed.id)
            if current is None or current.state is not FeedState.SUBMITTING:
                if current is None or current.amazon_id != amazon_id:
                    _log.error("amazon has a feed that was given up", account=feed.account, feed=feed.id, amazon_feed=amazon_id)
                return
            changes = {"state": FeedState.SUBMITTED, "amazon_id": amazon_id, "looks": 0, "note": note}
            await feeds.change(connection, current, self._clock(), **changes)
            facts: Facts = {"feed": feed.id, "amazon_feed": amazon_id, "type": feed.type, "note": note}
            await trail.append(connection, feed.account, self._clock(), EntryKind.FEED_SUBMITTED, facts)
            await self._engine.enqueue(connection, FOLLOW, feed.account, feed.id, "submitted", self.times.soon)
            await self._call_next(connection, feed.account)

    async def not_done(self, feed: Feed, note: str, *, tried: bool, given_up: CancellationState = CancellationState.LAPSED) -> None:
        """Amazon did nothing of the feed: what stands in it waits for the next one, unless it was `tried` often enough, or for too
        long: then it is `given_up`."""
        async with self.holding(feed) as (connection, inside):
            now = self._clock()
            # What never reached Amazon is of no use to anybody.
            content = feed.content if tried else b""
            if await feeds.change(connection, feed, now, state=FeedState.FAILED, note=note, content=content) is None:
                return
            for each in inside:
                tries = each.tries + tried
                if now - each.created_at < TRIED and tries < _TRIES:
                    more = {"feed": "", "number": 0, "tries": tries}
                    await self.move(connection, each, CancellationState.READY, note, feed.id, **more)
                else:
                    moved = await self.move(connection, each, given_up, f"given up: {note}", feed.id)
                    if moved and given_up is CancellationState.LAPSED:
                        await self._tell(connection, each)
            await call_submit(connection, self._engine, feed.account, self.times.again)

    async def refused(self, feed: Feed, note: str) -> None:
        """Amazon refused the feed as a whole, and would again. Calls the next."""
        async with self.holding(feed) as (connection, inside):
            if await feeds.change(connection, feed, self._clock(), state=FeedState.FAILED, note=note) is None:
                return
            for each in inside:
                await self.move(connection, each, CancellationState.REFUSED, note, feed.id)
            await self._call_next(connection, feed.account)

    async def ended(self, feed: Feed, state: FeedState, says: str, outcomes: Mapping[str, Outcome]) -> None:
        """Amazon is done with the feed: `outcomes` says of each cancellation, by its id, what it has come to, and why."""
        async with self.holding(feed) as (connection, inside):
            now = self._clock()
            if await feeds.change(connection, feed, now, state=state, note=says) is None:
                return
            facts: Facts = {
                "feed": feed.id,
                "amazon_feed": feed.amazon_id,
                "fatal": state is FeedState.FAILED,
                "says": says,
            }
            await trail.append(connection, feed.account, now, EntryKind.FEED_ENDED, facts)
            for each in inside:
                await self.move(connection, each, *outcomes[each.id], feed.id)
            await self._read_again(connection, feed, inside)

    async def unsure(self, feed: Feed, note: str) -> None:
        """Nobody can tell what became of the feed: it is left to a person. Its orders are read again, as one that is seen cancelled
        is done. Calls the next."""
        async with self.holding(feed) as (connection, inside):
            if await feeds.change(connection, feed, self._clock(), state=FeedState.UNSURE, note=note) is None:
                return
            for each in inside:
                await self.move(connection, each, CancellationState.UNSURE, note, feed.id)
            await self._read_again(connection, feed, inside)
            await self._call_next(connection, feed.account)

    async def not_seen(self, each: Cancellation, note: str) -> None:
        """What Amazon took does not show in the order: it is left to a person."""
        async with self._database.transaction() as connection:
            await amazon_sync.lock(connection, each.account, self._clock())
            await orders.lock(connection, each.account, each.order_id)
            await self.move(connection, each, CancellationState.UNSURE, note, each.feed)

    async def look_later(self, feed: Feed, note: str, seconds: float) -> None:
        """Nothing is known yet; somebody looks again in so many seconds."""
        async with self.holding(feed) as (connection, _):
            changed = await feeds.change(connection, feed, self._clock(), looks=feed.looks + 1, note=note)
            if changed is not None:
                attempt = f"{changed.state.value}-{changed.looks}"
                await self._engine.enqueue(connection, FOLLOW, feed.account, feed.id, attempt, seconds)

    async def move(
        self,
        connection: AsyncConnection,
        each: Cancellation,
        state: CancellationState,
        note: str,
        feed_id: str = "",
        **more: object,
    ) -> bool:
        """Records that a cancellation has come further, unless it has come further by itself, and tells who wants to know that it
        was refused; False when it has. Its order is held by the caller."""
        now = self._clock()
        if not await cancellations.move(connection, each, state, note, now, **more):
            return False
        facts: Facts = {"cancellation": each.id, "state": state.value, "order": each.order_id, "feed": feed_id}
        await trail.append(connection, each.account, now, EntryKind.CANCELLATION, facts)
        if state is CancellationState.REFUSED:
            await self._tell(connection, each)
        return True

    async def _tell(self, connection: AsyncConnection, each: Cancellation) -> None:
        """Tells who wants to know that Amazon did not cancel an order, and nobody tries it again."""
        told = {"cancellation": each.id, "order": each.order_id}
        await announce(connection, self._engine, each.account, EventType.CANCELLATION_REFUSED, told, self._clock())

    async def _read_again(self, connection: AsyncConnection, feed: Feed, inside: Sequence[Cancellation]) -> None:
        for order_id in dict.fromkeys(each.order_id for each in inside):
            for number, seconds in enumerate(self.times.seen):
                why = f"feed-{feed.id}-{number}"
                await self._refresh.later(connection, feed.account, order_id, why, seconds)

    async def _call_next(self, connection: AsyncConnection, account: str) -> None:
        if await cancellations.oldest_ready(connection, account, 1):
            await call_submit(connection, self._engine, account)
