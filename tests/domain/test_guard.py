"""The guard table of the design, row by row, and what must hold in every case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.domain.guard import Case, Outcome, RulingCode, judge, judge_message
from msgbot.domain.order import FormalRequest, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.domain.rate import Rate

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ORDER_ID = "114-0000001-0000001"
BUYER, STOCK = CancelReason.BUYER_CANCELED, CancelReason.NO_INVENTORY
NO, YES, UNKNOWN = RequestKnowledge.NO, RequestKnowledge.YES, RequestKnowledge.UNKNOWN


def order(
    status: OrderStatus = OrderStatus.UNSHIPPED, *, age: float = 0, first: RequestKnowledge = NO, second: RequestKnowledge = NO
) -> Order:
    items = (OrderItem("1", formal_request=first), OrderItem("2", formal_request=second))
    as_of = NOW - timedelta(hours=age)
    return Order("main", ORDER_ID, status, Fulfilment.SELLER, as_of, "a report", items, request_as_of=NOW)


def case(reason: CancelReason | None = BUYER, items: tuple[str, ...] = (), **changes: object) -> Case[Proposal]:
    made = Case(Proposal(ORDER_ID, reason, items), NOW, timedelta(hours=24), order())
    return replace(made, **changes)  # type: ignore[arg-type]


def on_file(*items: str) -> tuple[FormalRequest, ...]:
    return tuple(FormalRequest(ORDER_ID, item, "a report", NOW) for item in items)


def denied(item: str) -> tuple[FormalRequest, ...]:
    return (FormalRequest(ORDER_ID, item, "a report", NOW, denied_by="a later one"),)


def order_left() -> Order:
    """The order, with its second item cancelled before."""
    whole = order()
    return replace(whole, items=(whole.items[0], replace(whole.items[1], quantity=0)))


ROWS = [
    # Amazon could not be asked: nothing goes ahead, whatever is on file
    (case(unreadable="HTTP 503", formal=on_file("")), Outcome.BLOCKED, RulingCode.UNVERIFIED, None),
    (case(STOCK, unreadable="HTTP 503"), Outcome.BLOCKED, RulingCode.UNVERIFIED, None),
    (case(order=None, unreadable="HTTP 503"), Outcome.BLOCKED, RulingCode.UNVERIFIED, None),
    # facts too old, and just not too old
    (case(formal=on_file(""), order=order(age=25)), Outcome.BLOCKED, RulingCode.STALE, None),
    (case(formal=on_file(""), order=order(age=24)), Outcome.ALLOWED, RulingCode.FORMAL_REQUEST, False),
    # not on file at all, or of unknown state: cannot be verified
    (case(order=None), Outcome.BLOCKED, RulingCode.UNKNOWN_ORDER, None),
    (case(order=order(OrderStatus.UNKNOWN)), Outcome.BLOCKED, RulingCode.STATUS_UNKNOWN, None),
    (case(items=("9",)), Outcome.BLOCKED, RulingCode.UNKNOWN_ITEM, None),
    # not Unshipped or Pending, formal request or not
    (case(order=order(OrderStatus.SHIPPED), formal=on_file("")), Outcome.BLOCKED, RulingCode.NOT_UNSHIPPED, None),
    (case(order=order(OrderStatus.PARTLY_SHIPPED)), Outcome.BLOCKED, RulingCode.NOT_UNSHIPPED, None),
    (case(order=order(OrderStatus.CANCELLED)), Outcome.BLOCKED, RulingCode.NOT_UNSHIPPED, None),
    (case(STOCK, order=order(OrderStatus.SHIPPED)), Outcome.BLOCKED, RulingCode.NOT_UNSHIPPED, None),
    # Amazon ships it, or has shipped it
    (case(order=replace(order(), fulfilment=Fulfilment.AMAZON)), Outcome.BLOCKED, RulingCode.AMAZON_FULFILS, None),
    (
        case(order=replace(order(OrderStatus.SHIPPED), fulfilment=Fulfilment.AMAZON)),
        Outcome.BLOCKED,
        RulingCode.AMAZON_FULFILS,
        None,
    ),
    # Buyer Canceled, formal request for everything named
    (case(formal=on_file("1", "2")), Outcome.ALLOWED, RulingCode.FORMAL_REQUEST, False),
    (case(formal=on_file("")), Outcome.ALLOWED, RulingCode.FORMAL_REQUEST, False),
    (case(order=order(first=YES, second=YES)), Outcome.ALLOWED, RulingCode.FORMAL_REQUEST, False),
    (case(items=("1",), formal=on_file("1")), Outcome.ALLOWED, RulingCode.FORMAL_REQUEST, False),
    (case(formal=on_file("1", "2"), order=order(OrderStatus.PENDING)), Outcome.ALLOWED, RulingCode.FORMAL_REQUEST, False),
    # ... for some of it: blocked for the rest
    (case(formal=on_file("1")), Outcome.BLOCKED, RulingCode.PARTLY_REQUESTED, True),
    (case(items=("2",), formal=on_file("1")), Outcome.BLOCKED, RulingCode.PARTLY_REQUESTED, True),
    # Buyer Canceled, none, asked by message, plainly or with a condition
    (case(asked=True), Outcome.BLOCKED, RulingCode.INFORMAL, True),
    (case(asked_if=True), Outcome.BLOCKED, RulingCode.INFORMAL, True),
    # Buyer Canceled, none, said nothing or took it back
    (case(), Outcome.BLOCKED, RulingCode.WRONG_REASON, True),
    (case(withdrawn=True), Outcome.BLOCKED, RulingCode.WRONG_REASON, True),
    # unknown is not "no request", and not "request" either
    (case(order=order(first=UNKNOWN, second=UNKNOWN)), Outcome.BLOCKED, RulingCode.REQUEST_UNKNOWN, None),
    (case(order=order(first=UNKNOWN, second=UNKNOWN), asked=True), Outcome.BLOCKED, RulingCode.REQUEST_UNKNOWN, None),
    (case(order=replace(order(), items=())), Outcome.BLOCKED, RulingCode.REQUEST_UNKNOWN, None),
    # the only report that could tell of requests is old: what was "no" then is unknown now
    (case(order=replace(order(), request_as_of=NOW - timedelta(days=3))), Outcome.BLOCKED, RulingCode.REQUEST_UNKNOWN, None),
    # items that the report names by SKU only: one of the two was requested
    (
        case(order=replace(order(), items=(OrderItem("", "A", formal_request=YES), OrderItem("", "B", formal_request=NO)))),
        Outcome.BLOCKED,
        RulingCode.PARTLY_REQUESTED,
        True,
    ),
    # another source, read later, says there is none
    (
        case(formal=(FormalRequest(ORDER_ID, "", "a report", NOW, denied_by="another"),)),
        Outcome.NEEDS_CONFIRMATION,
        RulingCode.REQUEST_DENIED,
        None,
    ),
    # the buyer filed it and then wrote that it is not meant
    (case(formal=on_file(""), withdrawn=True), Outcome.NEEDS_CONFIRMATION, RulingCode.WITHDRAWN_SINCE, False),
    # the buyer filed it because the seller asked for it
    (case(formal=on_file(""), solicited=True), Outcome.BLOCKED, RulingCode.SOLICITED, False),
    # ... which no other doubt may turn into something that can be confirmed
    (case(formal=on_file(""), solicited=True, withdrawn=True), Outcome.BLOCKED, RulingCode.SOLICITED, False),
    (case(formal=denied(""), solicited=True), Outcome.BLOCKED, RulingCode.SOLICITED, False),
    # a denial counts, also for an order whose items nobody knows
    (case(formal=denied(""), order=replace(order(), items=())), Outcome.NEEDS_CONFIRMATION, RulingCode.REQUEST_DENIED, None),
    # what was cancelled before needs no request
    (case(formal=on_file("1"), order=order_left()), Outcome.ALLOWED, RulingCode.FORMAL_REQUEST, False),
    # msgbot does it itself
    (case(formal=on_file(""), under_way="c1"), Outcome.BLOCKED, RulingCode.UNDER_WAY, None),
    (case(STOCK, under_way="c1"), Outcome.BLOCKED, RulingCode.UNDER_WAY, None),
    (case(formal=on_file(""), under_way="c1", unreadable="HTTP 503"), Outcome.BLOCKED, RulingCode.UNVERIFIED, None),
    # other reason, no message
    (case(STOCK), Outcome.ALLOWED, RulingCode.OTHER_REASON, True),
    (case(None), Outcome.ALLOWED, RulingCode.OTHER_REASON, True),
    # other reason while an informal request is open, or was taken back
    (case(STOCK, asked=True), Outcome.BLOCKED, RulingCode.DISGUISED, True),
    (case(None, asked=True), Outcome.BLOCKED, RulingCode.DISGUISED, True),
    (case(STOCK, withdrawn=True), Outcome.ALLOWED, RulingCode.OTHER_REASON, True),
    # other reason for an item that the formal request does not cover, and for one that it does
    (case(STOCK, ("2",), formal=on_file("1")), Outcome.ALLOWED, RulingCode.OTHER_REASON, True),
    (case(STOCK, ("1",), formal=on_file("1")), Outcome.NEEDS_CONFIRMATION, RulingCode.REQUEST_WOULD_BE_FREE, True),
    # other reason while a formal request is on file
    (case(STOCK, formal=on_file("1")), Outcome.NEEDS_CONFIRMATION, RulingCode.REQUEST_WOULD_BE_FREE, True),
    (case(STOCK, order=order(first=YES)), Outcome.NEEDS_CONFIRMATION, RulingCode.REQUEST_WOULD_BE_FREE, True),
]


@pytest.mark.parametrize(("given_case", "outcome", "code", "counts"), ROWS)
def test_each_row_of_the_table(given_case: Case[Proposal], outcome: Outcome, code: RulingCode, counts: bool | None) -> None:
    ruling = judge(given_case)
    assert (ruling.outcome, ruling.code, ruling.counts) == (outcome, code, counts)
    assert ruling.reasons
    assert all(ruling.reasons)
    assert ruling.way_out or ruling.allowed, "who is stopped is told the way out"


def test_the_items_that_lack_a_request_are_named() -> None:
    assert judge(case(formal=on_file("1"))).items_without_request == ("2",)


def test_an_allowed_cancellation_that_counts_tells_what_becomes_of_the_rate() -> None:
    ruling = judge(case(STOCK, rate=Rate(3, 141)))
    assert "from 2.1% (3 of 141) to 2.8% (4 of 141)" in ruling.reasons[1]


def test_only_a_disguised_cancellation_can_be_overridden() -> None:
    assert {ruling.code for ruling in (judge(row[0]) for row in ROWS) if ruling.can_be_overridden} == {RulingCode.DISGUISED}


def test_who_cannot_ask_amazon_is_told_why_and_when_to_try_again() -> None:
    ruling = judge(case(unreadable="Amazon answered 503 three times"))
    assert "Amazon answered 503 three times" in ruling.reasons[0]
    assert "msgbot amazon status" in ruling.way_out


@pytest.mark.parametrize("known", [None, order(age=25), order(OrderStatus.UNKNOWN), order(first=UNKNOWN)])
def test_an_account_connected_to_amazon_needs_no_report_to_be_imported(known: Order | None) -> None:
    assert "report" in judge(case(order=known)).way_out
    live = judge(case(order=known, live=True)).way_out
    # What msgbot asked Amazon for in vain is not found by asking once more.
    assert ("re-read the order" if known is not None else "check the order id") in live
    assert "report" not in live


knowledge = st.sampled_from(RequestKnowledge)
cases = st.builds(
    Case,
    proposal=st.builds(
        Proposal,
        st.just(ORDER_ID),
        st.one_of(st.none(), st.sampled_from(CancelReason)),
        st.sampled_from([(), ("1",), ("2",), ("1", "2"), ("9",)]),
    ),
    now=st.just(NOW),
    freshness=st.just(timedelta(hours=24)),
    order=st.one_of(
        st.none(),
        st.builds(
            lambda status, age, first, second, fulfilment: replace(
                order(status, age=age, first=first, second=second), fulfilment=fulfilment
            ),
            st.sampled_from(OrderStatus),
            st.sampled_from([0, 23, 25, 1000]),
            knowledge,
            knowledge,
            st.sampled_from(Fulfilment),
        ),
    ),
    formal=st.sampled_from([(), on_file(""), on_file("1"), on_file("2"), on_file("1", "2")]),
    asked=st.booleans(),
    asked_if=st.booleans(),
    withdrawn=st.booleans(),
    solicited=st.booleans(),
    rate=st.one_of(st.none(), st.just(Rate(0, 0)), st.just(Rate(1, 1))),
    live=st.booleans(),
    unreadable=st.sampled_from(["", "HTTP 503"]),
)


@given(cases)
def test_buyer_canceled_is_allowed_only_with_a_formal_request_for_every_item(given_case: Case[Proposal]) -> None:
    ruling = judge(given_case)
    if not ruling.allowed or given_case.proposal.reason is not BUYER:
        return
    assert given_case.order is not None
    requested = {request.item_id for request in given_case.formal}
    for item in given_case.order.items:
        if not given_case.proposal.item_ids or item.id in given_case.proposal.item_ids:
            assert "" in requested or (item.id and item.id in requested) or item.formal_request is YES


@given(cases)
def test_nothing_is_allowed_that_cannot_be_verified_or_is_not_unshipped(given_case: Case[Proposal]) -> None:
    if judge(given_case).allowed:
        assert given_case.order is not None
        assert given_case.order.status in {OrderStatus.UNSHIPPED, OrderStatus.PENDING}
        assert NOW - given_case.order.as_of <= given_case.freshness
        assert not given_case.unreadable


@given(cases)
def test_what_could_not_be_re_read_is_blocked_for_good(given_case: Case[Proposal]) -> None:
    ruling = judge(given_case)
    assert (ruling.code is RulingCode.UNVERIFIED) == bool(given_case.unreadable)
    assert ruling.outcome is Outcome.BLOCKED or not given_case.unreadable
    assert not (given_case.unreadable and ruling.can_be_overridden)


@given(cases)
def test_what_is_said_to_be_free_of_charge_has_a_formal_request(given_case: Case[Proposal]) -> None:
    if judge(given_case).counts is False:
        assert given_case.proposal.reason is BUYER
        assert given_case.formal or any(item.formal_request is YES for item in given_case.order.items)  # type: ignore[union-attr]


@given(cases)
def test_no_cancellation_slips_by_while_the_buyer_asked_only_by_message(given_case: Case[Proposal]) -> None:
    ruling = judge(given_case)
    if given_case.asked and ruling.allowed:
        assert ruling.code is RulingCode.FORMAL_REQUEST


@given(cases)
def test_every_ruling_says_why(given_case: Case[Proposal]) -> None:
    ruling = judge(given_case)
    assert ruling.reasons
    assert all(ruling.reasons)
    assert ruling.way_out or ruling.allowed


@pytest.mark.parametrize(
    ("asks_to_file", "buyer_asked", "blocked"),
    [(True, False, True), (True, True, False), (False, False, False), (False, True, False)],
)
def test_soliciting_is_blocked(asks_to_file: bool, buyer_asked: bool, blocked: bool) -> None:
    ruling = judge_message(asks_to_file=asks_to_file, buyer_asked=buyer_asked)
    assert (ruling is not None) == blocked
