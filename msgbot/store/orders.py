"""Orders and formal requests on file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, case, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.order import Canceller, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.store.schema import formal_requests, orders
from msgbot.store.values import items_from_json, items_to_json, storable

CHUNK = 400


@dataclass(frozen=True, slots=True)
class Taken:
    """What putting orders on file changed, by order id. `older` were left as they are, because what is on file is newer.
    `cancelled` are those that are cancelled now and were not before."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    older: tuple[str, ...]
    cancelled: tuple[str, ...]


async def get(connection: AsyncConnection, account: str, order_id: str) -> Order | None:
    """The order, or None."""
    row = (await connection.execute(select(orders).where(orders.c.account == account, orders.c.id == order_id))).first()
    return _order(row) if row is not None else None


async def of_ids(connection: AsyncConnection, account: str, order_ids: Sequence[str]) -> dict[str, Order]:
    """Those of the orders that are on file, by id; CHUNK of them at most."""
    if not order_ids:
        return {}
    query = select(orders).where(orders.c.account == account, orders.c.id.in_(order_ids))
    return {row.id: _order(row) for row in await connection.execute(query)}


async def lock(connection: AsyncConnection, account: str, *order_ids: str) -> None:
    """Holds orders for this transaction: another that wants one waits. Always in the same order, so that two who want the same
    do not wait for each other."""
    wanted = sorted(set(order_ids))
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        query = select(orders.c.id).where(orders.c.account == account, orders.c.id.in_(chunk)).order_by(orders.c.id)
        await connection.execute(query.with_for_update())


async def count_for_rate(connection: AsyncConnection, account: str, since: datetime, until: datetime) -> tuple[int, int]:
    """How many of the orders placed from `since` to `until` are cancelled without a formal request on file by the seller, or by
    who knows whom, and how many there are; those that Amazon fulfils are left out."""
    requested = exists().where(formal_requests.c.account == orders.c.account, formal_requests.c.order_id == orders.c.id)
    others = orders.c.cancelled_by.in_([Canceller.BUYER.value, Canceller.AMAZON.value])
    cancelled = and_(orders.c.status == OrderStatus.CANCELLED.value, ~requested, ~others)
    query = select(func.count(case((cancelled, 1))), func.count()).where(
        orders.c.account == account,
        orders.c.purchased_at >= since,
        orders.c.purchased_at <= until,
        orders.c.fulfilment != Fulfilment.AMAZON.value,
    )
    counted, total = (await connection.execute(query)).one()
    return counted, total


async def put(connection: AsyncConnection, account: str, read: Sequence[Order], *, trusted: bool = True) -> Taken:
    """Puts what a source says of orders on file. Newer facts replace older ones; but what an order consists of is not for a source
    to change that is not `trusted`: it could make a formal request cover what it does not. Formal requests go their own way:
    `formal_requests.put`."""
    new, changed, older, cancelled = [], [], [], []
    for start in range(0, len(read), CHUNK):
        chunk = read[start : start + CHUNK]
        ids = [order.id for order in chunk]
        # Locked, always in the same order, so that two readings of one order do not pass each other.
        query = select(orders).where(orders.c.account == account, orders.c.id.in_(ids)).order_by(orders.c.id).with_for_update()
        found = await connection.execute(query)
        before = {row.id: _order(row) for row in found}
        fresh = []
        for order in chunk:
            known = before.get(order.id)
            if known is None:
                fresh.append(_row(order))
                new.append(order.id)
            elif order.as_of < known.as_of:
                older.append(order.id)
                continue
            else:
                order = combine(known, order if trusted or not known.items else replace(order, items=known.items))
                if replace(order, as_of=known.as_of, source=known.source, request_as_of=known.request_as_of) != known:
                    changed.append(order.id)
                await connection.execute(
                    update(orders).where(orders.c.account == account, orders.c.id == order.id).values(_row(order))
                )
            if order.status is OrderStatus.CANCELLED and (known is None or known.status is not OrderStatus.CANCELLED):
                cancelled.append(order.id)
        if fresh:
            await connection.execute(insert(orders), fresh)

    return Taken(tuple(new), tuple(changed), tuple(older), tuple(cancelled))


def combine(known: Order, read: Order) -> Order:
    """What is known of an order after a newer reading: the reading, but for what it could not tell.

    The status of a reading that does not tell it stays what it was, and so does the time it was seen: knowing nothing new is
    not fresh."""
    if read.status is OrderStatus.UNKNOWN and known.status is not OrderStatus.UNKNOWN:
        read = replace(read, status=known.status, as_of=known.as_of, source=known.source)
    items = tuple(_combine_item(_same(item, known.items), item) for item in read.items)
    if any(item.id for item in known.items) and not any(item.id for item in read.items):
        # An all-orders report names no item ids: the items of the better source stay, with what is new about them.
        items = tuple(_combine_item(item, replace(_same(item, read.items) or item, id=item.id)) for item in known.items)
    request_as_of = read.request_as_of or known.request_as_of
    rest = tuple(item for item in known.items if item.id and _same(item, read.items) is None)
    if rest and any(item.id for item in read.items):
        # A page of items, or a notification about one: an order never loses an item. What is known of all is as old as the oldest.
        items += rest
        if read.request_as_of is not None:
            request_as_of = min(read.request_as_of, known.request_as_of) if known.request_as_of is not None else None
    return replace(
        read,
        items=items,
        fulfilment=known.fulfilment if read.fulfilment is Fulfilment.UNKNOWN else read.fulfilment,
        marketplace=read.marketplace or known.marketplace,
        purchased_at=read.purchased_at or known.purchased_at,
        ship_by=read.ship_by or known.ship_by,
        updated_at=read.updated_at or known.updated_at,
        request_as_of=request_as_of,
    )


def _same(item: OrderItem, others: tuple[OrderItem, ...]) -> OrderItem | None:
    """The one of `others` that is `item`: by id, or by SKU where one side has no id."""
    for other in others:
        if other.id == item.id and (item.id or other.sku == item.sku):
            return other
        if item.sku and other.sku == item.sku and not (item.id and other.id):
            return other
    return None


def _combine_item(known: OrderItem | None, read: OrderItem) -> OrderItem:
    if known is None:
        return read
    return replace(
        read,
        sku=read.sku or known.sku,
        asin=read.asin or known.asin,
        title=read.title or known.title,
        quantity=known.quantity if read.quantity is None else read.quantity,
        formal_request=known.formal_request if read.formal_request is RequestKnowledge.UNKNOWN else read.formal_request,
        cancel_reason=read.cancel_reason or known.cancel_reason,
        cancelled_by=known.cancelled_by if read.cancelled_by is Canceller.UNKNOWN else read.cancelled_by,
        quantity_shipped=known.quantity_shipped if read.quantity_shipped is None else read.quantity_shipped,
    )


def _row(order: Order) -> dict[str, Any]:
    return {
        "account": order.account,
        "id": order.id,
        "status": order.status.value,
        "fulfilment": order.fulfilment.value,
        "as_of": order.as_of,
        "source": storable(order.source),
        "items": items_to_json(order.items),
        "marketplace": order.marketplace,
        "purchased_at": order.purchased_at,
        "ship_by": order.ship_by,
        "updated_at": order.updated_at,
        "request_as_of": order.request_as_of,
        "cancelled_by": order.cancelled_by.value,
    }


def _order(row: Row[Any]) -> Order:
    return Order(
        account=row.account,
        id=row.id,
        status=OrderStatus(row.status),
        fulfilment=Fulfilment(row.fulfilment),
        as_of=row.as_of,
        source=row.source,
        items=items_from_json(row.items),
        marketplace=row.marketplace,
        purchased_at=row.purchased_at,
        ship_by=row.ship_by,
        updated_at=row.updated_at,
        request_as_of=row.request_as_of,
    )
