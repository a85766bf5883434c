"""Formal requests on file. Once there, a request stays: a source that later says "no" is recorded beside it (domain.md section
2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.order import FormalRequest, Order, OrderItem, RequestKnowledge, item_key
from msgbot.store.schema import formal_requests
from msgbot.store.values import storable

CHUNK = 400


@dataclass(frozen=True, slots=True)
class Filed:
    """What a reading of orders changed: requests that are new on file, and requests on file that the reading denies."""

    new: tuple[FormalRequest, ...]
    denied: tuple[FormalRequest, ...]


async def of_order(connection: AsyncConnection, account: str, order_id: str) -> tuple[FormalRequest, ...]:
    """The formal requests on file for an order."""
    query = select(formal_requests).where(formal_requests.c.account == account, formal_requests.c.order_id == order_id)
    return tuple(_request(row) for row in await connection.execute(query.order_by(formal_requests.c.item_id)))


async def put(connection: AsyncConnection, account: str, read: Sequence[Order]) -> Filed:
    """Puts the formal requests that `read` tells of on file, and marks those that it denies."""
    new: list[FormalRequest] = []
    denied: list[FormalRequest] = []
    for start in range(0, len(read), CHUNK):
        chunk = read[start : start + CHUNK]
        on_file = await _on_file(connection, account, [order.id for order in chunk])
        for order in chunk:
            known = on_file.setdefault(order.id, [])
            for request in _told_by(order):
                same = next((each for each in known if each.item_id in {"", request.item_id}), None)
                if same is None:
                    known.append(request)
                    new.append(request)
                elif same.denied_by and order.as_of >= same.seen_at:
                    await _mark_denied(connection, account, same, None)
            for item in order.items:
                if item.formal_request is RequestKnowledge.NO:
                    denied += [each for each in known if not each.denied_by and _denies(order, item, each)]
    if new:
        await connection.execute(insert(formal_requests), [_row(account, request) for request in new])
    for request in denied:
        await _mark_denied(connection, account, request, next(order for order in read if order.id == request.order_id))
    return Filed(tuple(new), tuple(denied))


def _told_by(order: Order) -> Iterable[FormalRequest]:
    """The requests that a reading of an order tells of. Items without an id are named by SKU; one without either cannot be told
    apart from the others, so the request counts only when all of the order carries it."""
    whole = all(item.formal_request is RequestKnowledge.YES for item in order.items)
    for item in order.items:
        if item.formal_request is not RequestKnowledge.YES:
            continue
        key = item.id or item_key(item)
        if key or whole:
            yield FormalRequest(order.id, key, order.source, order.as_of, item.cancel_reason)


def _denies(order: Order, item: OrderItem, request: FormalRequest) -> bool:
    return bool(request.item_id) and request.covers(item) and request.source != order.source and order.as_of >= request.seen_at


async def _on_file(connection: AsyncConnection, account: str, order_ids: Sequence[str]) -> dict[str, list[FormalRequest]]:
    query = select(formal_requests).where(formal_requests.c.account == account, formal_requests.c.order_id.in_(order_ids))
    found: dict[str, list[FormalRequest]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.order_id, []).append(_request(row))
    return found


async def _mark_denied(connection: AsyncConnection, account: str, request: FormalRequest, by: Order | None) -> None:
    """Records which reading denies the request; none, when a later one confirms it again."""
    where = (
        formal_requests.c.account == account,
        formal_requests.c.order_id == request.order_id,
        formal_requests.c.item_id == request.item_id,
    )
    values = {"denied_at": by.as_of, "denied_by": storable(by.source)} if by is not None else {"denied_at": None, "denied_by": ""}
    await connection.execute(update(formal_requests).where(*where).values(values))


def _row(account: str, request: FormalRequest) -> dict[str, Any]:
    return {
        "account": account,
        "order_id": request.order_id,
        "item_id": request.item_id,
        "source": storable(request.source),
        "seen_at": request.seen_at,
        "reason": storable(request.reason),
        "denied_by": "",
    }


def _request(row: Row[Any]) -> FormalRequest:
    return FormalRequest(row.order_id, row.item_id, row.source, row.seen_at, row.reason, row.denied_by)
