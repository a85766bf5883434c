"""Cancellation files and single rulings for a connected account: the orders are read before, and what msgbot does itself is not for
a person to do as well."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from msgbot.amazon.cancellation_files import CancellationRow, write_cancellation_file
from msgbot.cancel import Asking
from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.domain.guard import Ruling
from msgbot.fake_amazon.orders import FakeOrder
from msgbot.store.database import Database
from tests.link import Link, story

BUYER = CancelReason.BUYER_CANCELED


@pytest.fixture
async def link(database: Database) -> AsyncIterator[Link]:
    async with story(database) as made:
        yield made


def asked(link: Link) -> FakeOrder:
    """An order with a formal request."""
    order = link.fake.add_order()
    link.fake.file_request(order.id)
    return order


async def rulings(link: Link, *orders: FakeOrder, patience: float = 60.0) -> list[Ruling]:
    """What the guard says of a file with these orders."""
    rows = [CancellationRow(number, order.id, BUYER, item_id=order.items[0].id) for number, order in enumerate(orders, 3)]
    _, found = await link.cancel.rule_file("main", write_cancellation_file(rows), "file.txt", patience=patience)
    return found


async def codes(link: Link, *orders: FakeOrder, patience: float = 60.0) -> list[str]:
    """The same in a word each."""
    return [ruling.code.value for ruling in await rulings(link, *orders, patience=patience)]


async def test_each_order_of_a_file_is_read_before(link: Link) -> None:
    requested, plain = asked(link), link.fake.add_order()
    assert await codes(link, requested, plain) == ["formal_request", "wrong_reason"]
    assert len(link.fake.calls_of("getOrder")) == 2
    # Once more a moment later costs no call.
    assert await codes(link, requested, plain) == ["formal_request", "wrong_reason"]
    assert len(link.fake.calls_of("getOrder")) == 2


async def test_facts_from_before_allow_nothing_while_amazon_is_away(link: Link) -> None:
    order = asked(link)
    await link.refresh.read("main", order.id, 5)
    link.watch.wait(minutes=10)
    link.fake.go_down()
    [ruling] = await rulings(link, order)
    assert (ruling.code.value, ruling.allowed) == ("unverified", False)
    [ruled] = await link.cancel.rule("main", [Proposal(order.id, BUYER)], [Asking("test")])
    assert (ruled.ruling.code.value, ruled.ruling.allowed) == ("unverified", False)


async def test_a_single_order_is_read_again_sooner_than_those_of_a_file(link: Link) -> None:
    order = asked(link)
    await rulings(link, order)
    link.watch.wait(minutes=1)
    link.fake.go_down()
    assert await codes(link, order) == ["formal_request"]
    [ruled] = await link.cancel.rule("main", [Proposal(order.id, BUYER)], [Asking("test")])
    assert ruled.ruling.code.value == "unverified"


async def test_what_there_is_no_time_to_read_is_not_allowed_and_read_the_next_time(link: Link) -> None:
    orders = [asked(link) for _ in range(40)]
    first = await rulings(link, *orders, patience=5.0)
    unread = [ruling for ruling in first if ruling.code.value == "unverified"]
    # Amazon lets an account read 30 at once, and one every two seconds from then on.
    assert len(unread) == 8
    assert "Amazon allows no getOrder before" in unread[-1].reasons[0]
    assert [ruling.code.value for ruling in await rulings(link, *orders, patience=60.0)] == ["formal_request"] * 40


async def test_what_msgbot_cancels_itself_is_not_for_a_person_to_do_as_well(link: Link) -> None:
    order = asked(link)
    ruled = await link.cancel.request("main", Proposal(order.id, BUYER), Asking("test"))
    assert ruled.cancellation is not None
    link.watch.wait(minutes=1)
    [ruling] = await rulings(link, order)
    assert (ruling.code.value, ruled.cancellation.id in ruling.reasons[0]) == ("under_way", True)
    # It is no way around asking again: that gives the same cancellation.
    again = await link.cancel.request("main", Proposal(order.id, BUYER), Asking("test"))
    assert again.cancellation is not None
    assert again.cancellation.id == ruled.cancellation.id
    await link.cancel.withdraw("main", ruled.cancellation.id, Asking("test"))
    assert await codes(link, order) == ["formal_request"]


async def test_an_order_that_amazon_does_not_know_is_not_on_file(link: Link) -> None:
    known = asked(link)
    stranger = CancellationRow(3, "114-9999999-9999999", BUYER, item_id="1")
    rows = [stranger, CancellationRow(4, known.id, BUYER, item_id=known.items[0].id)]
    _, found = await link.cancel.rule_file("main", write_cancellation_file(rows), "file.txt")
    assert [ruling.code.value for ruling in found] == ["unknown_order", "formal_request"]
