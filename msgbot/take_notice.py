"""Take a notice: what an ORDER_CHANGE notification says of an order goes on file at once, and the order is read from Amazon: only
there stands the buyer's reason (domain.md section 2)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon.order_change import OrderChange
from msgbot.clock import Clock
from msgbot.refresh import Refresh
from msgbot.take_orders import TakeOrders

SOURCE = "ORDER_CHANGE notification"


class TakeNotice:
    """The use case."""

    def __init__(self, take_orders: TakeOrders, refresh: Refresh, clock: Clock) -> None:
        self._take_orders = take_orders
        self._refresh = refresh
        self._clock = clock

    async def take(self, account: str, change: OrderChange, body: bytes, connection: AsyncConnection) -> None:
        """Puts a change on file, in the transaction of `connection`; `body` is the notification as it came."""
        order = change.order(account, SOURCE, not_after=self._clock())
        await self._take_orders.page(connection, account, [order], body, SOURCE)
        await self._refresh.later(connection, account, order.id, f"notice-{change.notification_id}")
