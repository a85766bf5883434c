"""Orders in both versions of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from aiohttp import web

from msgbot.domain.order import Fulfilment, OrderStatus, RequestKnowledge
from msgbot.errors import AmazonRefused, InputError
from msgbot.spapi.client import SpApi
from msgbot.spapi.moments import written
from msgbot.spapi.orders import Orders
from tests.spapi.amazon import NOW, ORDER, Amazon, Ticks, calling, errors

SINCE = datetime(2026, 11, 20, 11, 0, 0, 123456, tzinfo=UTC)
MARKETPLACES = ["A1PA6795UKMFR9,A13V1IB3VIYZZH"]


def order_v2026(order_id: str = ORDER) -> dict[str, object]:
    return {
        "orderId": order_id,
        "createdTime": "2026-11-20T10:00:00Z",
        "lastUpdatedTime": "2026-11-20T11:30:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "A1PA6795UKMFR9"},
        "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
        "orderItems": [
            {
                "orderItemId": "1",
                "quantityOrdered": 2,
                "product": {},
                "cancellation": {"cancellationRequest": {"requester": "BUYER", "cancelReason": "No longer needed"}},
            }
        ],
    }


def order_v0(order_id: str = ORDER) -> dict[str, object]:
    return {
        "AmazonOrderId": order_id,
        "PurchaseDate": "2026-11-20T10:00:00Z",
        "LastUpdateDate": "2026-11-20T11:30:00Z",
        "OrderStatus": "Unshipped",
        "FulfillmentChannel": "MFN",
        "MarketplaceId": "A1PA6795UKMFR9",
    }


def items_v0(number: int, token: str = "", order_id: str = ORDER) -> web.Response:
    item = {
        "OrderItemId": str(number),
        "ASIN": "B0",
        "QuantityOrdered": 1,
        "BuyerRequestedCancel": {"IsBuyerRequestedCancel": "true" if number == 2 else "false", "BuyerCancelReason": ""},
    }
    return web.json_response({"payload": {"AmazonOrderId": order_id, "OrderItems": [item], "NextToken": token}})


@pytest.fixture
async def v0(amazon: Amazon, ticks: Ticks) -> AsyncIterator[SpApi]:
    """A client whose sellers are set to v0."""
    async with calling(amazon.base, orders_api="v0", ticks=ticks) as opened:
        yield opened


async def test_a_page_of_changed_orders(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [
        web.json_response(
            {
                "orders": [order_v2026(), {"orderId": "902-0000000-0000000"}],
                "pagination": {"nextToken": "t+1"},
                "lastUpdatedBefore": "2026-11-20T11:58:00Z",
            }
        )
    ]
    changed = await Orders(client).changed("main", SINCE)
    assert [order.id for order in changed.page.orders] == [ORDER]
    assert len(changed.page.flaws) == 1
    assert changed.page.next_token == "t+1"
    assert changed.page.updated_before == datetime(2026, 11, 20, 11, 58, tzinfo=UTC)
    assert changed.raw.startswith(b'{"orders"')
    order = changed.page.orders[0]
    assert (order.source, order.as_of, order.account) == ("SP-API orders 2026-01-01", NOW, "main")
    first = {
        "lastUpdatedAfter": ["2026-11-20T11:00:00.123Z"],
        "marketplaceIds": MARKETPLACES,
        "includedData": ["CANCELLATION,FULFILLMENT"],
        "maxResultsPerPage": ["100"],
    }
    assert amazon.asked[0].query == first
    await Orders(client).changed("main", SINCE, "t+1")
    assert amazon.asked[1].query == first | {"paginationToken": ["t+1"]}


async def test_a_page_of_changed_orders_v0(amazon: Amazon, v0: SpApi) -> None:
    amazon.says = [
        web.json_response({"payload": {"Orders": [order_v0()], "NextToken": "t=", "LastUpdatedBefore": "2026-11-20T11:58:00Z"}})
    ]
    changed = await Orders(v0).changed("main", SINCE)
    assert [order.id for order in changed.page.orders] == [ORDER]
    assert changed.page.orders[0].items == ()
    assert (changed.page.next_token, changed.page.orders[0].source) == ("t=", "SP-API orders v0")
    await Orders(v0).changed("main", SINCE, "t=")
    assert [each.query for each in amazon.asked] == [
        {"MarketplaceIds": MARKETPLACES, "LastUpdatedAfter": ["2026-11-20T11:00:00.123Z"], "MaxResultsPerPage": ["100"]},
        {"MarketplaceIds": MARKETPLACES, "NextToken": ["t="]},
    ]


async def test_one_order_takes_one_call(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.json_response({"order": order_v2026()})]
    read = await Orders(client).read("main", ORDER)
    assert (read.calls, read.order.status, read.order.fulfilment) == (1, OrderStatus.UNSHIPPED, Fulfilment.SELLER)
    assert (read.order.items[0].formal_request, read.order.items[0].cancel_reason) == (RequestKnowledge.YES, "No longer needed")
    assert (read.order.as_of, read.order.request_as_of) == (NOW, NOW)
    assert read.raw.startswith(b'{"order"')
    assert amazon.asked[0].path == f"/orders/2026-01-01/orders/{ORDER}"
    assert amazon.asked[0].query == {"includedData": ["CANCELLATION,FULFILLMENT"]}


async def test_one_order_v0_takes_a_call_and_one_for_each_page_of_items(amazon: Amazon, v0: SpApi) -> None:
    amazon.says = [web.json_response({"payload": order_v0()}), items_v0(1, "more"), items_v0(2)]
    read = await Orders(v0).read("main", ORDER)
    assert read.calls == 3
    assert [(item.id, item.formal_request) for item in read.order.items] == [
        ("1", RequestKnowledge.NO),
        ("2", RequestKnowledge.YES),
    ]
    assert read.order.request_as_of == NOW
    assert read.raw.count(b"\n") == 2
    assert [(each.path, each.query) for each in amazon.asked] == [
        (f"/orders/v0/orders/{ORDER}", {}),
        (f"/orders/v0/orders/{ORDER}/orderItems", {}),
        (f"/orders/v0/orders/{ORDER}/orderItems", {"NextToken": ["more"]}),
    ]


async def test_an_order_that_is_not_there(amazon: Amazon, client: SpApi, v0: SpApi) -> None:
    amazon.says = [errors(404, "NotFound", "Order not found")]
    for each in (client, v0):
        with pytest.raises(AmazonRefused, match=r"NotFound: Order not found.*check the id") as told:
            await Orders(each).read("main", ORDER)
        assert told.value.status == 404


async def test_an_answer_about_another_order_is_refused(amazon: Amazon, client: SpApi, v0: SpApi) -> None:
    other = "902-1111111-1111111"
    amazon.says = [web.json_response({"order": order_v2026(other)})]
    with pytest.raises(InputError, match=f"asked for order {ORDER} and answered with {other}"):
        await Orders(client).read("main", ORDER)
    amazon.says = [web.json_response({"payload": order_v0()}), items_v0(1, order_id=other)]
    with pytest.raises(InputError, match=f"items of {ORDER} and answered with those of {other}"):
        await Orders(v0).read("main", ORDER)


async def test_items_without_end_are_given_up(amazon: Amazon, v0: SpApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msgbot.spapi.orders._MOST_PAGES", 3)
    amazon.says = [web.json_response({"payload": order_v0()}), items_v0(1, "again")]
    with pytest.raises(InputError, match="do not end after 3 pages"):
        await Orders(v0).read("main", ORDER)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 999999, tzinfo=UTC), "2026-01-02T03:04:05.999Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=9))), "2026-01-01T18:04:05Z"),
    ],
)
def test_times_are_written_in_utc_and_never_later(moment: datetime, text: str) -> None:
    assert written(moment) == text
