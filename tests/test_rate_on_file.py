"""The Cancellation Rate from what is on file, on real SQLite and real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from msgbot.domain.order import Canceller, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.domain.rate import WINDOW, Rate
from msgbot.rate_on_file import seven_days
from msgbot.store import formal_requests, orders
from msgbot.store.database import Database
from tests.conftest import NOW

CANCELLED = Order("main", "A", OrderStatus.CANCELLED, Fulfilment.SELLER, NOW, "report", purchased_at=NOW - timedelta(days=1))
SHIPPED = replace(CANCELLED, id="B", status=OrderStatus.SHIPPED)
REQUESTED = (OrderItem("1", formal_request=RequestKnowledge.YES), OrderItem("2", formal_request=RequestKnowledge.YES))
A_MOMENT = timedelta(microseconds=1)


def cancelled_by(*cancellers: Canceller) -> Order:
    return replace(CANCELLED, items=tuple(OrderItem(str(number), cancelled_by=each) for number, each in enumerate(cancellers)))


@pytest.mark.parametrize(
    ("placed", "rate"),
    [
        ([], Rate(0, 0)),
        ([SHIPPED], Rate(0, 1)),
        ([CANCELLED, SHIPPED], Rate(1, 2)),
        ([replace(CANCELLED, items=REQUESTED), SHIPPED], Rate(0, 2)),
        ([CANCELLED, replace(SHIPPED, items=REQUESTED)], Rate(1, 2)),
        # without a formal request: only what the seller cancelled counts, and what nobody knows of
        ([cancelled_by(Canceller.BUYER), SHIPPED], Rate(0, 2)),
        ([cancelled_by(Canceller.AMAZON), SHIPPED], Rate(0, 2)),
        ([cancelled_by(Canceller.SELLER), SHIPPED], Rate(1, 2)),
        ([cancelled_by(Canceller.UNKNOWN), SHIPPED], Rate(1, 2)),
        ([cancelled_by(Canceller.BUYER, Canceller.SELLER), SHIPPED], Rate(1, 2)),
        ([replace(CANCELLED, fulfilment=Fulfilment.AMAZON), SHIPPED], Rate(0, 1)),
        ([replace(CANCELLED, fulfilment=Fulfilment.UNKNOWN), SHIPPED], Rate(1, 2)),
        ([replace(CANCELLED, status=OrderStatus.UNKNOWN)], Rate(0, 1)),
        ([replace(CANCELLED, purchased_at=None), SHIPPED], Rate(0, 1)),
        ([replace(CANCELLED, purchased_at=NOW), replace(SHIPPED, purchased_at=NOW - WINDOW)], Rate(1, 2)),
        ([replace(CANCELLED, purchased_at=NOW + A_MOMENT), replace(SHIPPED, purchased_at=NOW - WINDOW - A_MOMENT)], Rate(0, 0)),
    ],
)
async def test_cancelled_orders_of_seven_days_count_unless_formally_requested(
    database: Database, placed: list[Order], rate: Rate
) -> None:
    async with database.transaction() as connection:
        await orders.put(connection, "main", placed)
        await formal_requests.put(connection, "main", placed, "5a")
    async with database.reading() as connection:
        assert await seven_days(connection, "main", NOW) == rate


async def test_the_rate_is_that_of_one_account(database: Database) -> None:
    """A formal request in another account, for an order of the same id, changes nothing."""
    other = replace(CANCELLED, account="other", items=REQUESTED)
    async with database.transaction() as connection:
        for each in (CANCELLED, other):
            await orders.put(connection, each.account, [each])
            await formal_requests.put(connection, each.account, [each], "5a")
    async with database.reading() as connection:
        assert await seven_days(connection, "main", NOW) == Rate(1, 1)
        assert await seven_days(connection, "other", NOW) == Rate(0, 1)
