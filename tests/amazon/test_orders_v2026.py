"""Answers of the Orders API 2026-01-01 (domain.md sections 2 and 3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from msgbot.amazon.orders_v2026 import read_order, read_page
from msgbot.domain.order import Canceller, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.errors import InputError
from tests.amazon.answers import AS_OF, JSON, NO, READ, UNKNOWN, V2026_ORDERS, YES, A, B, examples, v2026_item, v2026_order

BUYERS = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Ordered by mistake"}}


def read(*items: dict[str, Any], asked: bool = True, **changes: Any) -> Order:
    return read_order({"order": v2026_order(*items, **changes)}, **READ, asked_for_cancellation=asked)


def test_a_whole_order() -> None:
    item = v2026_item(
        {**BUYERS, "cancellationExecution": {"cancelledBy": "MERCHANT", "cancelReason": "x"}}, fulfillment={"quantityFulfilled": 1}
    )
    assert read(item) == Order(
        account="shop",
        id=A,
        status=OrderStatus.UNSHIPPED,
        fulfilment=Fulfilment.SELLER,
        as_of=AS_OF,
        source="amazon",
        items=(OrderItem("1", "MUG-4", "B0TEST0001", "", 2, YES, "Ordered by mistake", Canceller.SELLER, 1),),
        marketplace="A1PA6795UKMFR9",
        purchased_at=datetime(2026, 11, 19, 8, tzinfo=UTC),
        ship_by=datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC),
        updated_at=datetime(2026, 11, 19, 9, tzinfo=UTC),
        request_as_of=AS_OF,
    )


@pytest.mark.parametrize(
    ("cancellation", "expected"),
    [
        (BUYERS, YES),
        ({"cancellationRequest": {"requester": "buyer"}}, YES),
        ("absent", NO),
        (None, NO),
        ({}, NO),
        ({"cancellationRequest": None}, NO),
        ({"cancellationExecution": {"cancelledBy": "BUYER"}}, NO),
        ({"cancellationRequest": {"requester": "MERCHANT"}}, NO),
        ({"cancellationRequest": {"requester": "AMAZON"}}, NO),
        ({"cancellationRequest": {"requester": "SOMEBODY"}}, UNKNOWN),
        ({"cancellationRequest": {"cancelReason": "no requester"}}, UNKNOWN),
        ({"cancellationRequest": {}}, UNKNOWN),
        ({"cancellationRequest": True}, UNKNOWN),
        ({"cancellationRequest": "BUYER"}, UNKNOWN),
        (True, UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_the_request_in_every_form(cancellation: Any, expected: RequestKnowledge) -> None:
    order = read(v2026_item(cancellation))
    assert order.items[0].formal_request is expected
    assert order.request_as_of == (AS_OF if expected is not UNKNOWN else None)
    page = read_page({"orders": [v2026_order(v2026_item(cancellation))]}, **READ)
    assert bool(page.notes) == (expected is UNKNOWN)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("absent", "absent", (UNKNOWN, UNKNOWN)),
        (BUYERS, "absent", (YES, NO)),
        (None, "absent", (NO, NO)),
        ({"cancellationExecution": {"cancelledBy": "AMAZON"}}, "absent", (NO, NO)),
    ],
)
def test_an_answer_that_was_perhaps_not_asked_for_requests(first: Any, second: Any, expected: tuple[object, object]) -> None:
    order = read(v2026_item(first), v2026_item(second, orderItemId="2"), asked=False)
    assert tuple(item.formal_request for item in order.items) == expected
    assert (order.request_as_of is None) == (UNKNOWN in expected)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PENDING_AVAILABILITY", OrderStatus.PENDING),
        ("PENDING", OrderStatus.PENDING),
        ("UNSHIPPED", OrderStatus.UNSHIPPED),
        ("PARTIALLY_SHIPPED", OrderStatus.PARTLY_SHIPPED),
        ("SHIPPED", OrderStatus.SHIPPED),
        ("CANCELLED", OrderStatus.CANCELLED),
        ("CANCELED", OrderStatus.CANCELLED),
        ("UNFULFILLABLE", OrderStatus.UNKNOWN),
        ("TELEPORTED", OrderStatus.UNKNOWN),
    ],
)
def test_every_status(word: str, status: OrderStatus) -> None:
    assert read(status=word).status is status


@pytest.mark.parametrize(
    ("word", "canceller"), [("BUYER", "buyer"), ("MERCHANT", "seller"), ("AMAZON", "amazon"), ("ROBOT", ""), (None, "")]
)
def test_who_cancelled(word: Any, canceller: str) -> None:
    assert read(v2026_item({"cancellationExecution": {"cancelledBy": word}})).items[0].cancelled_by == canceller


@pytest.mark.parametrize(("word", "who"), [("MERCHANT", "seller"), ("AMAZON", "amazon"), ("OTHER", "unknown"), (None, "unknown")])
def test_who_ships(word: Any, who: str) -> None:
    assert read(fulfillment={"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": word}).fulfilment == who


def test_an_answer_without_fulfillment_tells_no_status() -> None:
    order = read(v2026_item(), fulfillment=None)
    assert (order.status, order.fulfilment) == (OrderStatus.UNKNOWN, Fulfilment.UNKNOWN)


def without(path: str) -> dict[str, Any]:
    """A page of an order with one item, without the field at `path`."""
    order = v2026_order(v2026_item())
    holder: Any = order
    *outer, last = path.split(".")
    for name in outer:
        holder = holder[0] if name == "0" else holder[name]
    del holder[last]
    return {"orders": [v2026_order(v2026_item(), order=B), order]}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("orderId", "orders[1].orderId is missing"),
        ("createdTime", "orders[1].createdTime is missing"),
        ("lastUpdatedTime", "orders[1].lastUpdatedTime is missing"),
        ("salesChannel", "orders[1].salesChannel is missing"),
        ("orderItems", "orders[1].orderItems is missing"),
        ("fulfillment.fulfillmentStatus", "orders[1].fulfillment.fulfillmentStatus is missing"),
        ("orderItems.0.orderItemId", "orders[1].orderItems[0].orderItemId is missing"),
        ("orderItems.0.quantityOrdered", "orders[1].orderItems[0].quantityOrdered is missing"),
        ("orderItems.0.product", "orders[1].orderItems[0].product is missing"),
    ],
)
def test_an_order_without_a_required_field_does_not_keep_the_others_out(path: str, told: str) -> None:
    page = read_page(without(path), **READ)
    assert [order.id for order in page.orders] == [B]
    assert page.flaws == (told,)


@pytest.mark.parametrize("answer", [None, [], {}, {"order": None}, {"order": {}}, {"orders": {}}, {"payload": {"orders": []}}])
def test_what_is_no_answer_is_refused(answer: Any) -> None:
    with pytest.raises(InputError):
        read_order(answer, **READ)
    with pytest.raises(InputError):
        read_page(answer, **READ)


def test_fields_that_are_new_are_tolerated() -> None:
    assert read(v2026_item(BUYERS, teleport=True), beamed={"up": 1}).items[0].formal_request is YES


def test_amazons_own_examples() -> None:
    pages = [read_page(answer, **READ) for answer in examples("orders_2026-01-01", V2026_ORDERS)]
    single = [read_order(answer, **READ) for answer in examples("orders_2026-01-01", f"{V2026_ORDERS}/{{orderId}}")]
    orders = [order for page in pages for order in page.orders] + single
    assert len(pages) > 2
    assert len(single) > 3
    assert all(page.flaws == page.notes == () for page in pages)
    assert pages[0].next_token == "2YgYW55IGNhcm5hbCBwbGVhc3VyZS4"
    assert all(order.items and order.marketplace and order.purchased_at and order.updated_at for order in orders)
    requested = [item for order in orders for item in order.items if item.formal_request is YES]
    assert [(item.cancel_reason, item.cancelled_by) for item in requested] == [("Changed mind about purchase", Canceller.SELLER)]
    for path in (V2026_ORDERS, f"{V2026_ORDERS}/{{orderId}}"):
        for refused in examples("orders_2026-01-01", path, "400"):
            with pytest.raises(InputError, match="InvalidInput"):
                read_page(refused, **READ)


@given(JSON)
def test_any_json_is_read_or_refused(answer: Any) -> None:
    for wrapped in (answer, {"order": answer}, {"orders": answer}, {"orders": [answer]}):
        for read_it in (read_order, read_page):
            for asked in (True, False):
                try:
                    read_it(wrapped, **READ, asked_for_cancellation=asked)
                except InputError:
                    continue


@given(JSON)
def test_only_an_explicit_buyer_is_yes(value: Any) -> None:
    for cancellation in (value, {"cancellationRequest": value}, {"cancellationRequest": {"requester": value}}):
        request = cancellation.get("cancellationRequest") if isinstance(cancellation, dict) else None
        said = request.get("requester") if isinstance(request, dict) else None
        explicit = isinstance(said, str) and said.strip().upper() == "BUYER"
        for asked in (True, False):
            assert (read(v2026_item(cancellation), asked=asked).items[0].formal_request is YES) == explicit
