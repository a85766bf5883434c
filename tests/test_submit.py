"""Cancellations go to Amazon once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgbot.domain.cancellation import Adjustment, AdjustReason, Amount, CancelReason, Proposal
from msgbot.domain.events import EventType
from msgbot.domain.trail import EntryKind
from msgbot.errors import AmazonRefused, Conflict
from msgbot.fake_amazon import FakeAmazon, FakeItem, Trouble
from msgbot.fake_amazon.feed_calls import FakeFeed
from msgbot.fake_amazon.jobs import Pace
from msgbot.judgement import Asking
from msgbot.spapi.orders import Orders
from msgbot.store import amazon_sync, cancellations, trail
from msgbot.store.database import Database, open_database
from msgbot.store.feeds import FeedState
from tests.agency import ENDED, MAIN, Agency, Watch, agency, seller_of
from tests.amazon_models import judged
from tests.fake_amazon.feeds import acknowledgements, cancellation


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def fake(watch: Watch) -> AsyncIterator[FakeAmazon]:
    async with judged(FakeAmazon(watch)) as running:
        yield running


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database, to be copied."""
    file = tmp_path_factory.mktemp("empty") / "msgbot.db"

    async def make() -> None:
        await (await open_database(file)).close()

    asyncio.run(make())
    return file


@asynccontextmanager
async def copied(empty: Path, folder: Path) -> AsyncIterator[Database]:
    """A new SQLite database."""
    database = await open_database(shutil.copy(empty, folder / "msgbot.db"))
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def lone(empty: Path, tmp_path: Path, fake: FakeAmazon, watch: Watch) -> AsyncIterator[Agency]:
    """On SQLite."""
    async with copied(empty, tmp_path) as database, agency(database, fake, watch) as made:
        yield made


@pytest.fixture
async def both(database: Database, fake: FakeAmazon, watch: Watch) -> AsyncIterator[Agency]:
    """On SQLite, and on PostgreSQL."""
    async with agency(database, fake, watch) as made:
        yield made


async def kinds(office: Agency) -> list[str]:
    """The kinds of the entries in the trail."""
    async with office.database.reading() as connection:
        return [entry.kind.value async for entry in trail.entries(connection, MAIN)]


async def test_a_cancellation_goes_to_amazon_and_back(both: Agency) -> None:
    order = both.order()
    asked = await both.ask(order)
    await both.pass_time(minutes=10)
    assert (await both.states(asked), order.status.value) == (["done"], "CANCELLED")
    assert both.fake.cancellations == {order.id: 1}
    assert [feed.state for feed in await both.feeds()] == [FeedState.DONE]
    assert {EntryKind.FEED_SUBMITTED, EntryKind.FEED_ENDED} <= set(await kinds(both))
    await both.check_trail()


@pytest.mark.parametrize("refund", [False, True], ids=["cancellation", "refund"])
@pytest.mark.parametrize(
    ("trouble", "times", "feeds"),
    [
        # It was done, and nobody heard of it: looked for and found.
        (Trouble.CUT_AFTER, 1, ["done"]),
        (Trouble.ERROR_AFTER, 1, ["done"]),
        (Trouble.TRUNCATED, 1, ["done"]),
        # It may have been done: looked for and not found, so handed over again.
        (Trouble.CUT_BEFORE, 1, ["failed", "done"]),
        (Trouble.SERVER_ERROR, 1, ["failed", "done"]),
        (Trouble.UNAVAILABLE, 1, ["failed", "done"]),
        (Trouble.HTML, 1, ["failed", "done"]),
        # It was not done: handed over again.
        (Trouble.QUOTA, 1, ["failed", "done"]),
        (Trouble.QUOTA, 3, ["failed", "failed", "failed", "done"]),
        (Trouble.EXPIRED_TOKEN, 1, ["done"]),
        (Trouble.DENIED, 2, ["failed", "done"]),
        # Amazon took it and dropped it later.
        (Trouble.CANCELLED, 1, ["failed", "done"]),
        (Trouble.CANCELLED, 2, ["failed", "failed", "done"]),
    ],
)
async def test_trouble_with_the_feed_does_it_once(
    lone: Agency, trouble: Trouble, times: int, feeds: list[str], refund: bool
) -> None:
    lone.fake.trouble("createFeed", trouble, times)
    asked = await (refunded(lone) if refund else lone.ask(lone.order()))
    await lone.pass_time(minutes=1)
    await lone.pass_time(hours=2)
    assert await lone.states(asked) == ["done"]
    assert [feed.state.value for feed in await lone.feeds()] == feeds
    worked = [feed for feed in lone.fake.feeds.feeds.values() if feed.status == "DONE"]
    assert len(worked) == 1
    assert len(lone.fake.refunds) == int(refund)
    await lone.check_trail()


async def refunded(office: Agency) -> str:
    """Asks for an adjustment of an order that was shipped in part."""
    order = office.fake.add_order("", FakeItem("1001", quantity=2))
    office.fake.file_request(order.id)
    office.fake.ship(order.id, quantity=1)
    amounts = (Amount("Principal", Decimal("10.00"), "USD"),)
    return await office.propose(Adjustment(order.id, "1001", AdjustReason.CUSTOMER_CANCEL, 1, amounts))


async def test_an_answer_that_comes_too_late_is_looked_for(empty: Path, tmp_path: Path, fake: FakeAmazon, watch: Watch) -> None:
    async with copied(empty, tmp_path) as database, agency(database, fake, watch, seconds=1.0) as office:
        fake.trouble("createFeed", Trouble.SLOW, seconds=1.5)
        asked = await office.ask(office.order())
        await office.pass_time(hours=1)
        assert (await office.states(asked), len(fake.feeds.feeds)) == (["done"], 1)


@pytest.mark.parametrize("operation", ["createFeedDocument", "upload"])
@pytest.mark.parametrize("trouble", [Trouble.UNAVAILABLE, Trouble.CUT_BEFORE, Trouble.CUT_AFTER, Trouble.DENIED, Trouble.TRUNCATED])
async def test_trouble_before_the_feed_is_made_costs_time_only(lone: Agency, operation: str, trouble: Trouble) -> None:
    lone.fake.trouble(operation, trouble, 12)
    asked = await lone.ask(lone.order())
    await lone.pass_time(hours=2)
    assert (await lone.states(asked), len(lone.fake.feeds.feeds)) == (["done"], 1)


async def refuse(*_: object, **__: object) -> str:
    """Amazon, that does not like a call."""
    raise AmazonRefused("Amazon answered 400", status=400)


async def test_what_amazon_refuses_is_not_tried_again(lone: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lone.submit._amazon, "create", refuse)
    asked = await lone.ask(lone.order())
    await lone.pass_time(days=2)
    assert (await lone.get(asked)).state.value == "refused"
    assert "400" in (await lone.get(asked)).note
    assert not lone.diary.waiting
    monkeypatch.undo()
    later = await lone.ask(lone.order())
    await lone.pass_time(hours=1)
    assert await lone.states(later) == ["done"]


@pytest.mark.parametrize("call", ["create_document", "upload"])
async def test_only_the_feed_itself_can_be_refused(lone: Agency, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    monkeypatch.setattr(lone.submit._amazon, call, refuse)
    asked = await lone.ask(lone.order())
    await lone.pass_time(hours=2)
    assert ((await lone.get(asked)).state.value, (await lone.get(asked)).note) == ("ready", "Amazon answered 400")
    monkeypatch.undo()
    await lone.pass_time(hours=1)
    assert (await lone.states(asked), len(lone.fake.feeds.feeds)) == (["done"], 1)


@pytest.mark.parametrize("trouble", [Trouble.TRUNCATED, Trouble.DENIED])
async def test_what_could_not_be_handed_over_for_a_day_lapses_and_is_told(
    lone: Agency, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    lone.fake.trouble("createFeedDocument", trouble, 10_000)
    # Seldom, as all those tries take their time.
    lone.ledger.times = replace(lone.ledger.times, again=3_600.0)
    told: list[EventType] = []

    async def announce(_: object, __: object, ___: str, event: EventType, *rest: object) -> None:
        told.append(event)

    monkeypatch.setattr("msgbot.feed_ledger.announce", announce)
    asked = await lone.ask(lone.order())
    await lone.pass_time(days=2)
    found = await lone.get(asked)
    assert (found.state.value, found.note[:9], lone.fake.feeds.feeds) == ("lapsed", "given up:", {})
    assert not lone.diary.waiting
    assert told == [EventType.CANCELLATION_REFUSED]


async def test_a_feed_that_amazon_never_lists_is_left_to_a_person(lone: Agency) -> None:
    lone.fake.trouble("createFeed", Trouble.CUT_BEFORE, 3)
    asked = await lone.ask(lone.order())
    await lone.pass_time(hours=6)
    assert (await lone.states(asked), len(lone.fake.calls_of("createFeed"))) == (["unsure"], 3)


async def test_a_feed_that_amazon_drops_again_and_again_is_given_up(lone: Agency) -> None:
    lone.fake.trouble("createFeed", Trouble.CANCELLED, 3)
    asked = await lone.ask(lone.order())
    await lone.pass_time(hours=6)
    assert (await lone.states(asked), len(lone.fake.feeds.feeds)) == (["refused"], 3)


async def test_a_feed_that_failed_as_a_whole_is_left_to_a_person(lone: Agency) -> None:
    """Some of it may have been done (feeds model, `processingStatus`)."""
    lone.fake.trouble("createFeed", Trouble.FATAL, 2)
    cancelled, refund = await lone.ask(lone.order()), await refunded(lone)
    await lone.pass_time(hours=6)
    assert await lone.states(cancelled, refund) == ["unsure", "unsure"]
    # Nobody refunds it again before somebody has looked.
    adjustment = (await lone.get(refund)).proposal
    assert isinstance(adjustment, Adjustment)
    with pytest.raises(Conflict):
        await lone.propose(replace(adjustment, amounts=(Amount("Principal", Decimal("9.00"), "USD"),)))
    await lone.cancel.withdraw(MAIN, refund, Asking("test", "agent"))
    again = await lone.propose(adjustment)
    await lone.pass_time(hours=1)
    assert (await lone.states(again), len(lone.fake.refunds)) == (["done"], 1)


async def test_a_feed_that_takes_days_is_followed_to_its_end(lone: Agency) -> None:
    lone.fake.feeds.pace = Pace(seconds=3 * 86_400.0)
    asked = await lone.ask(lone.order())
    await lone.pass_time(days=2)
    assert await lone.states(asked) == ["submitted"]
    await lone.pass_time(days=2)
    assert await lone.states(asked) == ["done"]


@pytest.mark.parametrize(("meanwhile", "words"), [("ship", "already shipped"), ("cancel_by_buyer", "already cancelled")])
async def test_what_happens_to_an_order_while_amazon_works_is_told(lone: Agency, meanwhile: str, words: str) -> None:
    order, other = lone.order(), lone.order()
    asked = [await lone.ask(order), await lone.ask(other)]
    await lone.pass_time(seconds=2)
    getattr(lone.fake, meanwhile)(order.id)
    await lone.pass_time(hours=2)
    assert await lone.states(*asked) == ["refused", "done"]
    assert words in (await lone.get(asked[0])).note
    assert [feed.note for feed in await lone.feeds()] == ["2 processed, 1 successful, 1 with an error"]


@pytest.mark.parametrize("operation", ["getFeed", "getFeedDocument", "download"])
@pytest.mark.parametrize("trouble", [Trouble.UNAVAILABLE, Trouble.DENIED, Trouble.TRUNCATED, Trouble.HTML])
async def test_a_report_that_cannot_be_had_is_asked_for_again(lone: Agency, operation: str, trouble: Trouble) -> None:
    lone.fake.trouble(operation, trouble, 20)
    asked = await lone.ask(lone.order())
    await lone.pass_time(hours=12)
    assert await lone.states(asked) == ["done"]
    assert [feed.state for feed in await lone.feeds()] == [FeedState.DONE]


REPORT = (
    "<AmazonEnvelope><MessageType>ProcessingReport</MessageType><Message><MessageID>1</MessageID><ProcessingReport>"
    "<StatusCode>Complete</StatusCode><ProcessingSummary><MessagesProcessed>{}</MessagesProcessed><MessagesSuccessful>{}"
    "</MessagesSuccessful><MessagesWithError>{}</MessagesWithError><MessagesWithWarning>0</MessagesWithWarning>"
    "</ProcessingSummary></ProcessingReport></Message></AmazonEnvelope>"
)


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b"garbage",
        b"<html/>",
        REPORT.format(1, 0, 1).encode(),
        REPORT.format(0, 0, 0).encode(),
        REPORT.format(7, 7, 0).encode(),
    ],
    ids=["empty", "garbage", "web page", "an error without words", "nothing processed", "another count"],
)
async def test_a_report_that_tells_nothing_is_no_success(lone: Agency, monkeypatch: pytest.MonkeyPatch, report: bytes) -> None:
    async def result(*_: object, **__: object) -> bytes:
        return report

    monkeypatch.setattr(lone.follow._amazon, "result", result)
    monkeypatch.setattr("msgbot.fake_amazon.feed_calls.work", lambda *_: b"")
    asked, refund = await lone.ask(lone.order()), await refunded(lone)
    await lone.pass_time(days=2)
    assert await lone.states(asked, refund) == ["unsure", "unsure"]
    assert not lone.diary.waiting


async def test_a_done_feed_without_a_report_is_no_success(lone: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = await lone.ask(lone.order())
    await lone.pass_time(seconds=2)
    [feed] = lone.fake.feeds.feeds.values()
    feed.end("DONE", lone.watch.now)
    await lone.pass_time(days=2)
    assert await lone.states(asked) == ["unsure"]


async def test_what_amazon_took_and_nobody_sees_is_left_to_a_person(lone: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    done = REPORT.format(1, 1, 0).encode()
    monkeypatch.setattr("msgbot.fake_amazon.feed_calls.work", lambda *_: done)
    asked = await lone.ask(lone.order())
    await lone.pass_time(hours=20)
    await lone.make_round()
    assert await lone.states(asked) == ["accepted"]
    await lone.pass_time(hours=5)
    await lone.make_round()
    assert await lone.states(asked) == ["unsure"]
    await lone.check_trail()


def another_tool(office: Agency, feed_type: str = "POST_ORDER_ACKNOWLEDGEMENT_DATA", **later: float) -> str:
    """Another tool of the seller makes a feed, of an order of its own that it confirms wrongly; its id."""
    other = office.fake.add_order()
    office.fake.ship(other.id)
    data = acknowledgements(cancellation(other.id, other.items[0].id))
    at = office.watch.now + timedelta(**later)
    feed = FakeFeed(
        str(90_000_000 + len(office.fake.feeds.feeds)), feed_type, office.fake.seller.id, ("ATVPDKIKX0DER",), at, data=data
    )
    office.fake.feeds.feeds[feed.id] = feed
    return feed.id


async def test_a_feed_of_another_tool_is_not_taken_for_ours_for_long(lone: Agency) -> None:
    lone.fake.trouble("createFeed", Trouble.CUT_BEFORE)
    asked = await lone.ask(lone.order())
    await lone.pass_time(seconds=2)
    another_tool(lone)
    await lone.pass_time(hours=3)
    # It may be that Amazon has ours, too, and does not list it: nothing is done by itself.
    assert await lone.states(asked) == ["unsure"]
    assert "not about these orders" in (await lone.get(asked)).note
    assert [feed.state for feed in await lone.feeds()] == [FeedState.UNSURE]


async def test_of_two_feeds_nobody_can_tell_which_is_ours(lone: Agency) -> None:
    lone.fake.trouble("createFeed", Trouble.CUT_AFTER)
    first, lost = lone.order(), lone.order()
    asked = await lone.ask(first)
    await lone.pass_time(seconds=2)
    foreign = another_tool(lone)
    waiting = await lone.ask(lost)
    await lone.pass_time(minutes=3)
    # What waits goes on its way; nothing hangs on what became of the other.
    assert await lone.states(asked, waiting) == ["unsure", "submitted"]
    assert foreign in (await lone.get(asked)).note
    # The order is read again.
    lone.fake.feeds.finish()
    await lone.pass_time(hours=1)
    assert await lone.states(asked, waiting) == ["done", "done"]
    assert lone.fake.cancellations[first.id] == lone.fake.cancellations[lost.id] == 1


@pytest.mark.parametrize(
    ("feed_type", "later"),
    [
        ("POST_ORDER_ACKNOWLEDGEMENT_DATA", timedelta(minutes=-5)),
        ("POST_ORDER_ACKNOWLEDGEMENT_DATA", timedelta(minutes=6)),
        ("POST_PAYMENT_ADJUSTMENT_DATA", timedelta()),
    ],
    ids=["before", "after", "of another type"],
)
async def test_a_feed_that_cannot_be_ours_confuses_nobody(lone: Agency, feed_type: str, later: timedelta) -> None:
    lone.fake.trouble("createFeed", Trouble.CUT_AFTER)
    order = lone.order()
    asked = await lone.ask(order)
    await lone.pass_time(seconds=2)
    another_tool(lone, feed_type, seconds=later.total_seconds())
    await lone.pass_time(hours=1)
    assert (await lone.states(asked), lone.fake.cancellations[order.id]) == (["done"], 1)


@pytest.mark.parametrize("ahead", [timedelta(hours=-5), timedelta(hours=5)])
async def test_a_wrong_clock_does_not_hide_a_feed(empty: Path, tmp_path: Path, ahead: timedelta) -> None:
    ours = Watch()
    async with (
        judged(FakeAmazon(lambda: ours.now + ahead)) as fake,
        copied(empty, tmp_path) as database,
        agency(database, fake, ours) as office,
    ):
        fake.trouble("createFeed", Trouble.CUT_AFTER)
        asked = await office.ask(office.order())
        await office.pass_time(hours=2)
        assert (await office.states(asked), len(fake.feeds.feeds)) == (["done"], 1)


async def test_a_feed_too_old_to_be_listed_is_left_to_a_person(lone: Agency) -> None:
    lone.fake.trouble("createFeed", Trouble.CUT_AFTER)
    order = lone.order()
    asked = await lone.ask(order)
    await lone.pass_time(seconds=2)
    lone.watch.now += timedelta(days=91)
    await lone.pass_time(seconds=1)
    assert (await lone.states(asked), lone.fake.cancellations[order.id]) == (["unsure"], 1)


async def test_a_feed_that_amazon_knows_no_more_is_left_to_a_person(lone: Agency) -> None:
    asked = await lone.ask(lone.order())
    await lone.pass_time(seconds=2)
    lone.fake.feeds.feeds.clear()
    await lone.pass_time(days=2)
    assert await lone.states(asked) == ["unsure"]


async def test_several_share_a_feed_and_none_suffers_for_another(lone: Agency) -> None:
    poisoned = lone.order_of(FakeItem("NO-NUMBER"))
    parted = lone.order_of(FakeItem("31"), FakeItem("32"))
    orders = [lone.order() for _ in range(3)]
    bad, part = await lone.ask(poisoned), await lone.ask(parted, "31")
    asked = [await lone.ask(order) for order in orders]
    await lone.pass_time(hours=2)
    assert await lone.states(bad, part, *asked) == ["refused", "by_hand", "done", "done", "done"]
    assert lone.fake.cancellations == {order.id: 1 for order in orders}
    assert len(lone.fake.feeds.feeds) == 1


async def test_a_part_of_an_order_is_done_by_hand_or_taken_back(lone: Agency) -> None:
    parted = lone.order_of(FakeItem("31"), FakeItem("32"))
    part, other = await lone.ask(parted, "31"), await lone.ask(parted, "32")
    with pytest.raises(Conflict, match="itself"):
        await lone.cancel.hand_over(MAIN, part, Asking("test", "agent"))
    await lone.pass_time(minutes=5)
    assert (await lone.cancel.hand_over(MAIN, part, Asking("test", "agent"))).item_ids == ("31",)
    await lone.cancel.withdraw(MAIN, other, Asking("test", "agent"))
    await lone.make_round()
    await lone.pass_time(days=1)
    assert (await lone.states(part, other), lone.fake.feeds.feeds) == (["by_hand", "lapsed"], {})


async def test_all_items_by_name_are_the_whole_order(lone: Agency) -> None:
    whole = lone.order_of(FakeItem("31"), FakeItem("32"))
    asked = await lone.ask(whole, "32", "31")
    await lone.pass_time(minutes=10)
    assert await lone.states(asked) == ["done"]


async def test_a_feed_holds_a_thousand_at_most(lone: Agency) -> None:
    orders = [lone.order() for _ in range(1_005)]
    await on_file(lone)
    async with lone.database.transaction() as connection:
        await amazon_sync.lock(connection, MAIN, lone.watch.now)
        for order in orders:
            proposal = Proposal(order.id, CancelReason.BUYER_CANCELED)
            await cancellations.add(connection, MAIN, proposal, "no ruling", "agent", False, lone.watch.now)
    await lone.make_round()
    prepared = await lone.submit.gather(MAIN)
    assert len(await lone.ready()) == 5
    await lone.submit.hand_over(MAIN, prepared)
    assert len(lone.fake.cancellations) == 1_000
    await lone.pass_time(seconds=1)
    assert len(lone.fake.cancellations) == 1_005
    assert set(lone.fake.cancellations.values()) == {1}


async def on_file(office: Agency) -> None:
    """Reads all orders as the poll does."""
    reader = Orders(office.submit._amazon._client)
    token = ""
    office.watch.now += timedelta(minutes=3)
    while True:
        changed = await reader.changed(MAIN, office.watch.now - timedelta(hours=1), token, patience=1_000.0)
        async with office.database.transaction() as connection:
            await office.refresh._take_orders.page(connection, MAIN, changed.page.orders, changed.raw, "orders")
        if not (token := changed.page.next_token):
            return


async def test_what_is_handed_over_was_read_a_short_while_ago(lone: Agency) -> None:
    asked = [await lone.ask(lone.order()) for _ in range(200)]
    await lone.pass_time(hours=3)
    assert set(await lone.states(*asked)) == {"done"}
    read = {call.path.rpartition("/")[2]: call.at for call in lone.fake.calls_of("getOrder")}
    last: dict[str, Any] = {}
    for call in lone.fake.calls:
        if call.operation == "getOrder":
            last[call.path.rpartition("/")[2]] = call.at
        if call.operation == "upload":
            text = call.body.decode()
            for order_id in read:
                assert order_id not in text or call.at - last[order_id] < timedelta(minutes=11)
    assert set(lone.fake.cancellations.values()) == {1}


async def test_two_of_the_same_order_never_share_a_feed(lone: Agency) -> None:
    """As when the order has grown since: Amazon would refuse the whole feed."""
    order = lone.order()
    asked = await lone.ask(order)
    async with lone.database.transaction() as connection:
        proposal = Proposal(order.id, CancelReason.BUYER_CANCELED, (order.items[0].id,))
        twin = (await cancellations.add(connection, MAIN, proposal, "no ruling", "agent", False, lone.watch.now)).id
    await lone.pass_time(hours=1)
    assert await lone.states(asked, twin) == ["done", "done"]
    assert lone.fake.cancellations == {order.id: 1}


async def test_a_request_that_is_gone_meanwhile_stops_the_cancellation(lone: Agency) -> None:
    order = lone.order()
    asked = await lone.ask(order)
    lone.fake.withdraw_request(order.id)
    lone.watch.now += timedelta(minutes=6)
    await lone.pass_time(hours=1)
    found = await lone.get(asked)
    assert (found.state.value, lone.fake.cancellations) == ("lapsed", {})
    assert "no longer allowed" in found.note


async def test_an_order_that_is_shipped_meanwhile_is_not_cancelled(lone: Agency) -> None:
    order = lone.order()
    asked = await lone.ask(order)
    lone.fake.ship(order.id)
    lone.watch.now += timedelta(minutes=6)
    await lone.pass_time(hours=1)
    assert (await lone.states(asked), lone.fake.cancellations) == (["lapsed"], {})


async def test_while_amazon_cannot_be_asked_it_waits(lone: Agency) -> None:
    order = lone.order()
    asked = await lone.ask(order)
    lone.fake.go_down()
    lone.watch.now += timedelta(minutes=6)
    await lone.pass_time(hours=3)
    waiting = await lone.get(asked)
    assert (waiting.state.value, waiting.note[:6]) == ("ready", "waits:")
    lone.fake.come_back()
    await lone.pass_time(hours=1)
    assert (await lone.states(asked), lone.fake.cancellations) == (["done"], {order.id: 1})


async def test_after_a_day_without_amazon_it_is_given_up(lone: Agency) -> None:
    asked = await lone.ask(lone.order())
    lone.fake.go_down()
    lone.watch.now += timedelta(minutes=6)
    await lone.pass_time(days=2)
    assert (await lone.get(asked)).state.value == "lapsed"
    assert "cannot verify" in (await lone.get(asked)).note
    assert not lone.diary.waiting


async def test_a_feed_that_lay_too_long_is_put_together_anew(lone: Agency) -> None:
    order = lone.order()
    asked = await lone.ask(order)
    prepared = await lone.submit.gather(MAIN)
    lone.fake.ship(order.id)
    lone.watch.now += timedelta(hours=2)
    assert await lone.submit.hand_over(MAIN, prepared) == ""
    await lone.pass_time(hours=1)
    assert (await lone.states(asked), lone.fake.feeds.feeds) == (["lapsed"], {})


async def test_a_process_that_stood_still_hands_nothing_over(lone: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    order = lone.order()
    asked = await lone.ask(order)
    prepared = await lone.submit.gather(MAIN)
    claim = lone.submit._claim

    async def slowly(feed: Any) -> Any:
        claimed = await claim(feed)
        lone.watch.now += timedelta(minutes=20)
        return claimed

    monkeypatch.setattr(lone.submit, "_claim", slowly)
    assert await lone.submit.hand_over(MAIN, prepared) == ""
    assert lone.fake.feeds.feeds == {}
    monkeypatch.undo()
    await lone.pass_time(hours=1)
    assert (await lone.states(asked), lone.fake.cancellations) == (["done"], {order.id: 1})


async def test_the_answer_counts_though_somebody_has_looked_meanwhile(lone: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = await lone.ask(lone.order())
    prepared = await lone.submit.gather(MAIN)
    create = lone.submit._amazon.create

    async def slowly(*given: Any, **more: Any) -> str:
        await lone.follow.look(MAIN, prepared)
        return await create(*given, **more)

    monkeypatch.setattr(lone.submit._amazon, "create", slowly)
    number = await lone.submit.hand_over(MAIN, prepared)
    [feed] = await lone.feeds()
    assert (feed.state, feed.amazon_id) == (FeedState.SUBMITTED, number)
    await lone.pass_time(hours=1)
    assert (await lone.states(asked), len(lone.fake.feeds.feeds)) == (["done"], 1)


@pytest.mark.parametrize("lost", ["submit", "follow"])
@pytest.mark.parametrize("after", [0.5, 3.0, 200.0])
async def test_what_is_forgotten_is_picked_up_by_the_rounds(lone: Agency, lost: str, after: float) -> None:
    """As after a workflow that failed for good, or was lost with its database."""
    lone.fake.trouble("createFeed", Trouble.CUT_AFTER)
    order = lone.order()
    asked = await lone.ask(order)
    if lost == "submit":
        assert lone.diary.lose("submit") == 1
    await lone.pass_time(seconds=after)
    lone.diary.lose(lost)
    await lone.make_round()
    await lone.pass_time(hours=2)
    assert (await lone.states(asked), lone.fake.cancellations) == (["done"], {order.id: 1})


async def test_a_prepared_feed_whose_process_died_is_handed_over(lone: Agency) -> None:
    asked = await lone.ask(lone.order())
    prepared = await lone.submit.gather(MAIN)
    lone.diary.lose("submit")
    assert await lone.submit.gather(MAIN) == prepared
    await lone.make_round()
    await lone.pass_time(hours=1)
    assert (await lone.states(asked), len(lone.fake.feeds.feeds)) == (["done"], 1)


async def test_rounds_leave_alone_what_is_under_way(lone: Agency) -> None:
    await lone.ask(lone.order())
    for _ in range(20):
        before = set(lone.diary.known)
        await lone.make_round()
        assert lone.diary.known == before
        await lone.pass_time(seconds=5)


async def test_a_burst_makes_one_feed(lone: Agency) -> None:
    asked = [await lone.ask(lone.order()) for _ in range(10)]
    await lone.pass_time(hours=1)
    assert (set(await lone.states(*asked)), len(lone.fake.feeds.feeds)) == ({"done"}, 1)


async def test_cancellations_and_refunds_go_into_feeds_of_their_own(both: Agency) -> None:
    cancelled, refund = await both.ask(both.order()), await refunded(both)
    await both.pass_time(hours=1)
    assert await both.states(cancelled, refund) == ["done", "done"]
    types = sorted(feed.type for feed in await both.feeds())
    assert types == ["POST_ORDER_ACKNOWLEDGEMENT_DATA", "POST_PAYMENT_ADJUSTMENT_DATA"]
    assert len(both.fake.refunds) == 1


async def test_a_shipped_order_that_changes_keeps_its_refund(lone: Agency) -> None:
    refund = await refunded(lone)
    [order] = lone.fake.orders.values()
    lone.fake.touch(order.id)
    lone.fake.ship(order.id, quantity=0)
    order.items[0].title = "Another title"
    await lone.refresh.read(MAIN, order.id, 60.0, at_most=timedelta())
    assert await lone.states(refund) == ["ready"]


async def test_the_same_refund_is_not_made_twice(lone: Agency) -> None:
    refund = await refunded(lone)
    adjustment = (await lone.get(refund)).proposal
    assert await lone.propose(adjustment) == refund
    await lone.pass_time(hours=1)
    ruled = await lone.cancel.request(MAIN, adjustment, Asking("test", "agent"))
    assert (ruled.cancellation, ruled.ruling.code.value) == (None, "wrong_quantity")
    assert len(lone.fake.refunds) == 1


async def test_accounts_do_not_stand_in_each_others_way(empty: Path, tmp_path: Path, fake: FakeAmazon, watch: Watch) -> None:
    other = fake.add_seller("A2EXAMPLEOTHER")
    async with copied(empty, tmp_path) as database, agency(database, fake, watch, more=[seller_of(fake, "uk", other.id)]) as office:
        fake.trouble("createFeed", Trouble.CUT_BEFORE)
        lost = await office.ask(office.order())
        await office.pass_time(seconds=1)
        order = office.order(seller=other)
        asked = await office.propose(Proposal(order.id, CancelReason.BUYER_CANCELED), "uk")
        await office.pass_time(minutes=5)
        assert await office.states(asked, account="uk") == ["done"]
        assert await office.states(lost) == ["submitted"]
        await office.pass_time(hours=1)
        assert await office.states(lost) == ["done"]
        assert set(fake.cancellations.values()) == {1}


async def test_two_processes_that_gather_and_hand_over_at_once_make_one_feed(both: Agency) -> None:
    orders = [both.order() for _ in range(5)]
    for order in orders:
        await both.ask(order)
    prepared = {each for each in await asyncio.gather(*(both.submit.gather(MAIN) for _ in range(4))) if each}
    assert len(prepared) == 1
    [feed] = prepared
    handed = await asyncio.gather(*(both.submit.hand_over(MAIN, feed) for _ in range(4)))
    assert len([each for each in handed if each]) == 1
    assert len(both.fake.feeds.feeds) == 1


async def test_two_processes_that_follow_at_once_record_it_once(both: Agency) -> None:
    asked = [await both.ask(both.order()) for _ in range(3)]
    feed = await both.submit.gather(MAIN)
    await both.submit.hand_over(MAIN, feed)
    both.fake.feeds.finish()
    await asyncio.gather(*(both.follow.look(MAIN, feed) for _ in range(4)))
    assert (await kinds(both)).count("feed_ended") == 1
    assert set(await both.states(*asked)) == {"accepted"}
    await both.check_trail()


async def test_nobody_waits_in_a_ring(both: Agency) -> None:
    """Orders are read and taken back while their feed is put together, handed over and ended."""
    for _ in range(3):
        orders = [both.order() for _ in range(6)]
        asked = [await both.ask(order) for order in orders]
        readings = [both.refresh.read(MAIN, order.id, 60.0, at_most=timedelta()) for order in reversed(orders)]
        prepared, *_rest = await asyncio.gather(both.submit.gather(MAIN), *readings)
        await both.submit.hand_over(MAIN, prepared)
        both.fake.feeds.finish()
        readings = [both.refresh.read(MAIN, order.id, 60.0, at_most=timedelta()) for order in reversed(orders)]
        taken_back = [both.cancel.withdraw(MAIN, identity, Asking("test", "agent")) for identity in reversed(asked)]
        _, *others = await asyncio.gather(both.follow.look(MAIN, prepared), *readings, *taken_back, return_exceptions=True)
        assert all(isinstance(each, str | Conflict) for each in others), others
        # Who read the order early did not see it cancelled; it is read again later.
        await both.pass_time(hours=1)
        assert set(await both.states(*asked)) == {"done"}
    await both.check_trail()


PLACES = ["createFeedDocument", "upload", "createFeed", "getFeed", "getFeeds", "getFeedDocument", "download", "getOrder", "token"]
TROUBLES = [kind for kind in Trouble if kind is not Trouble.SLOW]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    troubles=st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(TROUBLES), st.integers(1, 8)), max_size=8),
    gaps=st.lists(st.sampled_from([1.0, 20.0, 200.0, 2_000.0, 40_000.0]), min_size=1, max_size=4),
    lost=st.sampled_from(["", "submit", "follow"]),
)
def test_whatever_goes_wrong_nothing_is_done_twice_or_forgotten(
    empty: Path,
    tmp_path_factory: pytest.TempPathFactory,
    troubles: list[tuple[str, Trouble, int]],
    gaps: list[float],
    lost: str,
) -> None:
    asyncio.run(live_through(empty, tmp_path_factory.mktemp("life"), troubles, gaps, lost))


async def live_through(empty: Path, folder: Path, troubles: list[tuple[str, Trouble, int]], gaps: list[float], lost: str) -> None:
    """A cancellation and a refund before each of the gaps, in all this trouble."""
    watch = Watch()
    async with judged(FakeAmazon(watch)) as fake, copied(empty, folder) as database, agency(database, fake, watch) as office:
        asked = []
        for number, gap in enumerate(gaps):
            for order in (office.order(), office.order()):
                ruled = await office.cancel.request(MAIN, Proposal(order.id, CancelReason.BUYER_CANCELED), Asking("test", "agent"))
                asked += [ruled.cancellation.id] if ruled.cancellation is not None else []
            for place, kind, times in troubles[number :: len(gaps)]:
                fake.trouble(place, kind, times)
            await office.pass_time(seconds=gap)
            if lost:
                office.diary.lose(lost)
            await office.make_round()
        for _ in range(60):
            await office.pass_time(hours=1)
            await office.make_round()
        dropped = [feed for feed in fake.feeds.feeds.values() if feed.status == "CANCELLED"]
        for order_id, times in fake.cancellations.items():
            assert times - sum(order_id in (feed.data or b"").decode() for feed in dropped) <= 1
        found = [await office.get(identity) for identity in asked]
        assert all(each.state in ENDED for each in found), found
        for each in found:
            assert (each.state.value == "done") <= (fake.orders[each.order_id].status.value == "CANCELLED")
        await office.check_trail()
