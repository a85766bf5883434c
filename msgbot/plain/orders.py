"""Orders, formal requests, rulings and cancellations as plain data."""

from __future__ import annotations

from typing_extensions import TypedDict

from msgbot.amazon.cancellation_files import CancellationRow
from msgbot.domain.cancellation import Adjustment
from msgbot.domain.guard import Ruling
from msgbot.domain.order import FormalRequest, Order
from msgbot.plain.messages import moment
from msgbot.store.cancellations import Cancellation
from msgbot.store.rulings import Recorded


class ItemData(TypedDict):
    """One line of an order. `formal_request` is yes, no or unknown, as the source tells it. `cancelled_by` is buyer, seller or
    amazon; empty while nobody did, or where the source does not tell."""

    id: str
    sku: str
    asin: str
    title: str
    quantity: int | None
    quantity_shipped: int | None
    formal_request: str
    cancel_reason: str
    cancelled_by: str


class OrderData(TypedDict):
    """What is known of an order, from which source, and when that was true (`as_of`). `cancelled_by` as for its items: seller if it
    was the seller for any of them."""

    id: str
    account: str
    status: str
    cancelled_by: str
    fulfilment: str
    as_of: str
    source: str
    items: list[ItemData]
    marketplace: str
    purchased_at: str | None
    ship_by: str | None
    updated_at: str | None


class FormalRequestData(TypedDict):
    """A formal request on file. `item_id` is empty when it is for the whole order. `denied_by` is a later source that says there is
    none, and `denied_at` when that was read; the request stays. `evidence` and `denied_evidence` are the SHA-256, in hex, of what
    each of the two was read from."""

    order_id: str
    item_id: str
    source: str
    seen_at: str
    reason: str
    denied_by: str
    denied_at: str | None
    evidence: str
    denied_evidence: str


class AmountData(TypedDict):
    """Money to give back. `kind` is Principal, Tax, Shipping, ShippingTax, GiftWrap or GiftWrapTax; `amount` is a decimal number as
    text."""

    kind: str
    amount: str
    currency: str


class AdjustmentData(TypedDict):
    """What is to be taken off one item of an order that was shipped, and given back."""

    quantity: int
    amounts: list[AmountData]


class RulingData(TypedDict):
    """What the guard says of a cancellation: allowed, blocked or needs_confirmation. `counts`: whether it would count in the
    Cancellation Rate; null where that cannot be told."""

    outcome: str
    code: str
    reasons: list[str]
    way_out: str
    counts: bool | None
    items_without_request: list[str]
    can_be_overridden: bool


class RecordedRulingData(TypedDict):
    """A ruling on file. `adjustment` is null when a cancellation was ruled on."""

    id: str
    at: str
    order_id: str
    item_ids: list[str]
    reason: str
    outcome: str
    code: str
    reasons: list[str]
    way_out: str
    counts: bool | None
    origin: str
    asked_by: str
    overridden_by: str
    overridden_at: str | None
    override_reason: str
    adjustment: AdjustmentData | None


class RowData(RulingData):
    """A row of a cancellation file and the ruling on it. `reason` is as Amazon spells it, or as it stands in the file."""

    line: int
    order_id: str
    item_id: str
    reason: str


class CancellationData(TypedDict):
    """A cancellation, or an adjustment of an order that was shipped, that was let through.

    `state` is ready (waits to be handed to Amazon; `note` says why, where it takes long), by_hand (for a person in Seller
    Central: no feed of Amazon's cancels a part of an order), submitted (it stands in a feed that goes to Amazon or went there),
    accepted (Amazon's report has nothing against it; the order was not seen cancelled yet), done (the order was seen cancelled;
    Amazon took the adjustment), refused (Amazon did not do it; `note` has Amazon's words), lapsed (it is not to be done any more:
    the order was shipped, somebody took it back, or the guard would not let it through now), or unsure (nobody can tell whether
    Amazon has it: look at the order in Seller Central; if it is not cancelled there, withdraw this one). Of an account that is
    not connected to Amazon, only ready, done and lapsed come up.

    `reason` is as Amazon's feeds spell it; `feed` is the feed that it stands in, if any; `adjustment` is null for a
    cancellation."""

    id: str
    account: str
    order_id: str
    item_ids: list[str]
    reason: str
    state: str
    ruling_id: str
    asked_by: str
    counts: bool | None
    created_at: str
    changed_at: str
    note: str
    feed: str
    adjustment: AdjustmentData | None


def order_data(order: Order) -> OrderData:
    """An order as plain data."""
    items: list[ItemData] = [
        {
            "id": item.id,
            "sku": item.sku,
            "asin": item.asin,
            "title": item.title,
            "quantity": item.quantity,
            "quantity_shipped": item.quantity_shipped,
            "formal_request": item.formal_request.value,
            "cancel_reason": item.cancel_reason,
            "cancelled_by": item.cancelled_by.value,
        }
        for item in order.items
    ]
    return {
        "id": order.id,
        "account": order.account,
        "status": order.status.value,
        "cancelled_by": order.cancelled_by.value,
        "fulfilment": order.fulfilment.value,
        "as_of": order.as_of.isoformat(),
        "source": order.source,
        "items": items,
        "marketplace": order.marketplace,
        "purchased_at": moment(order.purchased_at),
        "ship_by": moment(order.ship_by),
        "updated_at": moment(order.updated_at),
    }


def formal_request_data(request: FormalRequest) -> FormalRequestData:
    """A formal request as plain data."""
    return {
        "order_id": request.order_id,
        "item_id": request.item_id,
        "source": request.source,
        "seen_at": request.seen_at.isoformat(),
        "reason": request.reason,
        "denied_by": request.denied_by,
        "denied_at": moment(request.denied_at),
        "evidence": request.evidence,
        "denied_evidence": request.denied_evidence,
    }


def ruling_data(ruling: Ruling) -> RulingData:
    """A ruling as plain data."""
    return {
        "outcome": ruling.outcome.value,
        "code": ruling.code.value,
        "reasons": list(ruling.reasons),
        "way_out": ruling.way_out,
        "counts": ruling.counts,
        "items_without_request": list(ruling.items_without_request),
        "can_be_overridden": ruling.can_be_overridden,
    }


def recorded_ruling_data(ruling: Recorded) -> RecordedRulingData:
    """A ruling on file as plain data."""
    return {
        "id": ruling.id,
        "at": ruling.at.isoformat(),
        "order_id": ruling.order_id,
        "item_ids": list(ruling.item_ids),
        "reason": ruling.reason,
        "outcome": ruling.outcome,
        "code": ruling.code,
        "reasons": list(ruling.reasons),
        "way_out": ruling.way_out,
        "counts": ruling.counts,
        "origin": ruling.origin,
        "asked_by": ruling.asked_by,
        "overridden_by": ruling.overridden_by,
        "overridden_at": moment(ruling.overridden_at),
        "override_reason": ruling.override_reason,
        "adjustment": _adjustment_data(ruling.adjustment),
    }


def row_data(row: CancellationRow, ruling: Ruling) -> RowData:
    """A row of a cancellation file and the ruling on it, as plain data."""
    reason = row.reason.value if row.reason else row.reason_text
    return {"line": row.line, "order_id": row.order_id, "item_id": row.item_id, "reason": reason, **ruling_data(ruling)}


def cancellation_data(cancellation: Cancellation) -> CancellationData:
    """A cancellation as plain data."""
    return {
        "id": cancellation.id,
        "account": cancellation.account,
        "order_id": cancellation.order_id,
        "item_ids": list(cancellation.item_ids),
        "reason": cancellation.reason_text,
        "state": cancellation.state.value,
        "ruling_id": cancellation.ruling_id,
        "asked_by": cancellation.asked_by,
        "counts": cancellation.counts,
        "created_at": cancellation.created_at.isoformat(),
        "changed_at": cancellation.changed_at.isoformat(),
        "note": cancellation.note,
        "feed": cancellation.feed,
        "adjustment": _adjustment_data(cancellation.adjustment),
    }


def _adjustment_data(adjustment: Adjustment | None) -> AdjustmentData | None:
    if adjustment is None:
        return None
    amounts: list[AmountData] = [
        {"kind": each.kind, "amount": str(each.amount), "currency": each.currency} for each in adjustment.amounts
    ]
    return {"quantity": adjustment.quantity, "amounts": amounts}
