"""Orders over HTTP: facts that other systems push, and everything that is on file about one."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from msgbot.amazon import marketplaces
from msgbot.domain.access import Permission as May
from msgbot.domain.order import Order, OrderItem, RequestKnowledge
from msgbot.errors import Conflict, InputError, NotFound
from msgbot.plain.orders import cancellation_data, formal_request_data, order_data, recorded_ruling_data
from msgbot.store import cancellations, formal_requests, messages, orders, rulings
from msgbot.web.answers import OrderDetailData, PushedData
from msgbot.web.messages import listed
from msgbot.web.problems import Problem
from msgbot.web.routing import Call, Route, answer
from msgbot.web.shapes import ItemIn, OrderIn

_CLOCKS_DIFFER = timedelta(minutes=2)
_PATIENCE = 10.0
"""Seconds that a client waits for Amazon."""


async def put_order(call: Call) -> web.StreamResponse:
    """Takes in what another system says of an order."""
    order_id = call.order_id()
    given = call.body(OrderIn)
    source = f"api {call.who.removeprefix('token:')}"
    trusted = call.actor is not None and call.actor.token_name in call.service.settings.trusted_sources
    now = call.service.clock()
    as_of = given.as_of or now
    if as_of > now + _CLOCKS_DIFFER:
        raise InputError("as_of lies in the future: facts of tomorrow would never grow old", field="as_of")
    place = marketplaces.by_id(given.marketplace) or marketplaces.by_domain(given.marketplace)
    if given.marketplace and place is None:
        raise InputError(f"marketplace {given.marketplace!r} is not known", field="marketplace")
    items = tuple(_item(item, trusted) for item in given.items)
    tells = any(item.formal_request is not RequestKnowledge.UNKNOWN for item in items)
    order = Order(
        account=call.account,
        id=order_id,
        status=given.status,
        fulfilment=given.fulfilment,
        as_of=min(as_of, now),
        source=source,
        items=items,
        marketplace=place.id if place is not None else "",
        purchased_at=given.purchased_at,
        ship_by=given.ship_by,
        updated_at=given.updated_at,
        request_as_of=min(as_of, now) if tells else None,
    )
    taken, _ = await call.service.take_orders.push(order, call.raw, trusted=trusted, request_id=call.request_id)
    if not trusted and (taken.new or taken.changed):
        await _ask_amazon(call, order_id)
    notes = []
    if not trusted and any(item.formal_request is not RequestKnowledge.UNKNOWN for item in given.items):
        notes.append(f"what is said of formal requests was not believed: {source!r} is no trusted source (setting trusted_sources)")
    if not trusted and given.items and not taken.new:
        notes.append("the items on file stay as they are: they are not for a source to change that is not trusted")
    if taken.older:
        notes.append("what is on file is newer than as_of and stays as it is")
    async with call.service.database.reading() as connection:
        known = await orders.get(connection, call.account, order_id)
        formal = await formal_requests.of_order(connection, call.account, order_id)
    data: PushedData = {
        "order": order_data(known or order),
        "new": bool(taken.new),
        "changed": bool(taken.changed),
        "formal_requests": [formal_request_data(request) for request in formal],
        "notes": notes,
    }
    return answer(data, 201 if taken.new else 200)


async def get_order(call: Call) -> web.StreamResponse:
    """Everything on file about an order."""
    return answer(await _detail(call))


async def refresh_order(call: Call) -> web.StreamResponse:
    """Everything on file about an order, after it was read from Amazon."""
    order_id, refresh = call.order_id(), call.service.refresh
    if not refresh.is_live(call.account):
        raise Conflict(f"the account {call.account} is not connected to Amazon: push what you know of the order, or a report")
    try:
        await refresh.read_now(call.account, order_id, _PATIENCE)
    except InputError as error:
        raise Problem(503, "amazon_unreadable", f"Amazon's answer about order {order_id} cannot be read: {error}") from error
    return answer(await _detail(call))


async def _detail(call: Call) -> OrderDetailData:
    order_id, account = call.order_id(), call.account
    async with call.service.database.reading() as connection:
        order = await orders.get(connection, account, order_id)
        formal = await formal_requests.of_order(connection, account, order_id)
        conversation = await messages.about_order(connection, account, order_id)
        shown = await listed(connection, account, conversation.turns)
        made = await rulings.of_order(connection, account, order_id)
        let_through = await cancellations.of_orders(connection, account, [order_id])
    if order is None and not formal and not shown and not made:
        raise NotFound(f"nothing is on file about order {order_id} of account {account}")
    return {
        "order": order_data(order) if order is not None else None,
        "formal_requests": [formal_request_data(request) for request in formal],
        "messages": shown,
        "rulings": [recorded_ruling_data(ruling) for ruling in made],
        "cancellations": [cancellation_data(each) for each in let_through],
    }


async def _ask_amazon(call: Call, order_id: str) -> None:
    """Sees to it that a connected account's order is read again where a cancellation waits for what is to become of it."""
    async with call.service.database.transaction() as connection:
        if await cancellations.of_orders(connection, call.account, [order_id], cancellations.OPEN):
            why = f"pushed-{call.service.clock().timestamp():.0f}"
            await call.service.refresh.later(connection, call.account, order_id, why)


def _item(given: ItemIn, trusted: bool) -> OrderItem:
    """The item; what a source that is not trusted says of formal requests, yes or no, is as if it had said nothing."""
    formal = given.formal_request if trusted else RequestKnowledge.UNKNOWN
    reason = given.cancel_reason if trusted else ""
    return OrderItem(given.id, given.sku, given.asin, given.title, given.quantity, formal, reason)


ROUTES = (
    Route(
        method="PUT",
        path="/v1/orders/{order_id}",
        handler=put_order,
        tag="Orders and cancellations",
        says="Push what another system knows of an order.\n\nIts origin is recorded. What it says of formal requests is "
        "believed only of tokens named in the setting "
        "trusted_sources; of others it counts as unknown. Older facts do not replace newer ones.",
        permission=May.WRITE_ORDERS,
        body=OrderIn,
        answers={200: PushedData, 201: PushedData},
        changes=True,
        again=True,
    ),
    Route(
        method="GET",
        path="/v1/orders/{order_id}",
        handler=get_order,
        tag="Orders and cancellations",
        says="Look at an order.\n\nWith its conversation, formal requests, rulings and cancellations.",
        permission=May.READ_ORDERS,
        answers={200: OrderDetailData},
    ),
    Route(
        method="POST",
        path="/v1/orders/{order_id}/refresh",
        handler=refresh_order,
        tag="Orders and cancellations",
        says="Read an order from Amazon now.\n\nAnswers with everything that is on file about it then. 404 when Amazon knows no "
        "such order, 409 when the account is not connected to Amazon, 503 when Amazon does not answer within 10 seconds. It"
        " is read by itself before it is answered or ruled on.",
        permission=May.REFRESH_ORDERS,
        answers={200: OrderDetailData},
        changes=True,
        again=True,
    ),
)
