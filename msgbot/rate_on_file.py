"""The Cancellation Rate as the orders on file tell it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.rate import WINDOW, Rate
from msgbot.store import orders


async def seven_days(connection: AsyncConnection, account: str, now: datetime) -> Rate:
    """The rate over the seven days up to `now`, by purchase date.

    A cancelled order counts unless a formal request for it is on file, or the buyer or Amazon cancelled it. Amazon also cancels
    what is not shipped a week after its ship-by date, which counts; but no order of these seven days can be that late. Reports do
    not say who cancelled: what only they tell of is counted, so the true rate can only be lower.
    """
    counted, total = await orders.count_for_rate(connection, account, now - WINDOW, now)
    return Rate(counted, total)
