"""Orders that changed come in by themselves, page by page: nothing is skipped, whatever happens in between."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgbot.domain.order import Fulfilment, OrderStatus, RequestKnowledge
from msgbot.domain.trail import EntryKind
from msgbot.engine import Engine
from msgbot.fake_amazon import FakeAmazon, FakeItem, Trouble
from msgbot.fake_amazon.orders import FakeOrder
from msgbot.poll import POLL, POLL_V0
from msgbot.refresh import REFRESH
from msgbot.spapi import operations
from msgbot.spapi.orders import SOURCE_V0
from msgbot.store import orders
from msgbot.store.database import Database
from tests.amazon_models import judged
from tests.link import Link, Watch, linked
from tests.mails import unshipped_report

LAG = timedelta(minutes=2)
APIS = ("2026-01-01", "v0")
STATUS = {
    "PENDING": OrderStatus.PENDING,
    "UNSHIPPED": OrderStatus.UNSHIPPED,
    "PARTIALLY_SHIPPED": OrderStatus.PARTLY_SHIPPED,
    "SHIPPED": OrderStatus.SHIPPED,
    "CANCELLED": OrderStatus.CANCELLED,
}


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def fake(watch: Watch) -> AsyncIterator[FakeAmazon]:
    async with judged(FakeAmazon(watch)) as running:
        yield running


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[Engine]:
    made = Engine(database)
    yield made
    await made.close()


@pytest.fixture(params=APIS)
async def link(
    request: pytest.FixtureRequest, database: Database, engine: Engine, fake: FakeAmazon, watch: Watch
) -> AsyncIterator[Link]:
    async with linked(database, engine, fake, watch, orders_api=request.param) as made:
        yield made


@pytest.fixture
async def modern(database: Database, engine: Engine, fake: FakeAmazon, watch: Watch) -> AsyncIterator[Link]:
    async with linked(database, engine, fake, watch) as made:
        yield made


def search(link: Link) -> str:
    """The operation that lists changed orders, as the fake calls it."""
    return "getOrders" if link.poll._sellers[link.account].orders_api == "v0" else "searchOrders"


def many(fake: FakeAmazon, number: int) -> list[FakeOrder]:
    """Orders that changed one after the other, an hour ago and later."""
    start = fake.clock() - timedelta(hours=1)
    return [fake.add_order(created_at=start + timedelta(seconds=each)) for each in range(number)]


async def test_what_changed_is_on_file_as_it_is_at_amazon(link: Link, fake: FakeAmazon, watch: Watch) -> None:
    unshipped, shipped, by_amazon = fake.add_order(), fake.add_order(), fake.add_order(fulfilled_by="AMAZON")
    fake.ship(shipped.id)
    watch.wait(minutes=3)
    assert await link.read_pages() == 1
    found = [await link.order(each.id) for each in (unshipped, shipped, by_amazon)]
    assert [each and (each.status, each.fulfilment) for each in found] == [
        (OrderStatus.UNSHIPPED, Fulfilment.SELLER),
        (OrderStatus.SHIPPED, Fulfilment.SELLER),
        (OrderStatus.UNSHIPPED, Fulfilment.AMAZON),
    ]
    sync = await link.sync()
    assert (sync.page_token, sync.read_until, sync.poll_at) == ("", None, watch.now + timedelta(seconds=240))
    assert sync.since == watch.now - LAG
    assert await link.errors() == {}


async def test_a_formal_request_is_on_file_with_the_buyers_reason_and_what_it_was_read_from(
    modern: Link, fake: FakeAmazon, watch: Watch
) -> None:
    order = fake.add_order("", FakeItem("1"), FakeItem("2"))
    fake.file_request(order.id, "2", "Found it cheaper")
    watch.wait(minutes=3)
    await modern.read_pages()
    [request] = await modern.formal(order.id)
    assert (request.item_id, request.reason, request.seen_at) == ("2", "Found it cheaper", watch.now)
    assert len(request.evidence) == 64


async def test_after_a_stop_between_pages_the_next_page_is_read_and_none_again(link: Link, fake: FakeAmazon, watch: Watch) -> None:
    made = many(fake, 250)
    for number in range(3):
        watch.wait(minutes=1)
        # Whatever reads the next page knows nothing but what is on file.
        more = await link.poll.read_page(link.account)
        sync = await link.sync()
        assert bool(more) == bool(sync.page_token) == (number < 2)
    assert len(fake.calls_of(search(link))) == 3
    assert None not in [await link.order(each.id) for each in made]


async def test_a_page_that_was_read_and_could_not_be_put_on_file_is_read_again(
    link: Link, fake: FakeAmazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = many(fake, 150)
    await link.poll.read_page(link.account)
    before = await link.sync()

    async def stop(*_: Any, **__: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        # The last thing before the commit: all of the page, and the place behind it, are undone together.
        patched.setattr("msgbot.store.amazon_sync.move", stop)
        with pytest.raises(asyncio.CancelledError):
            await link.poll.read_page(link.account)
    assert await link.sync() == before
    assert await link.order(made[-1].id) is None
    await link.read_pages()
    assert None not in [await link.order(each.id) for each in made]


async def test_a_page_token_that_is_no_longer_taken_begins_the_reading_anew_where_the_last_one_ended(
    link: Link, fake: FakeAmazon, watch: Watch
) -> None:
    made = many(fake, 150)
    begun = (await link.sync()).since
    await link.poll.read_page(link.account)
    fake._orders._tokens.clear()
    await link.poll.read_page(link.account)
    sync = await link.sync()
    assert (sync.since, sync.page_token, sync.read_until) == (begun, "", None)
    assert "token" in (await link.errors())["orders"]
    assert sync.poll_at <= watch.now + timedelta(minutes=4)
    assert await link.read_pages() == 2
    assert None not in [await link.order(each.id) for each in made]
    assert await link.errors() == {}


async def test_what_is_read_twice_leaves_no_second_entry_in_the_trail(link: Link, fake: FakeAmazon, watch: Watch) -> None:
    order = fake.add_order(created_at=watch.now - timedelta(minutes=3))
    fake.file_request(order.id)
    watch.wait(minutes=3)
    await link.read_pages()
    before = await link.entries()
    assert EntryKind.ORDERS_IMPORTED in {each.kind for each in before}
    for _ in range(2):
        watch.wait(minutes=1)
        await link.read_pages()
    assert len(await link.entries()) == len(before)
    assert len(fake.calls_of(search(link))) == 3


async def test_each_reading_begins_a_little_before_the_end_of_the_last(link: Link, fake: FakeAmazon, watch: Watch) -> None:
    await link.read_pages()
    end = (await link.sync()).since
    watch.wait(minutes=4)
    await link.read_pages()
    query = fake.calls_of(search(link))[-1].query
    [after] = query.get("lastUpdatedAfter") or query["LastUpdatedAfter"]
    assert after.startswith(f"{end - timedelta(minutes=5):%Y-%m-%dT%H:%M}")


@pytest.mark.parametrize("orders_api", APIS)
@pytest.mark.parametrize("ahead", [timedelta(hours=-1), timedelta(minutes=10), timedelta(hours=1)])
async def test_a_wrong_clock_hides_no_change_where_amazon_does_not_say_how_far_it_has_looked(
    database: Database, engine: Engine, orders_api: Literal["2026-01-01", "v0"], ahead: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch()
    async with judged(FakeAmazon(lambda: watch.now - ahead)) as fake:
        fake._exchanges.clear()
        for name in ("searchOrders", "getOrders"):
            page = fake._handlers[name]

            def silent(call: Any, page: Any = page) -> Any:
                reply = page(call)
                told = cast("Any", reply.value)
                told.pop("lastUpdatedBefore", None)
                told.get("payload", {}).pop("LastUpdatedBefore", None)
                return reply

            monkeypatch.setitem(fake._handlers, name, silent)
        async with linked(database, engine, fake, watch, orders_api=orders_api) as link:
            made = []
            for _ in range(3):
                await link.read_pages()
                assert (await link.sync()).since == fake.clock() - LAG
                watch.wait(minutes=1)
                made.append(fake.add_order(created_at=fake.clock()))
                watch.wait(minutes=3)
            await link.read_pages()
            assert None not in [await link.order(each.id) for each in made]
            assert await link.errors() == {}


async def test_an_order_that_cannot_be_read_stops_no_other_and_is_shown_for_a_day(
    modern: Link, fake: FakeAmazon, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = fake.add_order(), fake.add_order()
    watch.wait(minutes=3)
    page = fake._handlers["searchOrders"]

    def spoilt(call: Any) -> Any:
        reply = page(call)
        for each in cast("Any", reply.value)["orders"]:
            if each["orderId"] == bad.id:
                each["orderItems"][0].pop("orderItemId")
        return reply

    fake._exchanges.clear()
    monkeypatch.setitem(fake._handlers, "searchOrders", spoilt)
    await modern.read_pages()
    assert await modern.order(good.id) is not None
    assert await modern.order(bad.id) is None
    assert "orderItems[0].orderItemId is missing" in (await modern.errors())["order contents"]
    watch.wait(hours=2)
    await modern.read_pages()
    assert list(await modern.errors()) == ["order contents"]
    watch.wait(hours=23)
    await modern.read_pages()
    assert await modern.errors() == {}


async def test_v0_asks_for_the_items_of_those_orders_only_that_can_still_be_cancelled(
    database: Database, engine: Engine, fake: FakeAmazon, watch: Watch
) -> None:
    unshipped, shipped, cancelled = (fake.add_order() for _ in range(3))
    part, pending = fake.add_order("", FakeItem("91", quantity=2)), fake.add_order(pending=True)
    fake.add_order(fulfilled_by="AMAZON")
    fake.ship(shipped.id)
    fake.ship(part.id, quantity=1)
    fake.cancel_by_buyer(cancelled.id)
    fake.file_request(unshipped.id, reason="Changed my mind")
    watch.wait(minutes=3)
    async with linked(database, engine, fake, watch, orders_api="v0") as link:
        await link.read_pages()
        wanted = await engine.under_way(REFRESH, "main")
        assert wanted == {unshipped.id, part.id, pending.id}
        for each in sorted(wanted):
            assert await link.refresh.read("main", each, 30) == ""
        assert [each.reason for each in await link.formal(unshipped.id)] == ["Changed my mind"]
        calls = len(fake.calls)
        # Listed again in the overlap, and nothing is asked a second time.
        watch.wait(minutes=4)
        await link.read_pages()
        assert len(fake.calls) == calls + 1
        assert await engine.under_way(REFRESH, "main") == wanted


async def test_v0_asks_for_the_items_again_whatever_a_file_or_a_wrong_clock_says(
    database: Database, engine: Engine, fake: FakeAmazon, watch: Watch
) -> None:
    """Only Amazon's own time of the last change tells whether an order has changed."""
    order = fake.add_order("", FakeItem("11"))
    watch.wait(minutes=3)
    async with linked(database, engine, fake, watch, orders_api="v0") as link:
        async with engine.running({REFRESH: link.refresh.run}):
            await link.read_pages()
            await link.done(REFRESH)
            reads = len(fake.calls_of("getOrderItems"))
            # Listed again in the overlap, with nothing new.
            watch.wait(minutes=4)
            await link.read_pages()
            await link.done(REFRESH)
            assert len(fake.calls_of("getOrderItems")) == reads == 1
            fake.file_request(order.id)
            watch.wait(minutes=3)
            # A file of yesterday that was brought in just now, and our own clock far ahead.
            await link.take_orders.report("main", unshipped_report((order.id, "11", "FALSE")), "report.txt")
            ahead = await link.order(order.id)
            assert ahead is not None
            async with database.transaction() as connection:
                later = replace(ahead, as_of=watch.now + timedelta(minutes=1), request_as_of=watch.now + timedelta(minutes=1))
                await orders.put(connection, "main", [replace(later, source=SOURCE_V0)])
            await link.read_pages()
            watch.wait(minutes=2)
            await link.done(REFRESH)
        assert len(fake.calls_of("getOrderItems")) == reads + 1
        assert len(await link.formal(order.id)) == 1


async def test_two_processes_that_poll_at_once_take_each_page_in_once(link: Link, fake: FakeAmazon) -> None:
    made = many(fake, 150)
    for _ in range(2):
        await asyncio.gather(link.poll.read_page(link.account), link.poll.read_page(link.account))
    assert None not in [await link.order(each.id) for each in made]
    taken = await link.entries(EntryKind.ORDERS_IMPORTED)
    assert sum(int(str(each.facts["new"])) for each in taken) == 150
    assert [each.facts["new"] for each in taken] == [100, 50]
    assert (await link.sync()).page_token == ""


async def test_what_is_due_is_begun_once_however_many_processes_look(link: Link, engine: Engine, watch: Watch) -> None:
    watch.wait(seconds=1)
    begun = await asyncio.gather(*(link.poll.begin_due() for _ in range(4)))
    assert sum(begun) == 1
    workflow = POLL_V0 if search(link) == "getOrders" else POLL
    assert len(await engine.under_way(workflow, "main")) == 1
    assert await link.poll.begin_due() == 0


async def test_while_amazon_is_away_reading_goes_on_being_tried_and_afterwards_everything_comes_in(
    link: Link, fake: FakeAmazon, watch: Watch
) -> None:
    await link.read_pages()
    begun = watch.now
    fake.go_down()
    order = fake.add_order(created_at=watch.now)
    fake.file_request(order.id)
    for _ in range(15):
        watch.now = (await link.sync()).poll_at
        await link.poll.read_page(link.account)
        assert (await link.sync()).poll_at > watch.now
    assert watch.now - begun > timedelta(hours=1)
    [state] = [each for each in (await link.status.of("main")).aspects if each.aspect.value == "orders"]
    assert state.failing_since is not None
    assert state.failing_since - begun < timedelta(minutes=6)
    assert "503" in state.error
    fake.come_back()
    watch.now = (await link.sync()).poll_at
    await link.read_pages()
    if search(link) == "getOrders":
        assert await link.refresh.read("main", order.id, 30) == ""
    assert len(await link.formal(order.id)) == 1
    assert await link.errors() == {}


async def test_a_seller_who_is_denied_is_shown_and_tried_again(link: Link, fake: FakeAmazon, watch: Watch) -> None:
    # Another token is tried, and not taken either.
    fake.trouble(search(link), Trouble.DENIED, times=2)
    await link.read_pages()
    assert "role" in (await link.errors())["orders"]
    watch.now = (await link.sync()).poll_at
    await link.read_pages()
    assert await link.errors() == {}


async def test_a_marketplace_of_another_region_is_shown(database: Database, engine: Engine, fake: FakeAmazon, watch: Watch) -> None:
    async with linked(database, engine, fake, watch, marketplaces=("A1PA6795UKMFR9",)) as link:
        await link.read_pages()
        assert "A1PA6795UKMFR9" in (await link.errors())["orders"]


async def test_polling_stays_within_the_rate_that_amazon_allows(modern: Link, fake: FakeAmazon, watch: Watch) -> None:
    """Ten hours at the usual pace; the fake refuses what is too much, as Amazon does."""
    fake.throttled = True
    begun = watch.now
    while watch.now - begun < timedelta(hours=10):
        await modern.read_pages()
        watch.now = (await modern.sync()).poll_at
    assert await modern.errors() == {}
    assert 10 * 3600 / 240 <= len(fake.calls_of("searchOrders")) <= 10 * 3600 * 0.0056


EXAMPLES = itertools.count(1)
"""Each example has an account of its own."""
EVENTS = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from(["request", "ship", "cancel", "pay", "new", "withdraw"]), st.integers(0, 200)),
    min_size=1,
    max_size=8,
)


def happen(fake: FakeAmazon, mine: list[FakeOrder], which: int, what: str, add: Any) -> None:
    """Something happens to one of the orders."""
    order = mine[which % len(mine)]
    match what:
        case "request" if order.status == "UNSHIPPED":
            fake.file_request(order.id)
        case "withdraw" if order.status == "UNSHIPPED":
            fake.withdraw_request(order.id)
        case "ship" if order.status == "UNSHIPPED":
            fake.ship(order.id)
        case "cancel" if order.status in {"UNSHIPPED", "PENDING"}:
            fake.cancel_by_buyer(order.id)
        case "pay" if order.status == "PENDING":
            fake.pay(order.id)
        case "new":
            mine.append(add())
        case _:
            fake.touch(order.id)


@pytest.mark.parametrize("orders_api", APIS)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(polls=st.lists(EVENTS, min_size=1, max_size=4), stops=st.sets(st.integers(0, 12)), between=EVENTS)
async def test_nothing_that_changed_longer_ago_than_the_lag_is_skipped(
    database: Database,
    engine: Engine,
    orders_api: Literal["2026-01-01", "v0"],
    polls: list[list[tuple[int, str, int]]],
    stops: set[int],
    between: list[tuple[int, str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Orders change between polls, between pages and while nobody looks; pages are lost on the way."""
    watch = Watch()
    number = next(EXAMPLES)
    monkeypatch.setattr("msgbot.spapi.orders.PAGE", 3)
    for name in ("SEARCH_ORDERS", "V0_GET_ORDERS"):
        # So many pages in so short a time are more than Amazon would allow.
        monkeypatch.setattr(f"msgbot.spapi.orders.{name}", replace(getattr(operations, name), burst=1_000))
    async with judged(FakeAmazon(watch)) as fake:
        serial = iter(range(10_000))

        def add() -> FakeOrder:
            return fake.add_order(f"114-{number:07d}-{next(serial):07d}", created_at=watch.now)

        mine = [add() for _ in range(8)]
        async with linked(database, engine, fake, watch, account=f"a{number}", orders_api=orders_api) as link:
            tries = 0
            changes = iter(between)
            for events in polls:
                for which, what, seconds in events:
                    watch.wait(seconds=seconds)
                    happen(fake, mine, which, what, add)
                if change := next(changes, None):
                    which, what, seconds = change

                    def under_reader(which: int = which, what: str = what, seconds: int = seconds) -> None:
                        watch.wait(seconds=seconds)
                        happen(fake, mine, which, what, add)

                    fake.change_page_under_reader(under_reader)
                for _ in range(3):
                    tries += 1
                    if tries in stops:
                        fake.trouble("getOrders" if orders_api == "v0" else "searchOrders", Trouble.DENIED, times=2)
                    await link.poll.read_page(link.account)
                    watch.wait(seconds=20)
            fake._troubles = type(fake._troubles)()
            fake.between_pages.clear()
            quiet = watch.now
            watch.wait(seconds=LAG.total_seconds() + 1)
            for _ in range(2):
                await link.read_pages()
            for theirs in fake.orders.values():
                assert theirs.updated_at <= quiet
                ours = await link.order(theirs.id)
                assert ours is not None, theirs
                assert ours.status is STATUS[theirs.status.value]
                if orders_api == "v0":
                    if theirs.status.value in {"UNSHIPPED", "PENDING"}:
                        assert theirs.id in await engine.under_way(REFRESH, link.account)
                    continue
                asked = RequestKnowledge.YES if theirs.items[0].request is not None else RequestKnowledge.NO
                assert ours.items[0].formal_request is asked
