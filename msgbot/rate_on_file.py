"""The Cancellation Rate as the orders on file tell it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.order import OrderStatus
from msgbot.domain.rate import WINDOW, Rate, seven_day_rate
from msgbot.store import formal_requests, orders


async def seven_days(connection: AsyncConnection, account: str, now: datetime) -> Rate:
    """The rate over the seven days up to `now`."""
    placed = await orders.purchased_between(connection, account, now - WINDOW, now)
    cancelled = [order.id for order in placed if order.status is OrderStatus.CANCELLED]
    return seven_day_rate(placed, await formal_requests.requested_orders(connection, account, cancelled), now)
