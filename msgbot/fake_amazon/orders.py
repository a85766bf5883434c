"""The orders in the fake: one set of values, from which both versions of the Orders API answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Status(StrEnum):
    """Where an order stands, in the spelling of v2026-01-01."""

    PENDING = "PENDING"
    UNSHIPPED = "UNSHIPPED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Who cancelled an item (`BUYER`, `MERCHANT` or `AMAZON`) and why."""

    by: str
    reason: str


@dataclass(slots=True)
class FakeItem:
    """One line of an order. `request` is the buyer's reason once a formal request is filed (it may be empty), else None."""

    id: str
    sku: str = "SKU-1"
    asin: str = "B000000001"
    title: str = "A thing"
    quantity: int = 1
    price: Decimal = Decimal("10.00")
    shipped: int = 0
    request: str | None = None
    cancelled: Cancelled | None = None

    @property
    def open(self) -> int:
        """How many are still to be shipped."""
        return 0 if self.cancelled else self.quantity - self.shipped


@dataclass(slots=True)
class FakeOrder:
    """An order. `fulfilled_by` is `MERCHANT` or `AMAZON`; `pending` until payment is authorised."""

    id: str
    seller_id: str
    marketplace: str
    created_at: datetime
    updated_at: datetime
    ship_by: datetime
    items: list[FakeItem] = field(default_factory=list)
    fulfilled_by: str = "MERCHANT"
    currency: str = "USD"
    pending: bool = False

    @property
    def status(self) -> Status:
        """What follows from the items."""
        if all(item.cancelled for item in self.items):
            return Status.CANCELLED
        if self.pending:
            return Status.PENDING
        if not any(item.open for item in self.items):
            return Status.SHIPPED
        return Status.PARTIALLY_SHIPPED if any(item.shipped for item in self.items) else Status.UNSHIPPED

    def item(self, item_id: str) -> FakeItem:
        """The item with this id. Raises KeyError when the order has none."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    def named(self, item_id: str | None) -> list[FakeItem]:
        """The item with this id, or all items for None. Raises KeyError when the order has none of this id."""
        return list(self.items) if item_id is None else [self.item(item_id)]


@dataclass(frozen=True, slots=True)
class Refund:
    """What an adjustment feed gave back for an item: `amounts` by kind (`Principal`, `Tax`)."""

    order_id: str
    item_id: str
    reason: str
    quantity_cancelled: int
    amounts: dict[str, Decimal]
    currency: str
