"""Submit: cancellations that the guard let through are handed to Amazon, as many as there are in one feed.

Nothing is handed over twice. That a feed is being handed over is on file before Amazon hears of it; from then on it is only handed
over again when Amazon said that it did not take it, or when it was looked for there and not found (follow.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon.order_feeds import CONTENT_TYPE
from msgbot.amazon_states import States
from msgbot.cancel import SUBMIT, Cancel, call_submit
from msgbot.clock import Clock
from msgbot.engine import Engine
from msgbot.errors import AmazonError, AmazonRefused, AmazonUnclear, InputError
from msgbot.feed_content import content_of, fault_in, of_one_feed, thing_of, with_items
from msgbot.feed_ledger import FOLLOW, TRIED, FeedLedger
from msgbot.refresh import Refresh
from msgbot.spapi.access import Seller
from msgbot.spapi.feeds import Feeds
from msgbot.steps import step
from msgbot.store import amazon_sync, cancellations, feeds, orders
from msgbot.store.amazon_states import Aspect
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.database import Database
from msgbot.store.feeds import Feed, FeedState

__all__ = ["SUBMIT", "Submit"]

_MOST = 1_000
"""Cancellations in one feed."""
_STILL_TRUE = timedelta(minutes=5)
"""Facts read from Amazon so long ago are read again before anything is handed over."""
_READING = timedelta(minutes=4)
"""So long are orders read for one feed: the facts of the first must still be true at the end. What was not read by then waits."""
_PATIENCE = 60.0
_GOOD_FOR = timedelta(minutes=10)
"""A feed that was put together so long ago is put together anew."""
_AT_ONCE = timedelta(minutes=1)
"""A feed that could not be handed over within this, once it was said that it would be, is left to those who look for it."""
_BY_HAND = "no feed cancels a part of an order: do it in Seller Central"
_AT_AMAZON = frozenset({CancellationState.SUBMITTED, CancellationState.ACCEPTED})
_BEING_HANDED_OVER = (FeedState.PREPARED, FeedState.SUBMITTING)


class Submit:
    """The use case."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        cancel: Cancel,
        refresh: Refresh,
        states: States,
        ledger: FeedLedger,
        clock: Clock,
        sellers: Mapping[str, Seller],
        amazon: Feeds,
    ) -> None:
        self._database = database
        self._engine = engine
        self._cancel = cancel
        self._refresh = refresh
        self._states = states
        self._ledger = ledger
        self._clock = clock
        self._sellers = sellers
        self._amazon = amazon

    async def run(self, account: str, occasions: Sequence[str]) -> None:
        """Hands over what waits."""
        if account not in self._sellers:
            # It is not connected any more. Should it be again, `pick_up` finds what waits.
            return
        prepared = await step("gather", self.gather, account, {each: each for each in occasions})
        await step("hand over", self.hand_over, account, prepared)

    async def pick_up(self, account: str) -> bool:
        """Calls for a feed where something waits for one and nothing under way would make it, whatever became of what should have.
        Whether it was so."""
        async with self._database.reading() as connection:
            waiting = await cancellations.oldest_ready(connection, account, 1)
            begun = {feed.state for feed in await feeds.in_states(connection, account, _BEING_HANDED_OVER)}
        # The end of a feed that is being handed over calls the next.
        if FeedState.SUBMITTING in begun or not (waiting or begun) or await self._engine.under_way(SUBMIT, account):
            return False
        async with self._database.transaction() as connection:
            await amazon_sync.lock(connection, account, self._clock())
            await amazon_sync.submit_waits(connection, account, waits=False)
            await call_submit(connection, self._engine, account)
        return True

    async def gather(self, account: str, _: str = "") -> str:
        """Puts the cancellations that wait into a feed, if they are still right by what Amazon says of their orders now. The feed's
        id, or empty when there is nothing to hand over."""
        read = await self._read(account)
        async with self._database.transaction() as connection:
            await amazon_sync.lock(connection, account, self._clock())
            await amazon_sync.submit_waits(connection, account, waits=False)
            # One at a time: else a feed that is looked for could not be told from another. Its end calls the next.
            for begun in await feeds.in_states(connection, account, _BEING_HANDED_OVER):
                # A process may have died before it handed over what it had prepared.
                return begun.id if begun.state is FeedState.PREPARED else ""
            ready = await cancellations.oldest_ready(connection, account, _MOST)
            await orders.lock(connection, account, *(each.order_id for each in ready))
            chosen = await self._choose(connection, account, ready, read)
            if not chosen:
                return ""
            feed_type, together = of_one_feed(chosen)
            content = content_of(self._sellers[account], together)
            feed = await feeds.add(connection, account, feed_type, content, self._clock())
            for number, each in enumerate(together, start=1):
                more = {"feed": feed.id, "number": number}
                await self._ledger.move(connection, each, CancellationState.SUBMITTED, "", feed.id, **more)
        return feed.id

    async def _read(self, account: str) -> dict[str, str]:
        """Reads the orders of the cancellations that wait. For each order that was tried, why it could not be read, or empty."""
        async with self._database.reading() as connection:
            ready = await cancellations.oldest_ready(connection, account, _MOST)
        began = self._clock()
        read: dict[str, str] = {}
        for order_id in dict.fromkeys(each.order_id for each in ready):
            if self._clock() - began > _READING:
                break
            read[order_id] = await self._refresh.read(account, order_id, _PATIENCE, at_most=_STILL_TRUE)
        return read

    async def _choose(
        self, connection: AsyncConnection, account: str, ready: Sequence[Cancellation], read: Mapping[str, str]
    ) -> list[Cancellation]:
        """Those of the cancellations that wait that may be handed over now, with the codes of their items; those that may never be
        are settled."""
        now = self._clock()
        chosen: list[Cancellation] = []
        put_off = False
        at_amazon = await cancellations.of_orders(connection, account, [each.order_id for each in ready], _AT_AMAZON)
        begun = {thing_of(each) for each in at_amazon}
        for each in ready:
            unreadable = read.get(each.order_id)
            if unreadable is None or thing_of(each) in begun:
                # It came while the others were read, or there was no time for it; or another of the same thing is at Amazon.
                put_off = True
            elif unreadable and now - each.created_at < TRIED:
                put_off = True
                await cancellations.move(connection, each, each.state, f"waits: {unreadable}", now)
            elif note := await self._cancel.no_longer(connection, each, unreadable):
                await self._ledger.move(connection, each, CancellationState.LAPSED, note)
            elif (whole := with_items(each, await orders.get(connection, account, each.order_id))) is None:
                await self._ledger.move(connection, each, CancellationState.BY_HAND, _BY_HAND)
            elif fault := fault_in(self._sellers[account], whole):
                await self._ledger.move(connection, each, CancellationState.REFUSED, fault)
            else:
                chosen.append(whole)
        if put_off:
            await call_submit(connection, self._engine, account, self._ledger.times.again)
        return chosen

    async def hand_over(self, account: str, feed_id: str) -> str:
        """Hands a feed over. Amazon's id of it; empty when it has none yet."""
        async with self._database.reading() as connection:
            feed = await feeds.get(connection, account, feed_id)
        if feed is None or feed.state is not FeedState.PREPARED:
            # A process died while it handed the feed over: follow.py looks whether Amazon has it.
            return ""
        if self._clock() - feed.created_at > _GOOD_FOR:
            await self._ledger.not_done(feed, "its orders may have changed since it was put together", tried=False)
            return ""
        try:
            document_id, url = await self._amazon.create_document(account, CONTENT_TYPE)
            await self._amazon.upload(url, feed.content, CONTENT_TYPE)
        except (AmazonError, InputError) as error:
            # Whatever is wrong with these calls, it is not the cancellations: those are refused by the next one, if at all.
            await self._put_back(feed, error)
            return ""
        claimed = await self._claim(feed)
        if claimed is None:
            return ""
        try:
            # A process that stood still must not: others may have looked for the feed by then, and not found it.
            amazon_id = await self._amazon.create(account, feed.type, document_id, not_after=claimed.changed_at + _AT_ONCE)
        except AmazonUnclear as error:
            await self._states.failed(account, Aspect.FEEDS, error)
            return ""
        except AmazonRefused as error:
            await self._ledger.refused(claimed, str(error))
            await self._states.failed(account, Aspect.FEEDS, error)
            return ""
        except AmazonError as error:
            await self._put_back(claimed, error)
            return ""
        await self._ledger.submitted(claimed, amazon_id)
        await self._states.worked(account, Aspect.FEEDS)
        return amazon_id

    async def _claim(self, feed: Feed) -> Feed | None:
        """The feed, as one that is being handed over by this process and no other; None when another does."""
        async with self._ledger.holding(feed) as (connection, _):
            # By Amazon's clock, as it will be looked for among what Amazon lists.
            changes = {"state": FeedState.SUBMITTING, "submitting_since": self._amazon.now()}
            claimed = await feeds.change(connection, feed, self._clock(), **changes)
            if claimed is not None:
                # Should nothing more be heard of it, somebody looks.
                await self._engine.enqueue(connection, FOLLOW, feed.account, feed.id, "claimed", self._ledger.times.search)
        return claimed

    async def _put_back(self, feed: Feed, error: Exception) -> None:
        """Lets what stands in a feed wait for another: Amazon does not have it, for sure, and may take it later."""
        await self._ledger.not_done(feed, str(error), tried=False)
        await self._states.failed(feed.account, Aspect.FEEDS, error)
