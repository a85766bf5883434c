"""What there is in the fake's world, and what people do in it: buyers who order and ask to cancel, sellers who ship."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgbot.clock import Clock, system_clock
from msgbot.fake_amazon.documents import Documents
from msgbot.fake_amazon.order_answers import order_change
from msgbot.fake_amazon.orders import Cancelled, FakeItem, FakeOrder, Refund
from msgbot.fake_amazon.sellers import Access, FakeSeller

FIRST_SELLER = "A1EXAMPLESELLER"


class World:
    """Everything that Amazon would know. Tests look at it and change it; times are those of `clock`.

    `lag` is how long ago a change must be to be listed (Amazon: two minutes). `cancellations` counts how often the cancellation of
    an order was submitted in a feed that was accepted, whatever came of it. `partial_cancellation` lets a feed cancel some items of
    an order, which Amazon's help says it does not (domain.md section 1).
    """

    def __init__(self, clock: Clock = system_clock, *, lag: timedelta = timedelta(minutes=2)) -> None:
        self.clock = clock
        self.lag = lag
        self.partial_cancellation = False
        self.access = Access()
        self.documents = Documents()
        self.orders: dict[str, FakeOrder] = {}
        self.refunds: list[Refund] = []
        self.cancellations: Counter[str] = Counter()
        self.between_pages: deque[Callable[[], object]] = deque()
        self.seller = self.add_seller(FIRST_SELLER)

    def add_seller(
        self, seller_id: str, marketplaces: tuple[str, ...] = ("ATVPDKIKX0DER",), *, refresh_token: str = ""
    ) -> FakeSeller:
        """A seller who has authorised the application; sells in `marketplaces`."""
        seller = FakeSeller(seller_id, refresh_token or f"Atzr|{seller_id}", marketplaces)
        self.access.sellers[seller_id] = seller
        return seller

    def add_order(
        self,
        order_id: str = "",
        *items: FakeItem,
        seller: FakeSeller | None = None,
        created_at: datetime | None = None,
        fulfilled_by: str = "MERCHANT",
        pending: bool = False,
        currency: str = "USD",
    ) -> FakeOrder:
        """A buyer's order, in the seller's first marketplace: of one thing if no items are given, an hour ago if no time is."""
        number = len(self.orders) + 1
        seller = seller or self.seller
        at = created_at or self.clock() - timedelta(hours=1)
        order = FakeOrder(
            order_id or f"114-0000000-{number:07d}",
            seller.id,
            seller.marketplaces[0],
            created_at=at,
            updated_at=at,
            ship_by=at + timedelta(days=2),
            items=list(items) or [FakeItem(f"{number:014d}")],
            fulfilled_by=fulfilled_by,
            currency=currency,
            pending=pending,
        )
        self.orders[order.id] = order
        return order

    def file_request(self, order_id: str, item_id: str | None = None, reason: str = "Ordered by mistake") -> None:
        """The buyer files the formal request, for one item or for all (domain.md section 1). Raises KeyError."""
        for item in self.orders[order_id].named(item_id):
            item.request = reason
        self.touch(order_id)

    def withdraw_request(self, order_id: str, item_id: str | None = None) -> None:
        """The request is no longer there. Raises KeyError."""
        for item in self.orders[order_id].named(item_id):
            item.request = None
        self.touch(order_id)

    def ship(self, order_id: str, item_id: str | None = None, quantity: int | None = None) -> None:
        """The seller confirms the shipment of one item or all, `quantity` of each or what is open. Raises KeyError."""
        order = self.orders[order_id]
        order.pending = False
        for item in order.named(item_id):
            item.shipped += item.open if quantity is None else min(quantity, item.open)
        self.touch(order_id)

    def pay(self, order_id: str) -> None:
        """The payment of a pending order is authorised. Raises KeyError."""
        self.orders[order_id].pending = False
        self.touch(order_id)

    def cancel_by_buyer(self, order_id: str) -> None:
        """The buyer cancels in the time in which no seller is asked. Raises KeyError."""
        self.cancel(order_id, Cancelled("BUYER", "Buyer cancelled"))

    def cancel(self, order_id: str, by: Cancelled, item_id: str | None = None) -> None:
        """What is open of the order or of one item is cancelled. Raises KeyError."""
        for item in self.orders[order_id].named(item_id):
            if item.open:
                item.cancelled = by
        self.touch(order_id)

    def touch(self, order_id: str) -> None:
        """Something about the order changes: its last update is now. Raises KeyError."""
        self.orders[order_id].updated_at = self.clock()

    def change_page_under_reader(self, change: Callable[[], object]) -> None:
        """`change` is done once, between two pages of orders: just before the next page that goes on with a list is made."""
        self.between_pages.append(change)

    def order_change(self, order_id: str, notification_id: str = "") -> dict[str, Any]:
        """The ORDER_CHANGE notification of the order as it is now, a new one unless `notification_id` is given. Raises KeyError."""
        return order_change(self.orders[order_id], self.clock(), notification_id)

    def refunded(self, order_id: str, item_id: str) -> Decimal:
        """What was given back for an item so far."""
        found = [each for each in self.refunds if (each.order_id, each.item_id) == (order_id, item_id)]
        return sum((amount for each in found for amount in each.amounts.values()), Decimal())
