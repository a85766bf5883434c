"""The guard of order adjustments: may this item be taken off an order that was shipped? Cancelled items cost the seller the same
there as before shipping, so what is asked of the buyer's request is the same (domain.md section 1)."""

from __future__ import annotations

from msgbot.domain.cancellation import Adjustment
from msgbot.domain.guard import Case, Ruling, RulingCode, blocked, judge_reason, refresh_way, verified
from msgbot.domain.order import OrderItem, OrderStatus


def judge_adjustment(case: Case[Adjustment]) -> Ruling:
    """The ruling on one adjustment."""
    order = verified(case)
    if isinstance(order, Ruling):
        return order
    if order.status is OrderStatus.CANCELLED:
        return blocked(RulingCode.NOT_SHIPPED, "the order is cancelled: there is nothing to adjust", "nothing is left to do")
    if order.status not in {OrderStatus.SHIPPED, OrderStatus.PARTLY_SHIPPED}:
        reason = f"the order is {order.status.value}: only what was shipped, or shipped in part, is adjusted"
        return blocked(RulingCode.NOT_SHIPPED, reason, "cancel it instead")
    asked = case.proposal
    item = next((item for item in order.items if item.id and item.id == asked.item_id), None)
    if item is None:
        reason = f"the order has no item {asked.item_id}" if asked.item_id else "no item is named"
        return blocked(RulingCode.UNKNOWN_ITEM, reason, "give an item code of this order")
    if item.quantity is None:
        reason = f"the orders on file do not tell how many of item {item.id} were ordered"
        return blocked(RulingCode.WRONG_QUANTITY, reason, refresh_way(case))
    if item.quantity_shipped is None:
        reason = f"the orders on file do not tell how many of item {item.id} were shipped"
        return blocked(RulingCode.WRONG_QUANTITY, reason, refresh_way(case))
    wrong = _what_is_wrong(asked.quantity, item, item.quantity - item.quantity_shipped, case.adjusted)
    if wrong:
        return blocked(RulingCode.WRONG_QUANTITY, wrong, "give a quantity that was ordered and not shipped")
    return judge_reason(case, order)


def _what_is_wrong(quantity: int, item: OrderItem, unsent: int, adjusted: int) -> str:
    """What is wrong with taking `quantity` off an item of which `unsent` were ordered and not shipped, and `adjusted` were taken
    off before; empty if nothing is."""
    if quantity < 1:
        return f"{quantity} of item {item.id} is nothing to adjust"
    if item.quantity is not None and quantity > item.quantity:
        return f"{quantity} of item {item.id} are more than the {item.quantity} that were ordered"
    left = unsent - adjusted
    if quantity > left and adjusted:
        return f"{quantity} of item {item.id} are too many: {adjusted} were taken off before, and {max(left, 0)} are left"
    if quantity > left:
        return f"{quantity} of item {item.id} are more than the {left} that were not shipped; what was shipped can be returned"
    return ""
