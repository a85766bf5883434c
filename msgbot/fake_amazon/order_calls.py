"""Answers the calls of both versions of the Orders API, with Amazon's rules on their parameters (domain.md section 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from msgbot.fake_amazon.call import Call, Reply, invalid, missing, spell
from msgbot.fake_amazon.order_answers import V0_CHANNEL, V0_STATUS, v0_item, v0_order, v2026_order
from msgbot.fake_amazon.orders import FakeOrder, Status
from msgbot.fake_amazon.world import World

V0_PARAMETERS = ("CreatedAfter", "CreatedBefore", "LastUpdatedAfter", "LastUpdatedBefore")
V2026_PARAMETERS = ("createdAfter", "createdBefore", "lastUpdatedAfter", "lastUpdatedBefore")
STATUS_BY_V0 = {spelt: status for status, spelt in V0_STATUS.items()}
OTHER_V0_STATUSES = {"Unfulfillable", "InvoiceUnconfirmed", "PendingAvailability"}
OTHER_STATUSES = {"UNFULFILLABLE", "PENDING_AVAILABILITY"}
CHANNEL_BY_V0 = {spelt: channel for channel, spelt in V0_CHANNEL.items()}
DATASETS = frozenset(
    {
        "BUYER",
        "RECIPIENT",
        "PROCEEDS",
        "EXPENSE",
        "PROMOTION",
        "CANCELLATION",
        "FULFILLMENT",
        "PACKAGES",
        "TAX",
        "PAYMENT",
        "FULFILLMENT_ORDERS",
    }
)
ORDER_ID = re.compile(r"\d{3}-\d{7}-\d{7}")


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search is for: the same on all its pages, `before` too, so that what changes meanwhile is for the next search."""

    by_creation: bool
    after: datetime
    before: datetime
    marketplaces: tuple[str, ...]
    statuses: frozenset[str]
    channels: frozenset[str]

    def moment(self, order: FakeOrder) -> datetime:
        """The time of the order that is looked at."""
        return order.created_at if self.by_creation else order.updated_at

    def finds(self, order: FakeOrder) -> bool:
        """Whether the order is one of those."""
        return (
            self.after <= self.moment(order) <= self.before
            and (not self.marketplaces or order.marketplace in self.marketplaces)
            and (not self.statuses or order.status in self.statuses)
            and (not self.channels or order.fulfilled_by in self.channels)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a search; `next_token` is empty on the last one."""

    sought: Sought
    orders: list[FakeOrder]
    next_token: str


class OrderCalls:
    """The orders as a caller sees them: only those of the seller."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, tuple[str, Sought, tuple[datetime, str]]] = {}

    def search_v0(self, call: Call) -> Reply:
        """Answers getOrders."""
        call.only(*V0_PARAMETERS, "MarketplaceIds", "OrderStatuses", "FulfillmentChannels", "MaxResultsPerPage", "NextToken")
        marketplaces = call.several("MarketplaceIds", most=50)
        if not marketplaces:
            raise invalid("MarketplaceIds is required.")
        statuses = call.several("OrderStatuses", frozenset(STATUS_BY_V0) | OTHER_V0_STATUSES)
        channels = call.several("FulfillmentChannels", frozenset(CHANNEL_BY_V0))
        page = self._page(
            call,
            V0_PARAMETERS,
            marketplaces,
            frozenset(STATUS_BY_V0.get(each, each) for each in statuses),
            frozenset(CHANNEL_BY_V0[each] for each in channels),
            call.one("NextToken"),
            call.number("MaxResultsPerPage", 100),
        )
        payload: dict[str, object] = {"Orders": [v0_order(order) for order in page.orders]}
        payload["CreatedBefore" if page.sought.by_creation else "LastUpdatedBefore"] = spell(page.sought.before)
        if page.next_token:
            payload["NextToken"] = page.next_token
        return Reply(200, {"payload": payload})

    def search_v2026(self, call: Call) -> Reply:
        """Answers searchOrders."""
        others = ("marketplaceIds", "fulfillmentStatuses", "fulfilledBy", "maxResultsPerPage", "paginationToken", "includedData")
        call.only(*V2026_PARAMETERS, *others)
        included = call.several("includedData", DATASETS)
        page = self._page(
            call,
            V2026_PARAMETERS,
            call.several("marketplaceIds", most=50),
            frozenset(call.several("fulfillmentStatuses", frozenset(Status) | OTHER_STATUSES)),
            frozenset(call.several("fulfilledBy", frozenset(V0_CHANNEL))),
            call.one("paginationToken"),
            call.number("maxResultsPerPage", 100),
        )
        whole: dict[str, object] = {"orders": [v2026_order(order, included) for order in page.orders]}
        whole["createdBefore" if page.sought.by_creation else "lastUpdatedBefore"] = spell(page.sought.before)
        if page.next_token:
            whole["pagination"] = {"nextToken": page.next_token}
        return Reply(200, whole)

    def one_v0(self, call: Call) -> Reply:
        """Answers getOrder of v0."""
        call.only()
        return Reply(200, {"payload": v0_order(self._own(call))})

    def items_v0(self, call: Call) -> Reply:
        """Answers getOrderItems. All items are on one page, as they are at Amazon for all but very large orders."""
        call.only("NextToken")
        order = self._own(call)
        return Reply(200, {"payload": {"AmazonOrderId": order.id, "OrderItems": [v0_item(order, item) for item in order.items]}})

    def one_v2026(self, call: Call) -> Reply:
        """Answers getOrder of v2026-01-01."""
        call.only("includedData")
        return Reply(200, {"order": v2026_order(self._own(call), call.several("includedData", DATASETS))})

    def _own(self, call: Call) -> FakeOrder:
        order_id = call.names["order"]
        if not ORDER_ID.fullmatch(order_id):
            raise invalid("The order id is not in 3-7-7 format.")
        order = self._world.orders.get(order_id)
        if order is None or order.seller_id != call.seller_id:
            raise missing("The order was not found.")
        return order

    def _page(
        self,
        call: Call,
        names: tuple[str, ...],
        marketplaces: tuple[str, ...],
        statuses: frozenset[str],
        channels: frozenset[str],
        token: str,
        size: int,
    ) -> Page:
        self._world.access.check_marketplaces(call, marketplaces)
        place: tuple[datetime, str] | None = None
        if token:
            if token not in self._tokens or self._tokens[token][0] != call.seller_id:
                raise invalid("The pagination token is invalid.")
            _, sought, place = self._tokens[token]
            if self._world.between_pages:
                self._world.between_pages.popleft()()
        else:
            by_creation, after, before = self._window(call, names)
            sought = Sought(by_creation, after, before, marketplaces, statuses, channels)
        found = sorted(
            (sought.moment(order), order.id)
            for order in list(self._world.orders.values())
            if order.seller_id == call.seller_id and sought.finds(order)
        )
        rest = [key for key in found if place is None or key > place]
        next_token = ""
        if len(rest) > size:
            next_token = f"page/{len(self._tokens) + 1}+{call.seller_id}=="
            self._tokens[next_token] = (call.seller_id, sought, rest[size - 1])
        return Page(sought, [self._world.orders[key[1]] for key in rest[:size]], next_token)

    def _window(self, call: Call, names: tuple[str, ...]) -> tuple[bool, datetime, datetime]:
        """Whether by creation, from when and to when. Raises Refusal (400) for what Amazon refuses."""
        created_after, created_before, updated_after, updated_before = (call.moment(name) for name in names)
        if (created_after is None) == (updated_after is None):
            raise invalid(f"Exactly one of {names[0]} and {names[2]} must be given.")
        if (created_after is None and created_before) or (updated_after is None and updated_before):
            raise invalid(f"{names[1]} goes with {names[0]}, and {names[3]} with {names[2]}.")
        after, before = (created_after, created_before) if created_after else (updated_after, updated_before)
        assert after is not None  # noqa: S101 - one of the two is given
        latest = call.at - self._world.lag
        if after > call.at:
            raise invalid("The start of the time range is in the future.")
        if before is not None and (before < after or before > latest):
            raise invalid("The end of the time range must be after its start and at least two minutes ago.")
        return created_after is not None, after, before or latest
