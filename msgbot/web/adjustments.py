"""Adjustments over HTTP: what was not shipped is taken off an order that was shipped, past the same guard as a cancellation."""

from __future__ import annotations

from decimal import Decimal

from aiohttp import web

from msgbot.cancel import Asking
from msgbot.domain.access import Permission as May
from msgbot.domain.cancellation import Adjustment, Amount
from msgbot.errors import Conflict
from msgbot.web.amazon_shapes import AdjustmentIn
from msgbot.web.answers import RequestedData
from msgbot.web.cancellations import requested
from msgbot.web.routing import Call, Route


async def post_adjustment(call: Call) -> web.StreamResponse:
    """Asks the guard: 202 when the adjustment goes ahead, 409 with the ruling when it does not."""
    order_id, given = call.order_id(), call.body(AdjustmentIn)
    if not call.service.refresh.is_live(call.account):
        raise Conflict(f"the account {call.account} is not connected to Amazon: refund in Seller Central")
    amounts = tuple(Amount(each.kind, Decimal(each.amount), each.currency) for each in given.amounts)
    proposal = Adjustment(order_id, given.item_id, given.reason, given.quantity, amounts)
    asking = Asking("HTTP API", call.who, call.request_id)
    return requested(await call.service.cancel.request(call.account, proposal, asking, confirm=given.confirm))


ROUTES = (
    Route(
        method="POST",
        path="/v1/orders/{order_id}/adjustments",
        handler=post_adjustment,
        tag="Orders and cancellations",
        says="Ask for an adjustment.\n\nTakes what was not shipped off an order that was shipped, or shipped in part, and gives "
        "the money back. The guard rules on it as on a cancellation: 202 when it goes ahead, 409 with the ruling when it "
        "does not. It goes to Amazon by itself, and is followed under `Location` as a cancellation is. 409 also for an "
        "account that is not connected to Amazon.",
        permission=May.WRITE_ADJUSTMENTS,
        body=AdjustmentIn,
        answers={202: RequestedData},
        changes=True,
    ),
)
