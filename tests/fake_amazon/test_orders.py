"""Orders in both versions of the API: one set of values, Amazon's rules on parameters, pages that change under the reader."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from msgbot.fake_amazon import FakeAmazon, FakeItem
from tests.amazon_models import check_notification
from tests.fake_amazon.conftest import START, Caller, Watch

V0 = "/orders/v0/orders"
V2026 = "/orders/2026-01-01/orders"
US = "ATVPDKIKX0DER"
SINCE = "2026-11-19T00:00:00Z"
ID = "114-1234567-1234567"
EVERYTHING = "CANCELLATION,FULFILLMENT"


@pytest.mark.parametrize(
    ("done", "v0", "v2026"),
    [
        ("pending", "Pending", "PENDING"),
        ("", "Unshipped", "UNSHIPPED"),
        ("part", "PartiallyShipped", "PARTIALLY_SHIPPED"),
        ("ship", "Shipped", "SHIPPED"),
        ("buyer", "Canceled", "CANCELLED"),
    ],
)
async def test_both_versions_spell_the_status_their_way(call: Caller, fake: FakeAmazon, done: str, v0: str, v2026: str) -> None:
    fake.add_order(ID, FakeItem("1", quantity=2), pending=done == "pending")
    if done in {"part", "ship"}:
        fake.ship(ID, quantity=1 if done == "part" else None)
    if done == "buyer":
        fake.cancel_by_buyer(ID)
    old = (await call("GET", f"{V0}/{ID}")).value["payload"]
    new = (await call("GET", f"{V2026}/{ID}", includedData=EVERYTHING)).value["order"]
    assert old["OrderStatus"] == v0
    assert new["fulfillment"]["fulfillmentStatus"] == v2026
    assert old["LastUpdateDate"] == new["lastUpdatedTime"]
    assert check_notification("OrderChangeNotification", fake.order_change(ID)) == []


async def test_a_formal_request_shows_per_item_and_in_each_source_s_way(call: Caller, fake: FakeAmazon, watch: Watch) -> None:
    fake.add_order(ID, FakeItem("1"), FakeItem("2"))
    watch.wait(minutes=5)
    fake.file_request(ID, "2", "Found it cheaper")
    items = (await call("GET", f"{V0}/{ID}/orderItems")).value["payload"]["OrderItems"]
    assert [item["BuyerRequestedCancel"] for item in items] == [
        {"IsBuyerRequestedCancel": "false"},
        {"IsBuyerRequestedCancel": "true", "BuyerCancelReason": "Found it cheaper"},
    ]
    whole = (await call("GET", f"{V2026}/{ID}", includedData="CANCELLATION")).value["order"]
    assert [item.get("cancellation") for item in whole["orderItems"]] == [
        None,
        {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Found it cheaper"}},
    ]
    assert whole["lastUpdatedTime"] == "2026-11-20T12:05:00.000Z"
    told = fake.order_change(ID)["Payload"]["OrderChangeNotification"]
    assert told["OrderChangeType"] == "BuyerRequestedChange"
    assert [item["IsBuyerRequestedCancel"] for item in told["Summary"]["OrderItems"]] == [False, True]
    fake.withdraw_request(ID, "2")
    whole = (await call("GET", f"{V2026}/{ID}", includedData="CANCELLATION")).value["order"]
    assert [item.get("cancellation") for item in whole["orderItems"]] == [None, None]


async def test_v2026_tells_only_the_datasets_that_were_asked_for(call: Caller, fake: FakeAmazon) -> None:
    fake.add_order(ID)
    fake.file_request(ID)
    for path in (f"{V2026}/{ID}", f"{V2026}?lastUpdatedAfter={SINCE}"):
        fake.lag = timedelta()
        bare = (await call("GET", path)).value
        order = bare.get("order") or bare["orders"][0]
        assert "fulfillment" not in order
        assert "cancellation" not in order["orderItems"][0]


async def test_a_notification_is_new_each_time_unless_it_is_to_be_the_same(fake: FakeAmazon) -> None:
    fake.add_order(ID)
    ids = [fake.order_change(ID, *same)["NotificationMetadata"]["NotificationId"] for same in ((), (), ("n1",), ("n1",))]
    assert len(set(ids)) == 3


async def test_other_sellers_orders_are_not_found(nobody: Caller, fake: FakeAmazon) -> None:
    fake.add_order(ID)
    await nobody.get_token(fake.add_seller("A2OTHER"))
    for path in (f"{V0}/{ID}", f"{V0}/{ID}/orderItems", f"{V2026}/{ID}"):
        assert (await nobody("GET", path)).status == 404
    assert (await nobody("GET", V2026, lastUpdatedAfter=SINCE)).value["orders"] == []
    assert (await nobody("GET", f"{V2026}/114-1")).status == 400


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (V2026, {"lastUpdatedAfter": SINCE}, 200),
        (V2026, {"createdAfter": SINCE}, 200),
        (V2026, {"lastUpdatedAfter": "2026-11-19T02:00:00+02:00"}, 200),
        (V2026, {}, 400),
        (V2026, {"lastUpdatedAfter": SINCE, "createdAfter": SINCE}, 400),
        (V2026, {"createdAfter": SINCE, "lastUpdatedBefore": "2026-11-20T00:00:00Z"}, 400),
        (V2026, {"lastUpdatedAfter": "2026-11-19"}, 400),
        (V2026, {"lastUpdatedAfter": "2026-11-19T00:00:00"}, 400),
        (V2026, {"lastUpdatedAfter": "2026-11-20T12:00:01Z"}, 400),
        (V2026, {"lastUpdatedAfter": SINCE, "lastUpdatedBefore": "2026-11-20T11:58:00Z"}, 200),
        (V2026, {"lastUpdatedAfter": SINCE, "lastUpdatedBefore": "2026-11-20T11:58:01Z"}, 400),
        (V2026, {"lastUpdatedAfter": SINCE, "lastUpdatedBefore": "2026-11-18T00:00:00Z"}, 400),
        (V2026, {"lastUpdatedAfter": SINCE, "includedData": "CANCELLATION,MORE"}, 400),
        (V2026, {"lastUpdatedAfter": SINCE, "fulfillmentStatuses": "CANCELED"}, 400),
        (V2026, {"lastUpdatedAfter": SINCE, "fulfillmentStatuses": "UNSHIPPED,CANCELLED", "fulfilledBy": "MERCHANT"}, 200),
        (V2026, {"lastUpdatedAfter": SINCE, "marketplaceIds": US}, 200),
        (V2026, {"lastUpdatedAfter": SINCE, "marketplaceIds": "A1NOPLACE"}, 400),
        # The seller does not sell in Germany.
        (V2026, {"lastUpdatedAfter": SINCE, "marketplaceIds": "A1PA6795UKMFR9"}, 403),
        (V2026, {"lastUpdatedAfter": SINCE, "maxResultsPerPage": "101"}, 400),
        (V2026, {"lastUpdatedAfter": SINCE, "MarketplaceIds": US}, 400),
        (V2026, {"lastUpdatedAfter": SINCE, "paginationToken": "made-up"}, 400),
        (V0, {"LastUpdatedAfter": SINCE, "MarketplaceIds": US}, 200),
        (V0, {"CreatedAfter": SINCE, "MarketplaceIds": US, "OrderStatuses": "Unshipped,Canceled"}, 200),
        (V0, {"LastUpdatedAfter": SINCE}, 400),
        (V0, {"MarketplaceIds": US}, 400),
        (V0, {"LastUpdatedAfter": SINCE, "CreatedAfter": SINCE, "MarketplaceIds": US}, 400),
        (V0, {"LastUpdatedAfter": SINCE, "LastUpdatedBefore": "2026-11-20T11:59:00Z", "MarketplaceIds": US}, 400),
        (V0, {"LastUpdatedAfter": SINCE, "MarketplaceIds": US, "OrderStatuses": "Cancelled"}, 400),
        (V0, {"LastUpdatedAfter": SINCE, "MarketplaceIds": US, "FulfillmentChannels": "MFN,AFN"}, 200),
    ],
)
async def test_a_search_is_held_to_amazon_s_rules(call: Caller, path: str, query: dict[str, str], status: int) -> None:
    told = await call("GET", path, **query)
    assert told.status == status
    assert status == 200 or told.code == ("Unauthorized" if status == 403 else "InvalidInput")


async def sweep(call: Caller, size: int) -> tuple[list[str], str]:
    """The ids of all pages of a search, and up to when it went."""
    query, seen = {"lastUpdatedAfter": SINCE, "maxResultsPerPage": str(size)}, []
    while True:
        page: Any = (await call("GET", V2026, **query)).value
        seen += [order["orderId"] for order in page["orders"]]
        token = page.get("pagination", {}).get("nextToken")
        if not token:
            return seen, page["lastUpdatedBefore"]
        query = {"paginationToken": token, "maxResultsPerPage": str(size)}


async def test_pages_go_by_last_update_and_hold_each_order_once(call: Caller, fake: FakeAmazon) -> None:
    at = START - timedelta(hours=1)
    orders = [fake.add_order(created_at=at + timedelta(minutes=number % 3)).id for number in range(7)]
    assert orders == sorted(orders)
    seen, until = await sweep(call, 2)
    assert seen == sorted(orders, key=lambda order: (fake.orders[order].updated_at, order))
    assert until == "2026-11-20T11:58:00.000Z"


async def test_v0_gives_pages_too(call: Caller, fake: FakeAmazon) -> None:
    orders = [fake.add_order().id for _ in range(3)]
    query = {"LastUpdatedAfter": SINCE, "MarketplaceIds": US, "MaxResultsPerPage": "2"}
    first = (await call("GET", V0, **query)).value["payload"]
    last = (await call("GET", V0, **query, NextToken=first["NextToken"])).value["payload"]
    assert [order["AmazonOrderId"] for order in first["Orders"] + last["Orders"]] == orders
    assert "NextToken" not in last


async def test_an_order_that_changes_between_two_pages_is_left_to_the_next_search(
    call: Caller, fake: FakeAmazon, watch: Watch
) -> None:
    orders = [fake.add_order(created_at=START - timedelta(hours=9 - number)).id for number in range(4)]
    fake.change_page_under_reader(lambda: fake.file_request(orders[3]))
    seen, until = await sweep(call, 2)
    assert seen == orders[:3]
    watch.wait(minutes=3)
    later = (await call("GET", V2026, lastUpdatedAfter=until)).value["orders"]
    assert [order["orderId"] for order in later] == [orders[3]]


async def test_what_changed_just_now_is_not_listed_yet_but_can_be_read(call: Caller, fake: FakeAmazon, watch: Watch) -> None:
    fake.add_order(ID, created_at=START)
    assert (await sweep(call, 100))[0] == []
    assert (await call("GET", f"{V2026}/{ID}")).status == 200
    watch.wait(minutes=2)
    assert (await sweep(call, 100))[0] == [ID]


async def test_a_search_filters(call: Caller, fake: FakeAmazon) -> None:
    shipped, theirs = fake.add_order().id, fake.add_order(fulfilled_by="AMAZON").id
    fake.lag = timedelta()
    fake.ship(shipped)
    for query, found in [
        ({"fulfillmentStatuses": "SHIPPED"}, [shipped]),
        ({"fulfilledBy": "AMAZON"}, [theirs]),
        ({"fulfilledBy": "AMAZON", "fulfillmentStatuses": "SHIPPED"}, []),
    ]:
        told = (await call("GET", V2026, lastUpdatedAfter=SINCE, **query)).value
        assert [order["orderId"] for order in told["orders"]] == found
