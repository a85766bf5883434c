"""What all messages about an order say together, in whatever order they come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.domain.conversation import Conversation, Turn
from msgbot.domain.message import Kind, Message, Source
from msgbot.domain.order import Canceller, FormalRequest, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.domain.outcome import Outcome, outcome_of
from msgbot.domain.verdict import Intent, Verdict

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def turn(minute: int, intent: Intent, *, kind: Kind = Kind.BUYER, opposes: bool = False, solicits: bool = False) -> Turn:
    message = Message("main", f"<{minute}@a>", kind, Source.MAIL, "", NOW + timedelta(minutes=minute))
    return Turn(message, Verdict(intent, 0.9, opposes=opposes), solicits)


ASKS, IF, BACK, OTHER = (turn(1, Intent.REQUEST), turn(2, Intent.CONDITIONAL), turn(3, Intent.WITHDRAWN), turn(4, Intent.NONE))


@pytest.mark.parametrize(
    ("turns", "last"),
    [
        ([ASKS], ASKS),
        ([ASKS, OTHER], ASKS),  # small talk after it changes nothing
        ([ASKS, BACK], BACK),
        ([BACK, ASKS], BACK),  # the order of arrival does not count, the time of writing does
        ([ASKS, IF], IF),
        ([OTHER], None),
        ([], None),
        ([turn(1, Intent.REQUEST, kind=Kind.SELLER)], None),  # what the seller writes is no request
    ],
)
def test_the_last_word(turns: list[Turn], last: Turn | None) -> None:
    assert Conversation.of(turns).last_word() == last


def test_do_not_cancel_takes_back_only_what_was_asked() -> None:
    """A plain "do not cancel" is nothing by itself, and a withdrawal after a request."""
    do_not = turn(5, Intent.NONE, opposes=True)
    assert Conversation.of([do_not]).intent_of(do_not) is Intent.NONE
    assert Conversation.of([do_not, ASKS]).intent_of(do_not) is Intent.WITHDRAWN
    assert Conversation.of([do_not, ASKS]).withdrawal() == do_not
    before = turn(0, Intent.NONE, opposes=True)
    assert Conversation.of([before, ASKS]).open_request() == ASKS


def test_soliciting_is_asking_a_buyer_who_did_not_ask() -> None:
    asks_to_file = turn(5, Intent.NONE, kind=Kind.SELLER, solicits=True)
    assert Conversation.of([asks_to_file]).soliciting() == asks_to_file
    assert Conversation.of([asks_to_file, ASKS]).soliciting() is None
    too_early = turn(0, Intent.NONE, kind=Kind.SELLER, solicits=True)
    assert Conversation.of([too_early, ASKS]).soliciting() == too_early


@given(st.permutations([ASKS, IF, BACK, OTHER, turn(5, Intent.NONE, opposes=True)]))
def test_any_order_of_arrival_says_the_same(turns: list[Turn]) -> None:
    assert Conversation.of(turns) == Conversation.of(reversed(turns))


def order(status: OrderStatus, fulfilment: Fulfilment = Fulfilment.SELLER) -> Order:
    items = (OrderItem("1", formal_request=RequestKnowledge.NO),)
    return Order("main", "1", status, fulfilment, NOW, "a report", items)


def test_amazon_cancels_what_amazon_ships() -> None:
    amazons = order(OrderStatus.CANCELLED, Fulfilment.AMAZON)
    assert outcome_of(Conversation.of([ASKS]), amazons, ()) is Outcome.CANCELLED_BY_AMAZON


@pytest.mark.parametrize(
    ("cancellers", "outcome"),
    [
        ((Canceller.BUYER,), Outcome.CANCELLED_BY_BUYER),
        ((Canceller.AMAZON,), Outcome.CANCELLED_BY_AMAZON),
        ((Canceller.SELLER,), Outcome.CANCELLED_INFORMALLY),
        ((Canceller.BUYER, Canceller.SELLER), Outcome.CANCELLED_INFORMALLY),
        ((Canceller.UNKNOWN,), Outcome.CANCELLED_INFORMALLY),
    ],
)
def test_only_what_the_seller_cancelled_is_held_against_the_seller(cancellers: tuple[Canceller, ...], outcome: Outcome) -> None:
    items = tuple(OrderItem("1", formal_request=RequestKnowledge.NO, cancelled_by=each) for each in cancellers)
    cancelled = replace(order(OrderStatus.CANCELLED), items=items)
    assert outcome_of(Conversation.of([ASKS]), cancelled, ()) is outcome


def test_a_cancelled_order_whose_report_cannot_tell_of_requests_is_unknown() -> None:
    untold = replace(order(OrderStatus.CANCELLED), items=(OrderItem("1"),))
    assert outcome_of(Conversation.of([ASKS]), untold, ()) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("turns", "asks"),
    [
        ([ASKS], True),
        ([ASKS, IF], True),  # a condition added later does not undo the request
        ([IF], False),
        ([ASKS, BACK], False),
        ([BACK], False),
        ([], False),
    ],
)
def test_whether_a_plain_request_stands(turns: list[Turn], asks: bool) -> None:
    assert Conversation.of(turns).asks() is asks


@pytest.mark.parametrize(
    ("turns", "status", "formal", "outcome"),
    [
        ([ASKS], OrderStatus.UNSHIPPED, False, Outcome.OPEN),
        ([ASKS], OrderStatus.PENDING, False, Outcome.OPEN),
        ([ASKS], OrderStatus.UNSHIPPED, True, Outcome.FORMAL_REQUEST),
        ([ASKS], OrderStatus.CANCELLED, True, Outcome.FORMAL_REQUEST),
        ([ASKS], OrderStatus.CANCELLED, False, Outcome.CANCELLED_INFORMALLY),
        ([ASKS, BACK], OrderStatus.CANCELLED, False, Outcome.CANCELLED_INFORMALLY),
        ([ASKS, BACK], OrderStatus.UNSHIPPED, False, Outcome.WITHDRAWN),
        ([ASKS, BACK], OrderStatus.SHIPPED, False, Outcome.WITHDRAWN),
        ([ASKS], OrderStatus.SHIPPED, False, Outcome.SHIPPED),
        ([ASKS], OrderStatus.PARTLY_SHIPPED, False, Outcome.SHIPPED),
        ([ASKS], OrderStatus.UNKNOWN, False, Outcome.UNKNOWN),
        ([ASKS], None, False, Outcome.UNKNOWN),
    ],
)
def test_the_outcome_of_a_request(turns: list[Turn], status: OrderStatus | None, formal: bool, outcome: Outcome) -> None:
    on_file = (FormalRequest("1", "", "a report", NOW),) if formal else ()
    assert outcome_of(Conversation.of(turns), order(status) if status else None, on_file) is outcome
