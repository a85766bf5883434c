"""The guard of order adjustments, row by row, and what must hold in every case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.domain.cancellation import Adjustment, AdjustReason, Amount
from msgbot.domain.guard import Case, Outcome, RulingCode
from msgbot.domain.guard_adjustment import judge_adjustment
from msgbot.domain.order import FormalRequest, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.domain.rate import Rate

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ORDER_ID = "114-0000001-0000001"
BUYER, STOCK = AdjustReason.CUSTOMER_CANCEL, AdjustReason.NO_INVENTORY
NO, YES, UNKNOWN = RequestKnowledge.NO, RequestKnowledge.YES, RequestKnowledge.UNKNOWN
PRICE = (Amount("Principal", Decimal("10.00"), "USD"),)


def order(status: OrderStatus = OrderStatus.PARTLY_SHIPPED, *, age: float = 0, first: OrderItem | None = None) -> Order:
    """An order of three of item 1, of which one was shipped, and one of item 2."""
    items = (
        first or OrderItem("1", "S1", quantity=3, quantity_shipped=1, formal_request=NO),
        OrderItem("2", "S2", quantity=1, quantity_shipped=0, formal_request=NO),
    )
    as_of = NOW - timedelta(hours=age)
    return Order("main", ORDER_ID, status, Fulfilment.SELLER, as_of, "Amazon", items, request_as_of=NOW)


def item(**changes: object) -> OrderItem:
    return replace(order().items[0], **changes)  # type: ignore[arg-type]


def case(reason: AdjustReason = BUYER, item_id: str = "1", quantity: int = 1, **changes: object) -> Case[Adjustment]:
    made = Case(Adjustment(ORDER_ID, item_id, reason, quantity, PRICE), NOW, timedelta(hours=24), order())
    return replace(made, **changes)  # type: ignore[arg-type]


def on_file(*items: str, denied_by: str = "") -> tuple[FormalRequest, ...]:
    return tuple(FormalRequest(ORDER_ID, each, "Amazon", NOW, denied_by=denied_by) for each in items)


FREE = on_file("1")
BLOCKED, ALLOWED, CONFIRM = Outcome.BLOCKED, Outcome.ALLOWED, Outcome.NEEDS_CONFIRMATION

ROWS = [
    # cannot be verified
    (case(formal=FREE, unreadable="HTTP 503"), BLOCKED, RulingCode.UNVERIFIED, None),
    (case(formal=FREE, order=None), BLOCKED, RulingCode.UNKNOWN_ORDER, None),
    (case(formal=FREE, order=order(age=25)), BLOCKED, RulingCode.STALE, None),
    (case(formal=FREE, order=order(OrderStatus.UNKNOWN)), BLOCKED, RulingCode.STATUS_UNKNOWN, None),
    # Amazon's to settle
    (case(formal=FREE, order=replace(order(), fulfilment=Fulfilment.AMAZON)), BLOCKED, RulingCode.AMAZON_FULFILS, None),
    # nothing to adjust yet, or any more
    (case(formal=FREE, order=order(OrderStatus.UNSHIPPED)), BLOCKED, RulingCode.NOT_SHIPPED, None),
    (case(STOCK, order=order(OrderStatus.PENDING)), BLOCKED, RulingCode.NOT_SHIPPED, None),
    (case(formal=FREE, order=order(OrderStatus.CANCELLED)), BLOCKED, RulingCode.NOT_SHIPPED, None),
    # an item that the order has not; one that the order does not name by id is not known either
    (case(item_id="9", formal=on_file("")), BLOCKED, RulingCode.UNKNOWN_ITEM, None),
    (case(item_id="", formal=on_file("")), BLOCKED, RulingCode.UNKNOWN_ITEM, None),
    (case(item_id="", formal=on_file(""), order=order(first=item(id=""))), BLOCKED, RulingCode.UNKNOWN_ITEM, None),
    (case(formal=on_file(""), order=replace(order(), items=())), BLOCKED, RulingCode.UNKNOWN_ITEM, None),
    # quantities: at least one, at most what was ordered and not shipped
    (case(formal=FREE, quantity=0), BLOCKED, RulingCode.WRONG_QUANTITY, None),
    (case(formal=FREE, quantity=-1), BLOCKED, RulingCode.WRONG_QUANTITY, None),
    (case(formal=FREE, quantity=2), ALLOWED, RulingCode.FORMAL_REQUEST, False),
    (case(formal=FREE, quantity=3), BLOCKED, RulingCode.WRONG_QUANTITY, None),
    (case(STOCK, quantity=3), BLOCKED, RulingCode.WRONG_QUANTITY, None),
    # ... and nobody knows how many are left of what nobody said how many were shipped of
    (case(formal=FREE, quantity=1, order=order(first=item(quantity_shipped=None))), BLOCKED, RulingCode.WRONG_QUANTITY, None),
    (case(formal=FREE, order=order(first=item(quantity_shipped=3))), BLOCKED, RulingCode.WRONG_QUANTITY, None),
    (case(formal=FREE, order=order(first=item(quantity=None))), BLOCKED, RulingCode.WRONG_QUANTITY, None),
    # Customer Cancel with a formal request for the item, by whatever name it is on file
    (case(formal=FREE), ALLOWED, RulingCode.FORMAL_REQUEST, False),
    (case(formal=on_file("sku:S1")), ALLOWED, RulingCode.FORMAL_REQUEST, False),
    (case(formal=on_file("")), ALLOWED, RulingCode.FORMAL_REQUEST, False),
    (case(order=order(first=item(formal_request=YES))), ALLOWED, RulingCode.FORMAL_REQUEST, False),
    (case(formal=FREE, order=order(OrderStatus.SHIPPED)), ALLOWED, RulingCode.FORMAL_REQUEST, False),
    # ... for another item
    (case(item_id="2", formal=FREE), BLOCKED, RulingCode.PARTLY_REQUESTED, True),
    # ... denied, taken back, solicited
    (case(formal=on_file("1", denied_by="another")), CONFIRM, RulingCode.REQUEST_DENIED, None),
    (case(formal=FREE, withdrawn=True), CONFIRM, RulingCode.WITHDRAWN_SINCE, False),
    (case(formal=FREE, solicited=True), BLOCKED, RulingCode.SOLICITED, False),
    # Customer Cancel without one
    (case(order=order(first=item(formal_request=UNKNOWN))), BLOCKED, RulingCode.REQUEST_UNKNOWN, None),
    (case(order=replace(order(), request_as_of=NOW - timedelta(days=3))), BLOCKED, RulingCode.REQUEST_UNKNOWN, None),
    (case(asked=True), BLOCKED, RulingCode.INFORMAL, True),
    (case(asked_if=True), BLOCKED, RulingCode.INFORMAL, True),
    (case(), BLOCKED, RulingCode.WRONG_REASON, True),
    (case(withdrawn=True), BLOCKED, RulingCode.WRONG_REASON, True),
    # No Inventory
    (case(STOCK), ALLOWED, RulingCode.OTHER_REASON, True),
    (case(STOCK, withdrawn=True), ALLOWED, RulingCode.OTHER_REASON, True),
    (case(STOCK, asked=True), BLOCKED, RulingCode.DISGUISED, True),
    (case(STOCK, formal=FREE), CONFIRM, RulingCode.REQUEST_WOULD_BE_FREE, True),
    (case(STOCK, order=order(first=item(formal_request=YES))), CONFIRM, RulingCode.REQUEST_WOULD_BE_FREE, True),
    (case(STOCK, "2", formal=FREE), ALLOWED, RulingCode.OTHER_REASON, True),
]


@pytest.mark.parametrize(("given_case", "outcome", "code", "counts"), ROWS)
def test_each_row_of_the_table(given_case: Case[Adjustment], outcome: Outcome, code: RulingCode, counts: bool | None) -> None:
    ruling = judge_adjustment(given_case)
    assert (ruling.outcome, ruling.code, ruling.counts) == (outcome, code, counts)
    assert all(ruling.reasons)
    assert ruling.reasons
    assert ruling.way_out or ruling.allowed, "who is stopped is told the way out"


def test_an_order_that_is_not_shipped_is_cancelled_instead() -> None:
    assert judge_adjustment(case(formal=FREE, order=order(OrderStatus.UNSHIPPED))).way_out == "cancel it instead"


def test_the_reason_that_would_be_free_is_named_as_the_feed_of_adjustments_has_it() -> None:
    assert "Customer Cancel" in judge_adjustment(case(STOCK, formal=FREE)).way_out


def test_a_buyer_who_was_sent_everything_is_not_sent_to_a_button_that_is_gone() -> None:
    assert "Request cancellation" in judge_adjustment(case(asked=True)).way_out
    assert "return" in judge_adjustment(case(asked=True, order=order(OrderStatus.SHIPPED))).way_out


def test_an_allowed_adjustment_that_counts_says_so() -> None:
    assert "it counts" in judge_adjustment(case(STOCK, rate=Rate(3, 141))).reasons[0]


def test_only_a_disguised_adjustment_can_be_overridden() -> None:
    rulings = [judge_adjustment(row[0]) for row in ROWS]
    assert {ruling.code for ruling in rulings if ruling.can_be_overridden} == {RulingCode.DISGUISED}


items = st.builds(
    item,
    quantity=st.sampled_from([None, 1, 3]),
    quantity_shipped=st.sampled_from([None, 0, 1, 3]),
    formal_request=st.sampled_from(RequestKnowledge),
)
cases = st.builds(
    Case,
    proposal=st.builds(
        Adjustment,
        st.just(ORDER_ID),
        st.sampled_from(["1", "2", "9", ""]),
        st.sampled_from(AdjustReason),
        st.integers(-1, 4),
    ),
    now=st.just(NOW),
    freshness=st.just(timedelta(hours=24)),
    order=st.one_of(
        st.none(),
        st.builds(
            lambda status, age, first, fulfilment: replace(order(status, age=age, first=first), fulfilment=fulfilment),
            st.sampled_from(OrderStatus),
            st.sampled_from([0, 23, 25, 1000]),
            items,
            st.sampled_from(Fulfilment),
        ),
    ),
    formal=st.sampled_from([(), on_file(""), FREE, on_file("2"), on_file("sku:S1"), on_file("1", denied_by="another")]),
    asked=st.booleans(),
    asked_if=st.booleans(),
    withdrawn=st.booleans(),
    solicited=st.booleans(),
    live=st.booleans(),
    unreadable=st.sampled_from(["", "HTTP 503"]),
)


@given(cases)
def test_customer_cancel_is_allowed_only_with_a_formal_request_for_the_item(given_case: Case[Adjustment]) -> None:
    ruling = judge_adjustment(given_case)
    if not ruling.allowed or given_case.proposal.reason is not BUYER:
        return
    assert given_case.order is not None
    named = next(each for each in given_case.order.items if each.id == given_case.proposal.item_id)
    requested = {request.item_id for request in given_case.formal if not request.denied_by}
    assert requested & {"", named.id, f"sku:{named.sku}"} or named.formal_request is YES
    assert ruling.counts is False


@given(cases)
def test_nothing_is_allowed_that_cannot_be_verified_or_was_not_shipped(given_case: Case[Adjustment]) -> None:
    ruling = judge_adjustment(given_case)
    if ruling.allowed or ruling.outcome is CONFIRM or ruling.can_be_overridden:
        assert given_case.order is not None
        assert given_case.order.status in {OrderStatus.SHIPPED, OrderStatus.PARTLY_SHIPPED}
        assert given_case.order.fulfilment is not Fulfilment.AMAZON
        assert NOW - given_case.order.as_of <= given_case.freshness
        assert not given_case.unreadable


@given(cases)
def test_never_more_is_taken_off_than_was_ordered_and_not_shipped(given_case: Case[Adjustment]) -> None:
    if judge_adjustment(given_case).outcome is not BLOCKED:
        assert given_case.order is not None
        named = next(each for each in given_case.order.items if each.id == given_case.proposal.item_id)
        assert 1 <= given_case.proposal.quantity <= (named.quantity or 0) - (named.quantity_shipped or 0)


@given(cases)
def test_every_ruling_says_why(given_case: Case[Adjustment]) -> None:
    ruling = judge_adjustment(given_case)
    assert ruling.reasons
    assert all(ruling.reasons)
    assert ruling.way_out or ruling.allowed
