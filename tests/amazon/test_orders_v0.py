"""Answers of the Orders API v0 (domain.md sections 2 and 3)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given

from msgbot.amazon.orders_v0 import ItemsPage, read_items, read_order, read_page, with_items
from msgbot.domain.order import Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.errors import InputError
from tests.amazon.answers import AS_OF, JSON, NO, READ, UNKNOWN, V0_ORDERS, YES, A, B, examples, v0_item, v0_items, v0_order


@pytest.mark.parametrize(
    ("cancel", "expected"),
    [
        ({"IsBuyerRequestedCancel": "true", "BuyerCancelReason": "Found cheaper"}, YES),
        ({"IsBuyerRequestedCancel": "True"}, YES),
        ({"IsBuyerRequestedCancel": " TRUE "}, YES),
        ({"IsBuyerRequestedCancel": True}, YES),
        ({"IsBuyerRequestedCancel": "false", "BuyerCancelReason": "stale"}, NO),
        ({"IsBuyerRequestedCancel": "FALSE"}, NO),
        ({"IsBuyerRequestedCancel": False}, NO),
        ({"IsBuyerRequestedCancel": ""}, NO),
        ({"IsBuyerRequestedCancel": None}, NO),
        ({"BuyerCancelReason": "a reason is no request"}, NO),
        ({}, NO),
        (None, NO),
        ("absent", NO),
        ("false", NO),
        (False, NO),
        (True, YES),
        ({"IsBuyerRequestedCancel": "maybe"}, UNKNOWN),
        ({"IsBuyerRequestedCancel": 1}, UNKNOWN),
        ({"IsBuyerRequestedCancel": ["true"]}, UNKNOWN),
        ([], UNKNOWN),
        ("yes", UNKNOWN),
        (1, UNKNOWN),
    ],
)
def test_the_flag_in_every_form(cancel: Any, expected: RequestKnowledge) -> None:
    page = read_items(v0_items(v0_item(cancel)))
    assert page.items[0].formal_request is expected
    assert page.items[0].cancel_reason == (
        "Found cheaper" if isinstance(cancel, dict) and len(cancel) == 2 and expected is YES else ""
    )
    assert bool(page.notes) == (expected is UNKNOWN)
    header = read_order(v0_order(), **READ)
    assert with_items(header, page.items).request_as_of == (AS_OF if expected is not UNKNOWN else None)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ({"IsBuyerRequestedCancel": "true"}, YES),
        ({"IsBuyerRequestedCancel": "True"}, YES),
        ({"IsBuyerRequestedCancel": True}, YES),
        ({"IsBuyerRequestedCancel": "false"}, NO),
        ({"IsBuyerRequestedCancel": False}, NO),
        ({"IsBuyerRequestedCancel": None}, NO),
        ({"IsBuyerRequestedCancel": "maybe"}, UNKNOWN),
        ({"IsBuyerRequestedCancel": {}}, UNKNOWN),
        # what is empty says nothing where another place speaks
        ({"IsBuyerRequestedCancel": "true", "BuyerRequestedCancel": None}, YES),
        ({"IsBuyerRequestedCancel": "true", "BuyerRequestedCancel": {}}, YES),
        ({"IsBuyerRequestedCancel": "true", "BuyerRequestedCancel": ""}, YES),
        ({"IsBuyerRequestedCancel": "true", "BuyerRequestedCancel": {"IsBuyerRequestedCancel": " "}}, YES),
        ({"IsBuyerRequestedCancel": "", "BuyerRequestedCancel": {"IsBuyerRequestedCancel": "true"}}, YES),
        ({"IsBuyerRequestedCancel": None, "BuyerRequestedCancel": {"IsBuyerRequestedCancel": "true"}}, YES),
        ({"IsBuyerRequestedCancel": None, "BuyerRequestedCancel": "true"}, YES),
        ({"IsBuyerRequestedCancel": True, "BuyerRequestedCancel": {"IsBuyerRequestedCancel": "true"}}, YES),
        # and places that contradict each other leave it unknown
        ({"IsBuyerRequestedCancel": "true", "BuyerRequestedCancel": {"IsBuyerRequestedCancel": "false"}}, UNKNOWN),
        ({"IsBuyerRequestedCancel": "false", "BuyerRequestedCancel": {"IsBuyerRequestedCancel": "true"}}, UNKNOWN),
        ({"IsBuyerRequestedCancel": "true", "BuyerRequestedCancel": {"IsBuyerRequestedCancel": "maybe"}}, UNKNOWN),
        ({"IsBuyerRequestedCancel": "true", "BuyerRequestedCancel": []}, UNKNOWN),
    ],
)
def test_the_flag_without_its_wrapper_or_beside_it(places: dict[str, Any], expected: RequestKnowledge) -> None:
    """Saved answers that another program has flattened."""
    page = read_items(v0_items(v0_item(**places, BuyerCancelReason="Found cheaper")))
    assert page.items[0].formal_request is expected
    assert page.items[0].cancel_reason == ("Found cheaper" if expected is YES else "")
    assert bool(page.notes) == (expected is UNKNOWN)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Pending", OrderStatus.PENDING),
        ("PendingAvailability", OrderStatus.PENDING),
        ("Unshipped", OrderStatus.UNSHIPPED),
        ("PartiallyShipped", OrderStatus.PARTLY_SHIPPED),
        ("Shipped", OrderStatus.SHIPPED),
        ("InvoiceUnconfirmed", OrderStatus.SHIPPED),
        ("Canceled", OrderStatus.CANCELLED),
        ("CANCELLED", OrderStatus.CANCELLED),
        ("Unfulfillable", OrderStatus.UNKNOWN),
    ],
)
def test_every_status(word: str, status: OrderStatus) -> None:
    notes: list[str] = []
    assert read_order({"payload": v0_order(OrderStatus=word)}, **READ, notes=notes).status is status
    assert notes == []


def test_words_that_are_not_known_are_unknown_and_noted() -> None:
    page = read_page({"payload": {"Orders": [v0_order(OrderStatus="Lost", FulfillmentChannel="XFN")]}}, **READ)
    assert (page.orders[0].status, page.orders[0].fulfilment) == (OrderStatus.UNKNOWN, Fulfilment.UNKNOWN)
    assert page.notes == (
        'payload.Orders[0].OrderStatus: "Lost" is not a status that msgbot knows: taken as unknown',
        'payload.Orders[0].FulfillmentChannel: "XFN" does not say who ships: taken as unknown',
    )


@pytest.mark.parametrize("wrap", [lambda order: {"payload": order}, lambda order: order])
def test_a_header_with_its_envelope_or_without(wrap: Any) -> None:
    assert read_order(wrap(v0_order()), **READ) == Order(
        account="shop",
        id=A,
        status=OrderStatus.UNSHIPPED,
        fulfilment=Fulfilment.SELLER,
        as_of=AS_OF,
        source="amazon",
        marketplace="A1PA6795UKMFR9",
        purchased_at=datetime(2026, 11, 19, 8, tzinfo=UTC),
        ship_by=datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC),
        updated_at=datetime(2026, 11, 19, 9, tzinfo=UTC),
    )


def test_a_page_says_how_to_go_on_and_keeps_what_can_be_read() -> None:
    broken = v0_order(B)
    del broken["OrderStatus"]
    elsewhere = v0_order("S02-1234567-1234567")
    newer = v0_order(LastUpdateDate="2026-11-19T10:00:00Z", OrderStatus="Canceled")
    orders = [newer, broken, v0_order(), elsewhere, "nonsense"]
    page = read_page({"payload": {"Orders": orders, "NextToken": "n", "LastUpdatedBefore": "2026-11-20T08:58:00Z"}}, **READ)
    assert [(order.id, order.status) for order in page.orders] == [(A, OrderStatus.CANCELLED)]
    assert (page.next_token, page.updated_before) == ("n", datetime(2026, 11, 20, 8, 58, tzinfo=UTC))
    assert page.flaws == ("payload.Orders[1].OrderStatus is missing", 'payload.Orders[4] is "nonsense", expected an object')
    assert len(page.notes) == 1
    assert "left out" in page.notes[0]


@pytest.mark.parametrize(("channel", "marketplace"), [("Amazon.co.jp", "A1VC38T7YXB528"), ("Non-Amazon", ""), (None, "")])
def test_the_sales_channel_tells_the_marketplace_where_the_id_is_missing(channel: Any, marketplace: str) -> None:
    assert read_order(v0_order(MarketplaceId=None, SalesChannel=channel), **READ).marketplace == marketplace


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"payload": {"OrderItems": []}}, "payload.AmazonOrderId is missing"),
        ({"payload": {"AmazonOrderId": A}}, "payload.OrderItems is missing"),
        ({"AmazonOrderId": A, "OrderItems": {}}, "OrderItems is an object, expected a list"),
        (v0_items({"ASIN": "B0", "QuantityOrdered": 1}), "payload.OrderItems[0].OrderItemId is missing"),
        (v0_items({"OrderItemId": "1", "QuantityOrdered": 1}), "payload.OrderItems[0].ASIN is missing"),
        (v0_items(v0_item(QuantityOrdered="some")), 'payload.OrderItems[0].QuantityOrdered is "some", expected a whole number'),
        (v0_items(v0_item(QuantityOrdered=-1)), "payload.OrderItems[0].QuantityOrdered is a number, expected a whole number"),
        (v0_items(order="1"), 'payload.AmazonOrderId: "1" is not an order id like 123-1234567-1234567'),
        ({"payload": None}, "payload is missing"),
        ([], "the answer is a list, expected an object"),
        (
            {"errors": [{"code": "InvalidInput", "message": "Invalid Input"}]},
            "this is an error that Amazon answered with, and holds no orders: InvalidInput: Invalid Input",
        ),
    ],
)
def test_what_is_no_answer_is_refused_with_the_path(answer: Any, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read_items(answer)
    assert str(caught.value) == fault


def test_the_items_of_amazons_own_example() -> None:
    answer, *_ = examples("ordersV0", f"{V0_ORDERS}/{{orderId}}/orderItems")
    item = OrderItem(
        "05015851154158",
        "NABetaASINB00551Q3CS",
        "B00551Q3CS",
        "B00551Q3CS [Card Book]",
        1,
        YES,
        "Found cheaper somewhere else.",
        quantity_shipped=0,
    )
    assert read_items(answer) == ItemsPage(A, (item,))


def test_amazons_own_examples_of_orders() -> None:
    read = [read_page(answer, **READ) for answer in examples("ordersV0", V0_ORDERS)]
    assert sum(len(page.orders) for page in read) > 1
    single = [read_order(answer, **READ) for answer in examples("ordersV0", f"{V0_ORDERS}/{{orderId}}")]
    everything = [order for page in read for order in page.orders] + single
    assert all(page.flaws == () for page in read)
    assert {order.status for order in everything} <= {OrderStatus.PENDING, OrderStatus.UNSHIPPED, OrderStatus.SHIPPED}
    assert {order.fulfilment for order in everything} == {Fulfilment.SELLER, Fulfilment.AMAZON}
    assert all(order.marketplace and order.request_as_of is None and not order.items for order in everything)
    [refused] = examples("ordersV0", V0_ORDERS, "400")
    with pytest.raises(InputError, match="InvalidInput: Invalid Input"):
        read_page(refused, **READ)


@pytest.mark.parametrize("name", ["AmazonOrderId", "LastUpdateDate", "OrderStatus", "PurchaseDate"])
def test_each_field_that_the_model_requires_is_missed_by_name(name: str) -> None:
    order = v0_order()
    del order[name]
    with pytest.raises(InputError, match=f"^payload.{name} is missing$"):
        read_order({"payload": order}, **READ)


@given(JSON)
def test_any_json_is_read_or_refused(answer: Any) -> None:
    for wrapped in (answer, {"payload": answer}, {"payload": {"AmazonOrderId": A, "OrderItems": answer, "Orders": answer}}):
        readers: list[Callable[[Any], object]] = [read_items, partial(read_order, **READ), partial(read_page, **READ)]
        for read in readers:
            try:
                read(wrapped)
            except InputError:
                continue


@given(JSON)
def test_only_an_explicit_true_is_yes(value: Any) -> None:
    for cancel in (value, {"IsBuyerRequestedCancel": value}):
        [item] = read_items(v0_items(v0_item(cancel))).items
        said = cancel["IsBuyerRequestedCancel"] if isinstance(cancel, dict) and "IsBuyerRequestedCancel" in cancel else cancel
        explicit = said is True or (isinstance(said, str) and said.strip().lower() == "true")
        assert (item.formal_request is YES) == explicit


def test_no_personal_data_is_read() -> None:
    private = copy.deepcopy(v0_order(BuyerInfo={"BuyerEmail": "secret"}, ShippingAddress={"Name": "secret", "City": "secret"}))
    assert "secret" not in repr(read_order(json.loads(json.dumps(private)), **READ))
