"""The Cancellation Rate (domain.md section 1): seller-cancelled orders out of all orders, seller-fulfilled only, over seven
days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

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
