"""The Cancellation Rate (domain.md section 1): seller-cancelled orders out of all orders, seller-fulfilled only, over seven
days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from msgbot.domain.order import Fulfilment, Order, OrderStatus

WINDOW = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rate:
    """`counted` cancellations out of `orders`, as far as the orders on file tell."""

    counted: int
    orders: int

    @property
    def value(self) -> Fraction | None:
        """The rate between 0 and 1, or None without orders."""
        return Fraction(self.counted, self.orders) if self.orders else None

    def with_one_more(self) -> Rate:
        """The rate when one more of these orders is cancelled and counted."""
        return Rate(min(self.counted + 1, self.orders), self.orders)

    def __str__(self) -> str:
        return "unknown (no orders on file)" if self.value is None else f"{float(self.value):.1%} ({self.counted} of {self.orders})"


def seven_day_rate(orders: Iterable[Order], formally_requested: frozenset[str], now: datetime) -> Rate:
    """The rate over the seven days up to `now`, by purchase date.

    A cancelled order counts unless a formal request for it is on file. Reports do not say who cancelled, so buyers' own
    cancellations in the first minutes and Amazon's fraud checks, which do not count, are counted too: the true rate can only be
    lower.
    """
    counted = total = 0
    for order in orders:
        if order.fulfilment is Fulfilment.AMAZON or order.purchased_at is None or not now - WINDOW <= order.purchased_at <= now:
            continue
        total += 1
        counted += order.status is OrderStatus.CANCELLED and order.id not in formally_requested
    return Rate(counted, total)
