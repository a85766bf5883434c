"""What stands in a feed: cancellations and adjustments, in Amazon's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgbot.amazon.order_feeds import (
    ACKNOWLEDGEMENT_FEED,
    ADJUSTMENT_FEED,
    Acknowledgement,
    write_acknowledgements,
    write_adjustments,
)
from msgbot.domain.order import Order
from msgbot.errors import InputError
from msgbot.spapi.access import Seller
from msgbot.store.cancellations import Cancellation


def type_of(each: Cancellation) -> str:
    """The type of feed that it goes into."""
    return ADJUSTMENT_FEED if each.adjustment is not None else ACKNOWLEDGEMENT_FEED


def thing_of(each: Cancellation) -> tuple[str, str, str]:
    """What it is about, for Amazon: an order that is cancelled, or an item of it that is refunded."""
    return type_of(each), each.order_id, each.adjustment.item_id if each.adjustment is not None else ""


def with_items(each: Cancellation, order: Order | None) -> Cancellation | None:
    """The cancellation with the codes of all items that are left of its order, as Amazon's feed wants them; None when it is for
    some of them only: no feed cancels a part (domain.md section 1)."""
    if each.adjustment is not None:
        return each
    codes = tuple(item.id for item in order.items_left if item.id) if order is not None else ()
    if not codes or (each.item_ids and set(each.item_ids) < set(codes)):
        return None
    return replace(each, item_ids=codes)


def of_one_feed(chosen: Sequence[Cancellation]) -> tuple[str, list[Cancellation]]:
    """The type of the feed that the first of `chosen` goes into, and those that go there with it: none of which is of the same
    thing as another, as Amazon would refuse them both."""
    feed_type = type_of(chosen[0])
    together: dict[tuple[str, str, str], Cancellation] = {}
    for each in chosen:
        if type_of(each) == feed_type:
            together.setdefault(thing_of(each), each)
    return feed_type, list(together.values())


def fault_in(seller: Seller, each: Cancellation) -> str:
    """Why Amazon would refuse this one, and with it all that stand in the same feed; empty when it would not."""
    try:
        content_of(seller, [each])
    except InputError as error:
        return str(error)
    return ""


def content_of(seller: Seller, together: Sequence[Cancellation]) -> bytes:
    """The feed that holds these, all of one type; message 1 is the first of them."""
    if type_of(together[0]) == ADJUSTMENT_FEED:
        return write_adjustments(seller.seller_id, [each.adjustment for each in together if each.adjustment is not None])
    return write_acknowledgements(
        seller.seller_id, [Acknowledgement(each.order_id, each.item_ids, each.reason) for each in together if each.reason]
    )
