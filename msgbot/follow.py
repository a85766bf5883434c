"""Follow: what became of a feed. One that may or may not have reached Amazon is looked for; one that did is followed to Amazon's
report, which says what became of each cancellation (domain.md section 4: DONE is not success)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgbot.amazon.processing_reports import ProcessingReport, read_processing_report
from msgbot.amazon_states import States
from msgbot.clock import Clock
from msgbot.engine import Engine
from msgbot.errors import AmazonError, AmazonRefused, InputError
from msgbot.feed_ledger import FOLLOW, FeedLedger
from msgbot.feed_outcomes import is_about, outcomes, summary
from msgbot.spapi.feeds import Feeds
from msgbot.steps import step
from msgbot.store import cancellations, feeds
from msgbot.store.amazon_states import Aspect
from msgbot.store.cancellations import CancellationState
from msgbot.store.database import Database
from msgbot.store.feeds import Feed, FeedState

__all__ = ["FOLLOW", "Follow"]

_CLOCKS = timedelta(minutes=1)
"""So far our idea of Amazon's clock may be wrong."""
_HANDED_OVER_WITHIN = timedelta(minutes=4)
"""What Amazon got later than this after a feed was claimed is not that feed."""
_SEARCHES = 3
"""So often must a feed have been looked for in vain."""
_LISTED = timedelta(days=85)
"""Amazon keeps feeds for 90 days: an older one cannot be looked for."""
_PATIENT = timedelta(days=1)
"""What is still refused or cannot be read so long after a feed was handed over never will be."""
_SEEN_WITHIN = timedelta(days=1)
"""An order that Amazon cancels is seen cancelled sooner than this."""
_FOLLOWED = (FeedState.SUBMITTING, FeedState.SUBMITTED)


class Follow:
    """The use case."""

    def __init__(self, database: Database, engine: Engine, states: States, ledger: FeedLedger, clock: Clock, amazon: Feeds) -> None:
        self._database = database
        self._engine = engine
        self._states = states
        self._ledger = ledger
        self._clock = clock
        self._amazon = amazon

    async def run(self, account: str, feed_ids: Sequence[str]) -> None:
        """Sees what became of feeds."""
        await step("look", self.look, account, {each: each for each in feed_ids})

    async def pick_up(self, account: str) -> int:
        """Looks at the feeds that nothing under way would look at, whatever became of what should have; how many. What Amazon took
        and nobody ever saw cancelled is left to a person."""
        now = self._clock()
        async with self._database.reading() as connection:
            followed = await feeds.in_states(connection, account, _FOLLOWED)
            unseen = await cancellations.left_accepted(connection, account, now - _SEEN_WITHIN)
        known = await self._engine.under_way(FOLLOW, account) if followed else set()
        forgotten = [feed for feed in followed if feed.id not in known]
        for feed in forgotten:
            async with self._database.transaction() as connection:
                # Processes that find it in the same minute say the same.
                await self._engine.enqueue(connection, FOLLOW, account, feed.id, f"picked-up-{now:%Y%m%d%H%M}")
        for each in unseen:
            await self._ledger.not_seen(each, "Amazon took it, but the order was not seen cancelled: look at it in Seller Central")
        return len(forgotten)

    async def look(self, account: str, feed_id: str) -> str:
        """Sees what became of a feed, and when to look again. The state it was in; empty when there is nothing more to see."""
        async with self._database.reading() as connection:
            feed = await feeds.get(connection, account, feed_id)
        if feed is None or feed.state not in _FOLLOWED:
            return ""
        try:
            await (self._look_for(feed) if feed.state is FeedState.SUBMITTING else self._look_at(feed))
        except (AmazonError, InputError) as error:
            await self._states.failed(account, Aspect.FEEDS, error)
            lasting = isinstance(error, AmazonRefused | InputError)
            if lasting and self._age(feed) > _PATIENT:
                await self._ledger.unsure(feed, str(error))
            else:
                await self._look_later(feed, str(error))
            return feed.state.value
        await self._states.worked(account, Aspect.FEEDS)
        return feed.state.value

    async def _look_for(self, feed: Feed) -> None:
        """Looks whether Amazon has a feed whose number never reached us: one of the same type, made at that time, that is none of
        those we know."""
        began = feed.submitting_since or feed.created_at
        if self._age(feed) > _LISTED:
            await self._ledger.unsure(feed, "nobody looked for it while Amazon still listed it: look at the orders")
            return
        listed = await self._amazon.find(feed.account, feed.type, began - _CLOCKS)
        async with self._database.reading() as connection:
            known = await feeds.known(connection, [each.id for each in listed])
        until = began + _HANDED_OVER_WITHIN + _CLOCKS
        found = [each.id for each in listed if each.id not in known and each.created_at <= until]
        if len(found) == 1:
            await self._ledger.submitted(feed, found[0], "its number was lost, and found by looking for it")
        elif found:
            await self._ledger.unsure(feed, f"one of Amazon's feeds {', '.join(found)} may be it: look at the orders")
        elif feed.looks + 1 < _SEARCHES or self._age(feed) < self._ledger.times.lost:
            await self._look_later(feed, "nobody knows yet whether Amazon has it")
        else:
            # Again and again: then it may be Amazon's list that is wrong.
            await self._ledger.not_done(feed, "Amazon does not have the feed", tried=True, given_up=CancellationState.UNSURE)

    async def _look_at(self, feed: Feed) -> None:
        """Looks how far Amazon has come with a feed, and what its report says."""
        state = await self._amazon.get(feed.account, feed.amazon_id)
        if not state.ended:
            await self._look_later(feed, "Amazon works on it")
            return
        if state.status == "CANCELLED":
            note = f"Amazon dropped the feed {feed.amazon_id}"
            await self._ledger.not_done(feed, note, tried=True, given_up=CancellationState.REFUSED)
            return
        async with self._database.reading() as connection:
            inside = await cancellations.of_feed(connection, feed.account, feed.id)
        fatal = state.status == "FATAL"
        report = await self._report(feed, state.result_document_id, fatal=fatal)
        if report is not None and not fatal and not is_about(report, inside):
            await self._ledger.unsure(feed, f"the report of feed {feed.amazon_id} is not about these orders: look at them")
            return
        said = summary(report) if report is not None else "Amazon gave no report"
        ended = FeedState.FAILED if fatal else FeedState.DONE
        await self._ledger.ended(feed, ended, said, outcomes(feed, report, inside, fatal=fatal))

    async def _report(self, feed: Feed, document_id: str, *, fatal: bool) -> ProcessingReport | None:
        """Amazon's report; None where a feed that failed as a whole has none that can be read."""
        if not document_id and fatal:
            return None
        if not document_id:
            raise InputError(f"Amazon is done with feed {feed.amazon_id}, but gives no report")
        data = await self._amazon.result(feed.account, document_id)
        try:
            return read_processing_report(data)
        except InputError:
            if fatal:
                return None
            raise

    async def _look_later(self, feed: Feed, note: str) -> None:
        times = self._ledger.times
        growing = min(times.first_look * 2 ** min(feed.looks, 10), times.longest_look)
        await self._ledger.look_later(feed, note, times.search_again if feed.state is FeedState.SUBMITTING else growing)

    def _age(self, feed: Feed) -> timedelta:
        return self._amazon.now() - (feed.submitting_since or feed.created_at)
