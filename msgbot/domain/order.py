"""Orders and formal requests: the facts that a decision rests on, each with the source and time it was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order stands. Amazon spells the last but one `Canceled` in v0 and `CANCELLED` in v2026 (domain.md section 3)."""

    PENDING = "pending"
    UNSHIPPED = "unshipped"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Fulfilment(StrEnum):
    """Who ships: the seller (MFN) or Amazon (AFN, "FBA")."""

    SELLER = "seller"
    AMAZON = "amazon"
    UNKNOWN = "unknown"


class RequestKnowledge(StrEnum):
    """What one reading of an order says about the buyer's formal request (domain.md section 2)."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """The source cannot carry the flag. Never the same as no."""


class Canceller(StrEnum):
    """Who cancelled, as far as the source tells (v2026 `cancelledBy`): only what the seller cancels counts in the rate."""

    BUYER = "buyer"
    SELLER = "seller"
    AMAZON = "amazon"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One line of an order. `quantity` is None where the source does not tell."""

    id: str
    sku: str = ""
    asin: str = ""
    title: str = ""
    quantity: int | None = None
    formal_request: RequestKnowledge = RequestKnowledge.UNKNOWN
    cancel_reason: str = ""
    """The buyer's own reason from the formal request, as Amazon gives it."""
    cancelled_by: Canceller = Canceller.UNKNOWN
    quantity_shipped: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What one source says of one order at `as_of` (aware, UTC).

    `source` names the source for people (`order report orders.txt`). `marketplace` is a marketplace id or empty.
    """

    account: str
    id: str
    status: OrderStatus
    fulfilment: Fulfilment
    as_of: datetime
    source: str
    items: tuple[OrderItem, ...] = ()
    marketplace: str = ""
    purchased_at: datetime | None = None
    ship_by: datetime | None = None
    updated_at: datetime | None = None
    request_as_of: datetime | None = None
    """When a source that can tell of formal requests was last read; None if none ever was."""

    @property
    def cancelled_by(self) -> Canceller:
        """Who cancelled it, as far as its items tell: the seller if it was the seller for any of them; the buyer or Amazon only if
        no item leaves it open."""
        cancellers = {item.cancelled_by for item in self.items}
        for who in (Canceller.SELLER, Canceller.UNKNOWN, Canceller.BUYER, Canceller.AMAZON):
            if who in cancellers:
                return who
        return Canceller.UNKNOWN

    @property
    def items_left(self) -> tuple[OrderItem, ...]:
        """The items but for those of which nothing is left: Amazon lists what was cancelled before with a quantity of 0."""
        return tuple(item for item in self.items if item.quantity != 0)

    def seen_at(self, now: datetime, freshness: timedelta) -> Order:
        """The order as it may be relied on at `now`: an old "no formal request" is no longer known to be true."""
        if self.request_as_of is not None and now - self.request_as_of <= freshness:
            return self
        items = tuple(
            replace(item, formal_request=RequestKnowledge.UNKNOWN) if item.formal_request is RequestKnowledge.NO else item
            for item in self.items
        )
        return replace(self, items=items)


@dataclass(frozen=True, slots=True)
class FormalRequest:
    """A formal request on file: who said so, when it was first seen, and for which item.

    `item_id` is empty when it is for the whole order, and `sku:…` when the source names items by SKU only (all-orders reports)."""

    order_id: str
    item_id: str
    source: str
    seen_at: datetime
    reason: str = ""
    denied_by: str = ""
    """A source that was read later and says that there is no such request, if any does."""
    evidence: str = ""
    """SHA-256 of the bytes that said so, in hex; empty for requests filed by earlier releases."""
    denied_evidence: str = ""
    """The same of the bytes that deny it."""
    denied_at: datetime | None = None
    """When the newest reading that denies it was made."""

    def covers(self, item: OrderItem) -> bool:
        """Whether the request is for `item`."""
        return self.item_id in {"", item.id} or (bool(item.sku) and self.item_id == item_key(item))


def item_key(item: OrderItem) -> str:
    """What a formal request for `item` is filed under where the source gives no item id: its SKU, if it has one."""
    return f"sku:{item.sku}" if item.sku else ""
