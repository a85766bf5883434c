"""What `msgbot amazon status` says needs a look: no more, and no longer, than a person can do something about it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from msgbot.amazon.order_feeds import ACKNOWLEDGEMENT_FEED
from msgbot.amazon_status import AmazonStatus
from msgbot.cancel import Asking
from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.store import cancellations, feeds, notices
from msgbot.store.amazon_states import Aspect
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.database import Database
from msgbot.store.feeds import Feed, FeedState
from msgbot.store.notices import Aside
from tests.link import Link, story


@pytest.fixture
async def link(database: Database) -> AsyncIterator[Link]:
    async with story(database) as made:
        yield made


async def test_notifications_that_failed_fail_no_more_when_no_queue_is_set(link: Link) -> None:
    await link.states.of_all(["main"], Aspect.NOTIFICATIONS, False, "no such queue")
    with_queue = await AmazonStatus(link.database, link.watch, has_queue=True).of("main")
    assert (with_queue.works, [each.aspect for each in with_queue.aspects]) == (False, [Aspect.NOTIFICATIONS])
    without = await AmazonStatus(link.database, link.watch, has_queue=False).of("main")
    assert (without.works, without.aspects) == (True, ())


async def test_a_service_that_reads_no_orders_any_more_needs_a_look(link: Link) -> None:
    await link.read_pages()
    due = (await link.sync()).poll_at
    link.watch.now = due
    link.watch.wait(minutes=5)
    shown = await link.status.of("main")
    assert (shown.works, shown.due_since) == (True, None)
    link.watch.wait(seconds=1)
    shown = await link.status.of("main")
    assert (shown.works, shown.due_since) == (False, due)
    await link.read_pages()
    assert (await link.status.of("main")).works


async def test_messages_moved_aside_need_a_look_for_a_day_and_are_shown_after_it(link: Link) -> None:
    assert (await link.status.aside()).works
    async with link.database.transaction() as connection:
        await notices.set_aside(connection, Aside("", "m", link.watch.now, "no JSON", "0" * 64))
    link.watch.wait(hours=23, minutes=59)
    assert not (await link.status.aside()).works
    link.watch.wait(minutes=2)
    shown = await link.status.aside()
    assert (shown.works, shown.count, [each.reason for each in shown.newest]) == (True, 1, ["no JSON"])


async def test_a_feed_of_which_nobody_can_tell_is_listed_until_all_of_it_is_settled(link: Link) -> None:
    feed, inside = await unsure_feed(link)
    for each in inside:
        assert [listed.id for listed in (await link.status.of("main")).feeds] == [feed.id]
        await link.cancel.withdraw("main", each.id, Asking("test"))
    shown = await link.status.of("main")
    assert (shown.works, shown.feeds) == (True, ())


async def unsure_feed(link: Link) -> tuple[Feed, list[Cancellation]]:
    """A feed of two cancellations that was handed over, and of which nobody can tell whether Amazon has it."""
    inside: list[Cancellation] = []
    for _ in range(2):
        order = link.fake.add_order()
        link.fake.file_request(order.id)
        ruled = await link.cancel.request("main", Proposal(order.id, CancelReason.BUYER_CANCELED), Asking("test"))
        assert ruled.cancellation is not None
        inside.append(ruled.cancellation)
    async with link.database.transaction() as connection:
        made = await feeds.add(connection, "main", ACKNOWLEDGEMENT_FEED, b"<x/>", link.watch.now)
        feed = await feeds.change(connection, made, link.watch.now, state=FeedState.UNSURE, note="no answer")
        assert feed is not None
        for each in inside:
            assert await cancellations.move(connection, each, CancellationState.UNSURE, "no answer", link.watch.now, feed=feed.id)
    return feed, inside
