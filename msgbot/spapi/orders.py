"""Orders from Amazon: what has changed, page by page, and one order afresh; either version of the Orders API (domain.md section 3).

No personal data is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgbot.amazon import orders_v0, orders_v2026
from msgbot.amazon.order_page import OrderPage
from msgbot.domain.order import Order, OrderItem
from msgbot.errors import InputError
from msgbot.spapi.access import Seller
from msgbot.spapi.client import PATIENCE, QueryValue, SpApi
from msgbot.spapi.moments import written
from msgbot.spapi.operations import GET_ORDER, SEARCH_ORDERS, V0_GET_ORDER, V0_GET_ORDER_ITEMS, V0_GET_ORDERS
from msgbot.spapi.patience import Patience

SOURCE_V2026 = "SP-API orders 2026-01-01"
SOURCE_V0 = "SP-API orders v0"
PAGE = 100
INCLUDED = ("CANCELLATION", "FULFILLMENT")
_MOST_PAGES = 100


@dataclass(frozen=True, slots=True)
class ChangedOrders:
    """A page of changed orders, the answer that it was read from, and when it was asked for by Amazon's clock, as far as the answer
    tells."""

    page: OrderPage
    raw: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """One order as it is at Amazon, the answers that say so, joined by line ends, and how many calls it took."""

    order: Order
    raw: bytes
    calls: int


class Orders:
    """Asks for orders in the version of the API that the seller's settings name."""

    def __init__(self, client: SpApi) -> None:
        self._client = client

    async def changed(self, account: str, since: datetime, token: str = "", *, patience: float = PATIENCE) -> ChangedOrders:
        """The orders last updated at `since` or later, up to 100. `token` is the `next_token` of the page before; `since` must then
        be the same.

        v0 gives orders without their items. Raises AmazonError, and InputError when the answer is no page of orders."""
        seller = self._client.seller(account)
        if seller.orders_api == "v0":
            return await self._changed_v0(seller, since, token, patience)
        query: dict[str, QueryValue] = {
            "lastUpdatedAfter": written(since),
            "marketplaceIds": seller.marketplaces,
            "includedData": INCLUDED,
            "maxResultsPerPage": PAGE,
        }
        # The next page must be asked for with all that the first was asked with.
        if token:
            query["paginationToken"] = token
        answer = await self._client.call(account, SEARCH_ORDERS, query=query, patience=patience)
        page = orders_v2026.read_page(answer.body, account=account, source=SOURCE_V2026, as_of=answer.at)
        return ChangedOrders(page, answer.raw, self._by_amazon(answer.at))

    async def read(self, account: str, order_id: str, *, patience: float = PATIENCE) -> ReadOrder:
        """The order with all its items. `patience` is for all calls together. Raises AmazonRefused (status 404) when there is no
        such order, other AmazonErrors, and InputError when an answer is none."""
        seller = self._client.seller(account)
        if seller.orders_api == "v0":
            return await self._read_v0(account, order_id, patience)
        answer = await self._client.call(
            account, GET_ORDER, path={"orderId": order_id}, query={"includedData": INCLUDED}, patience=patience
        )
        order = orders_v2026.read_order(answer.body, account=account, source=SOURCE_V2026, as_of=answer.at)
        return ReadOrder(_same(order, order_id), answer.raw, 1)

    async def _changed_v0(self, seller: Seller, since: datetime, token: str, patience: float) -> ChangedOrders:
        query: dict[str, QueryValue] = {"MarketplaceIds": seller.marketplaces}
        if token:
            query["NextToken"] = token
        else:
            query |= {"LastUpdatedAfter": written(since), "MaxResultsPerPage": PAGE}
        answer = await self._client.call(seller.account, V0_GET_ORDERS, query=query, patience=patience)
        page = orders_v0.read_page(answer.body, account=seller.account, source=SOURCE_V0, as_of=answer.at)
        return ChangedOrders(page, answer.raw, self._by_amazon(answer.at))

    def _by_amazon(self, at: datetime) -> datetime:
        return at + (self._client.skew or timedelta())

    async def _read_v0(self, account: str, order_id: str, patience: float) -> ReadOrder:
        waiting = Patience(patience, self._client.pace)
        path = {"orderId": order_id}
        answer = await self._client.call(account, V0_GET_ORDER, path=path, patience=waiting.left)
        order = orders_v0.read_order(answer.body, account=account, source=SOURCE_V0, as_of=answer.at)
        raws = [answer.raw]
        items: list[OrderItem] = []
        query: dict[str, QueryValue] = {}
        while len(raws) <= _MOST_PAGES:
            answer = await self._client.call(account, V0_GET_ORDER_ITEMS, path=path, query=query, patience=waiting.left)
            raws.append(answer.raw)
            page = orders_v0.read_items(answer.body)
            if page.order_id != order_id:
                raise InputError(f"Amazon was asked for the items of {order_id} and answered with those of {page.order_id}")
            items += page.items
            if not page.next_token:
                return ReadOrder(orders_v0.with_items(_same(order, order_id), tuple(items)), b"\n".join(raws), len(raws))
            query = {"NextToken": page.next_token}
        raise InputError(f"the items of order {order_id} do not end after {_MOST_PAGES} pages")


def _same(order: Order, order_id: str) -> Order:
    """`order`, if it is the one that was asked for: a guard that looks at another one would be worse than none."""
    if order.id != order_id:
        raise InputError(f"Amazon was asked for order {order_id} and answered with {order.id}")
    return order
