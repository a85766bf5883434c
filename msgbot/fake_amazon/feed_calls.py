"""Answers the calls of the Feeds API (domain.md section 4). A feed takes its time, and does its work when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgbot.fake_amazon.call import Call, Reply, invalid, missing, text_in, texts_in
from msgbot.fake_amazon.feed_work import ACKNOWLEDGEMENT, MESSAGE_TYPES, Unreadable, read_messages, work
from msgbot.fake_amazon.jobs import ENDS, Job, Lists, Pace
from msgbot.fake_amazon.trouble import Trouble
from msgbot.fake_amazon.world import World


@dataclass(slots=True)
class FakeFeed(Job):
    """A feed; `data` is what it says."""

    data: bytes | None = None


class FeedCalls:
    """All feeds. `feeds` has them in the order in which they came, `pace` is how long they take, `zipped` whether reports are."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.feeds: dict[str, FakeFeed] = {}
        self.pace = Pace()
        self.zipped = True
        self._lists = Lists("feedTypes")

    def create_document(self, call: Call) -> Reply:
        """Answers createFeedDocument."""
        document = self._world.documents.make("feed", call.seller_id, text_in(call.json(), "contentType"))
        return Reply(201, {"feedDocumentId": document.id, "url": self._world.documents.address(document, call.at)})

    def create(self, call: Call, fate: Trouble | None) -> Reply:
        """Answers createFeed, and counts the cancellations that the feed submits."""
        body = call.json()
        feed_type = text_in(body, "feedType")
        if feed_type not in MESSAGE_TYPES:
            raise invalid(f"Feed type {feed_type} is invalid.")
        marketplaces = texts_in(body, "marketplaceIds", 25)
        self._world.access.check_marketplaces(call, marketplaces)
        document = self._world.documents.own(text_in(body, "inputFeedDocumentId"), call.seller_id)
        feed = FakeFeed(
            str(50_000_000 + len(self.feeds) + 1), feed_type, call.seller_id, marketplaces, call.at, fate, data=document.data
        )
        self.feeds[feed.id] = feed
        if feed_type == ACKNOWLEDGEMENT:
            self._count(feed)
        return Reply(202, {"feedId": feed.id})

    def one(self, call: Call) -> Reply:
        """Answers getFeed."""
        feed = self._own(call)
        feed.looks += 1
        self.advance()
        return Reply(200, tell(feed))

    def some(self, call: Call) -> Reply:
        """Answers getFeeds."""
        self.advance()
        feeds, following = self._lists.page(call, self.feeds.values())
        return Reply(200, {"feeds": [tell(feed) for feed in feeds], **following})

    def cancel(self, call: Call) -> Reply:
        """Answers cancelFeed: only what is still in the queue can be cancelled."""
        feed = self._own(call)
        if feed.status != "IN_QUEUE":
            raise invalid("The feed is no longer in the queue.")
        feed.end("CANCELLED", call.at)
        return Reply(200)

    def advance(self) -> None:
        """Ends the feeds whose time has come."""
        for feed in list(self.feeds.values()):
            if feed.status not in ENDS and feed.is_due(self.pace, self._world.clock()):
                self._end(feed)

    def finish(self) -> None:
        """Ends all feeds now."""
        for feed in list(self.feeds.values()):
            if feed.status not in ENDS:
                self._end(feed)

    def _end(self, feed: FakeFeed) -> None:
        now = self._world.clock()
        feed.started_at = feed.started_at or now
        if feed.fate is not None:
            feed.end(feed.fate.name, now)
            return
        try:
            report = work(self._world, feed.type, feed.seller_id, feed.id, feed.data)
        except Unreadable:
            feed.end("FATAL", now)
            return
        kept = self._world.documents.make("report", feed.seller_id, "text/xml; charset=UTF-8", report, zipped=self.zipped)
        feed.end("DONE", now, kept.id)

    def _count(self, feed: FakeFeed) -> None:
        try:
            messages = read_messages(feed.type, feed.seller_id, feed.data)
        except Unreadable:
            return
        self._world.cancellations.update(message.order_id for message in messages if message.cancels)

    def _own(self, call: Call) -> FakeFeed:
        feed = self.feeds.get(call.names["feed"])
        if feed is None or feed.seller_id != call.seller_id:
            raise missing("The feed was not found.")
        return feed


def tell(feed: Job) -> dict[str, Any]:
    """A feed as getFeed gives it."""
    result = {"resultFeedDocumentId": feed.result} if feed.result else {}
    return {"feedId": feed.id, "feedType": feed.type, **feed.times(), **result}
