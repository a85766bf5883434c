"""An order is read from Amazon when somebody needs to know: what it says is on file, with what it was read from."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from msgbot.cancel import Asking
from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.domain.guard import RulingCode
from msgbot.domain.order import Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.domain.trail import EntryKind
from msgbot.errors import AmazonAway
from msgbot.fake_amazon import FakeItem, Trouble
from msgbot.refresh import REFRESH
from msgbot.store import cancellations
from msgbot.store.cancellations import CancellationState
from msgbot.store.database import Database
from msgbot.store.formal_requests import Filed
from tests.link import Link, linked, story
from tests.mails import unshipped_report

PATIENCE = 5.0


@pytest.fixture(params=["2026-01-01", "v0"])
async def link(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Link]:
    async with story(database, orders_api=request.param) as made:
        yield made


@pytest.fixture
async def modern(database: Database) -> AsyncIterator[Link]:
    async with story(database) as made:
        yield made


def reads(link: Link) -> int:
    """How often an order was asked for."""
    return len([call for call in link.fake.calls if call.operation.startswith("getOrder@") or call.operation == "getOrder"])


async def test_an_order_that_is_read_is_on_file_with_its_items(link: Link) -> None:
    order = link.fake.add_order("", FakeItem("11"), FakeItem("12", quantity=3))
    assert await link.refresh.read("main", order.id, PATIENCE) == ""
    found = await link.order(order.id)
    assert found is not None
    assert (found.status, [(item.id, item.quantity) for item in found.items]) == (OrderStatus.UNSHIPPED, [("11", 1), ("12", 3)])
    assert (found.as_of, found.request_as_of) == (link.watch.now, link.watch.now)
    assert await link.errors() == {}


async def test_facts_a_few_seconds_old_are_not_read_again_and_older_ones_are(link: Link) -> None:
    order = link.fake.add_order()
    await link.refresh.read("main", order.id, PATIENCE)
    before = reads(link)
    link.watch.wait(seconds=10)
    await link.refresh.read("main", order.id, PATIENCE)
    assert reads(link) == before
    link.watch.wait(seconds=15)
    await link.refresh.read("main", order.id, PATIENCE)
    assert reads(link) > before


async def test_facts_from_a_file_a_moment_ago_are_not_taken_for_amazons(modern: Link) -> None:
    """The file may be a day old; nobody can tell from what it says."""
    order = modern.fake.add_order("", FakeItem("11"))
    modern.fake.file_request(order.id)
    await modern.take_orders.report("main", unshipped_report((order.id, "11", "FALSE")), "report.txt")
    assert await modern.formal(order.id) == ()
    await modern.refresh.read("main", order.id, PATIENCE)
    assert len(await modern.formal(order.id)) == 1


async def test_facts_from_a_clock_that_was_ahead_are_read_again(modern: Link) -> None:
    order = modern.fake.add_order()
    await modern.refresh.read("main", order.id, PATIENCE)
    modern.watch.wait(hours=-2)
    before = reads(modern)
    await modern.refresh.read("main", order.id, PATIENCE)
    assert reads(modern) == before + 1


async def test_an_order_that_amazon_does_not_know_is_left_as_it_is(link: Link) -> None:
    unknown = "114-9999999-9999999"
    assert await link.refresh.attempt("main", unknown, PATIENCE) is None
    assert await link.order(unknown) is None
    await link.take_orders.report("main", unshipped_report((unknown, "1", "TRUE")), "report.txt")
    link.watch.wait(minutes=1)
    failed = await link.refresh.attempt("main", unknown, PATIENCE)
    assert failed is not None
    assert failed.lasting
    assert failed.text == f"Amazon knows no order {unknown} of account main"
    # It is no trouble of the connection.
    assert await link.errors() == {}


async def test_a_formal_request_goes_on_file_with_source_time_reason_and_the_hash_of_what_amazon_sent(
    modern: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = modern.fake.add_order("", FakeItem("11"), FakeItem("12"))
    modern.fake.file_request(order.id, "12", "Ordered by mistake, sorry")
    sent: list[bytes] = []
    answer = modern.fake._handlers["getOrder@2026"]

    def kept(call: Any) -> Any:
        reply = answer(call)
        sent.append(reply.data())
        return reply

    monkeypatch.setitem(modern.fake._handlers, "getOrder@2026", kept)
    await modern.refresh.read("main", order.id, PATIENCE)
    [request] = await modern.formal(order.id)
    assert (request.item_id, request.reason) == ("12", "Ordered by mistake, sorry")
    assert (request.source, request.seen_at) == ("SP-API orders 2026-01-01", modern.watch.now)
    assert request.evidence == hashlib.sha256(sent[0]).hexdigest()
    [entry] = await modern.entries(EntryKind.FORMAL_REQUEST_ON_FILE)
    assert entry.facts["sha256"] == request.evidence
    assert "mistake" not in str(await modern.entries())


async def test_a_later_read_that_says_no_denies_the_request_and_the_guard_wants_confirmation(link: Link) -> None:
    order = link.fake.add_order()
    link.fake.file_request(order.id)
    await link.refresh.read("main", order.id, PATIENCE)
    link.watch.wait(hours=1)
    link.fake.withdraw_request(order.id)
    proposal = Proposal(order.id, CancelReason.BUYER_CANCELED)
    ruled = await link.cancel.request("main", proposal, Asking("test"))
    assert ruled.ruling.code is RulingCode.REQUEST_DENIED
    assert ruled.cancellation is None
    [request] = await link.formal(order.id)
    assert request.denied_by.startswith("SP-API orders")
    assert len(await link.entries(EntryKind.FORMAL_REQUEST_DENIED)) == 1
    confirmed = await link.cancel.request("main", proposal, Asking("test"), confirm=RulingCode.REQUEST_DENIED.value)
    assert confirmed.cancellation is not None


def pushed(order_id: str, status: OrderStatus, at: datetime, formal: RequestKnowledge = RequestKnowledge.UNKNOWN) -> Order:
    """What another program says of an order."""
    items = (OrderItem("11", formal_request=formal, cancel_reason="Late"),)
    return Order("main", order_id, status, Fulfilment.SELLER, at, "api erp", items, request_as_of=at)


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.SHIPPED])
@pytest.mark.parametrize("trusted", [False, True])
async def test_only_who_is_trusted_settles_a_cancellation_of_a_connected_account(
    modern: Link, status: OrderStatus, trusted: bool
) -> None:
    order = modern.fake.add_order("", FakeItem("11"))
    modern.fake.file_request(order.id)
    asked = await modern.cancel.request("main", Proposal(order.id, CancelReason.BUYER_CANCELED), Asking("test"))
    assert asked.cancellation is not None

    async def state() -> CancellationState:
        async with modern.database.reading() as connection:
            [found] = await cancellations.of_orders(connection, "main", [order.id])
        return found.state

    ended = CancellationState.DONE if status is OrderStatus.CANCELLED else CancellationState.LAPSED
    modern.watch.wait(minutes=1)
    await modern.take_orders.push(pushed(order.id, status, modern.watch.now), b"{}", trusted=trusted)
    assert await state() is (ended if trusted else CancellationState.READY)
    modern.watch.wait(minutes=1)
    if status is OrderStatus.CANCELLED:
        modern.fake.cancel_by_buyer(order.id)
    else:
        modern.fake.ship(order.id)
    # The order on file has this status already: that Amazon says so counts all the same.
    assert await modern.refresh.read("main", order.id, PATIENCE) == ""
    assert await state() is ended


async def test_who_is_not_trusted_has_no_say_in_formal_requests(modern: Link) -> None:
    new, known = modern.fake.add_order("", FakeItem("11")), modern.fake.add_order("", FakeItem("11"))
    modern.fake.file_request(known.id)
    await modern.refresh.read("main", known.id, PATIENCE)
    modern.watch.wait(minutes=1)
    for order_id, formal in ((new.id, RequestKnowledge.YES), (known.id, RequestKnowledge.NO)):
        read = pushed(order_id, OrderStatus.UNSHIPPED, modern.watch.now, formal)
        _, filed = await modern.take_orders.push(read, b"{}", trusted=False)
        assert filed == Filed((), (), ())
    assert await modern.formal(new.id) == ()
    assert [request.denied_by for request in await modern.formal(known.id)] == [""]
    found = [await modern.order(each.id) for each in (new, known)]
    assert [order and (order.items[0].formal_request, order.items[0].cancel_reason) for order in found] == [
        (RequestKnowledge.UNKNOWN, ""),
        (RequestKnowledge.YES, "Ordered by mistake"),
    ]
    assert found[0] is not None
    assert found[0].request_as_of is None


async def test_what_is_to_be_read_later_is_read_by_the_engine(link: Link) -> None:
    orders = [link.fake.add_order() for _ in range(3)]
    async with link.database.transaction() as connection:
        for order in orders:
            await link.refresh.later(connection, "main", order.id, "test")
            await link.refresh.later(connection, "main", order.id, "test")
        await link.refresh.later(connection, "another", orders[0].id, "test")
    async with link.engine.running({REFRESH: link.refresh.run}):
        await link.done(REFRESH)
    assert await link.engine.failures() == []
    assert None not in [await link.order(order.id) for order in orders]
    assert len(link.fake.calls_of("getOrder")) == 3


async def test_a_read_that_fails_is_tried_again_by_the_engine_and_one_that_is_refused_is_not(modern: Link) -> None:
    order = modern.fake.add_order()
    async with modern.engine.running({REFRESH: modern.refresh.run}):
        for order_id, denied in (("114-9999999-9999999", 0), (order.id, 2)):
            modern.fake.trouble("getOrder", Trouble.DENIED, times=denied)
            async with modern.database.transaction() as connection:
                await modern.refresh.later(connection, "main", order_id, "test")
            await modern.done(REFRESH)
    assert [failure.subject for failure in await modern.engine.failures()] == [order.id]
    assert list(await modern.errors()) == ["orders"]


async def test_the_order_of_another_seller_is_never_written_under_this_account(link: Link) -> None:
    other = link.fake.add_seller("A2OTHER")
    theirs = link.fake.add_order(seller=other)
    assert await link.refresh.attempt("main", theirs.id, PATIENCE) is None
    assert await link.order(theirs.id) is None
    async with linked(link.database, link.engine, link.fake, link.watch, account="other", seller=other) as second:
        await second.refresh.read("other", theirs.id, PATIENCE)
        assert await second.order(theirs.id) is not None
    assert await link.order(theirs.id) is None


@pytest.mark.parametrize("operation", ["getOrder@2026", "getOrder@v0", "getOrderItems"])
async def test_an_answer_about_another_order_is_not_taken(
    database: Database, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with story(database, orders_api="2026-01-01" if "2026" in operation else "v0") as link:
        order, another = link.fake.add_order(), link.fake.add_order()
        link.fake.file_request(another.id)
        answer = link.fake._handlers[operation]

        def mistaken(call: Any) -> Any:
            call.names["order"] = another.id
            return answer(call)

        monkeypatch.setitem(link.fake._handlers, operation, mistaken)
        failed = await link.refresh.attempt("main", order.id, PATIENCE)
        assert failed is not None
        assert order.id in failed.text
        assert another.id in failed.text
        assert await link.order(order.id) is None
        assert await link.order(another.id) is None
        assert await link.formal(another.id) == ()


async def test_while_amazon_is_away_nothing_changes_and_the_status_says_since_when(link: Link) -> None:
    order = link.fake.add_order()
    await link.refresh.read("main", order.id, PATIENCE)
    before = await link.order(order.id)
    link.watch.wait(minutes=1)
    begun = link.watch.now
    link.fake.go_down()
    failed = await link.refresh.attempt("main", order.id, PATIENCE)
    assert failed is not None
    assert not failed.lasting
    link.watch.wait(minutes=30)
    await link.refresh.attempt("main", order.id, PATIENCE)
    assert await link.order(order.id) == before
    [state] = (await link.status.of("main")).aspects
    assert state.failing_since is not None
    assert state.failing_since - begun < timedelta(minutes=1)
    assert "503" in state.error


async def test_a_process_without_a_connection_says_so(modern: Link) -> None:
    modern.refresh._amazon = None
    order = modern.fake.add_order()
    with pytest.raises(AmazonAway):
        await modern.refresh.read_now("main", order.id, PATIENCE)
    assert "no connection" in await modern.refresh.read("main", order.id, PATIENCE)
    assert await modern.refresh.read("not connected", order.id, PATIENCE) == ""
