"""ORDER_CHANGE notifications (domain.md section 2)."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.amazon.order_change import BUYER_REQUESTED, OrderChange, read_notification
from msgbot.domain.order import Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.errors import InputError
from tests.amazon.answers import JSON, NO, UNKNOWN, YES, A
from tests.amazon_models import read_model

AT = datetime(2026, 11, 20, 8, tzinfo=UTC)


def notification(flag: Any = "absent", **changes: Any) -> dict[str, Any]:
    item = {"OrderItemId": "1", "SellerSKU": "MUG-4", "SupplySourceId": None, "Quantity": 2, "QuantityShipped": 0}
    if flag != "absent":
        item["IsBuyerRequestedCancel"] = flag
    change = {
        "NotificationLevel": "OrderLevel",
        "SellerId": "A1EXAMPLESELLER",
        "AmazonOrderId": A,
        "OrderChangeType": "BuyerRequestedChange",
        "OrderChangeTrigger": {"TimeOfOrderChange": "2026-11-20T08:00:00.000Z", "ChangeReason": "Buyer Requested Cancel"},
        "Summary": {
            "MarketplaceId": "A1PA6795UKMFR9",
            "OrderStatus": "Unshipped",
            "PurchaseDate": None,
            "DestinationPostalCode": "SECRET",
            "FulfillmentType": "MFN",
            "OrderType": "StandardOrder",
            "LatestShipDate": "2026-11-22T22:59:59Z",
            "OrderItems": [item],
        },
        **changes,
    }
    return {
        "NotificationVersion": "1.0",
        "NotificationType": "ORDER_CHANGE",
        "PayloadVersion": "1.0",
        "EventTime": "2026-11-20T08:00:05.109Z",
        "Payload": {"OrderChangeNotification": change},
        "NotificationMetadata": {"ApplicationId": "a", "SubscriptionId": "s", "PublishTime": "x", "NotificationId": "n-1"},
    }


def read(told: Any) -> OrderChange:
    return read_notification(json.dumps(told).encode())


def test_a_formal_request() -> None:
    change = read(notification(True))
    assert (change.notification_id, change.seller_id, change.kind) == ("n-1", "A1EXAMPLESELLER", BUYER_REQUESTED)
    assert change.order("shop", "notification") == Order(
        account="shop",
        id=A,
        status=OrderStatus.UNSHIPPED,
        fulfilment=Fulfilment.SELLER,
        as_of=AT,
        source="notification",
        items=(OrderItem("1", "MUG-4", quantity=2, formal_request=YES, quantity_shipped=0),),
        marketplace="A1PA6795UKMFR9",
        ship_by=datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC),
        request_as_of=AT,
    )
    assert "SECRET" not in repr(change)


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        (True, YES),
        ("true", YES),
        (False, NO),
        ("false", NO),
        (None, NO),
        ("absent", NO),
        ("", NO),
        (1, UNKNOWN),
        ("1", UNKNOWN),
        ("maybe", UNKNOWN),
        ([True], UNKNOWN),
    ],
)
def test_the_flag_in_every_form(flag: Any, expected: RequestKnowledge) -> None:
    change = read(notification(flag))
    assert change.items[0].formal_request is expected
    assert bool(change.notes) == (expected is UNKNOWN)


def test_one_about_an_item_does_not_tell_of_the_others() -> None:
    change = read(notification(False, NotificationLevel="OrderItemLevel"))
    assert change.order("shop", "n").request_as_of is None


def test_without_a_time_of_the_change_the_notifications_own_counts() -> None:
    change = read(notification(True, OrderChangeTrigger={"TimeOfOrderChange": None, "ChangeReason": "x"}))
    assert change.at == AT + timedelta(seconds=5.109)


def test_a_clock_that_is_ahead_does_not_date_facts_into_the_future() -> None:
    order = read(notification(True)).order("shop", "n", not_after=AT - timedelta(hours=1))
    assert order.as_of == order.request_as_of == AT - timedelta(hours=1)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "expected one JSON value, found 0"),
        (b"hello", "this is not JSON"),
        (b'{"NotificationType": "ORDER_CH', "cut off"),
        (b"[]", "the answer is a list"),
        (b"{}", "NotificationType is missing"),
        (b'{"NotificationType": "FEED_PROCESSING_FINISHED"}', 'is "FEED_PROCESSING_FINISHED", expected "ORDER_CHANGE"'),
        (json.dumps(notification(AmazonOrderId=None)).encode(), "Payload.OrderChangeNotification.AmazonOrderId is missing"),
        (json.dumps(notification(Summary={"OrderStatus": "Shipped"})).encode(), "Summary.OrderItems is missing"),
        (json.dumps(notification(AmazonOrderId="12")).encode(), '"12" is not an order id'),
    ],
)
def test_what_is_no_such_notification_is_refused(data: bytes, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read_notification(data)
    assert fault in str(caught.value)


def test_a_byte_order_mark_and_utf_16_are_read() -> None:
    text = json.dumps(notification(True))
    for data in (codecs.BOM_UTF8 + text.encode(), text.encode("utf-16"), text.encode("utf-16-le")):
        assert read_notification(data).order_id == A


def examples(schema: Any) -> list[Any]:
    return list(schema.get("examples", []))


def test_amazons_own_example() -> None:
    schema = read_model("notifications/OrderChangeNotification")
    [example] = examples(schema)
    change = read(example)
    assert (change.order_id, change.at.year, change.whole) == ("903-8868176-2219830", 2022, True)
    assert change.items == (OrderItem("OIID34853450", "SellerSKUID1", quantity=10, formal_request=YES, quantity_shipped=0),)
    assert change.notes == ()


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_notification(data)


@given(JSON, st.sampled_from(["Summary", "OrderChangeTrigger", "SellerId", "OrderChangeType", "NotificationLevel"]))
def test_any_field_may_hold_anything(value: Any, name: str) -> None:
    try:
        change = read(notification(False, **{name: value}))
    except InputError:
        return
    assert all(item.formal_request is not YES for item in change.items)


@given(JSON)
def test_only_an_explicit_true_is_yes(value: Any) -> None:
    explicit = value is True or (isinstance(value, str) and value.strip().lower() == "true")
    assert (read(notification(value)).items[0].formal_request is YES) == explicit
