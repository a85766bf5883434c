"""Formal requests on file. Once there, a request stays: a reading that later says "no" is recorded beside it (domain.md section
2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.order import FormalRequest, Order, OrderItem, OrderStatus, RequestKnowledge, item_key
from msgbot.store import orders
from msgbot.store.schema import formal_requests
from msgbot.store.values import storable

CHUNK = 400
_OVER = frozenset({OrderStatus.CANCELLED, OrderStatus.SHIPPED})
"""When an order is done with, Amazon no longer shows what was requested: saying "no" then denies nothing."""


@dataclass(frozen=True, slots=True)
class Filed:
    """What a reading of orders changed: requests that are new on file, requests on file that the reading denies, and those denied
    before that it confirms."""

    new: tuple[FormalRequest, ...]
    denied: tuple[FormalRequest, ...]
    confirmed: tuple[FormalRequest, ...]


@dataclass(frozen=True, slots=True)
class _Standing:
    """A request, and when the newest reading was made that told of it."""

    request: FormalRequest
    told_at: datetime


_Standings: TypeAlias = dict[str, dict[str, _Standing]]
"""By order id and item id."""


async def of_order(connection: AsyncConnection, account: str, order_id: str) -> tuple[FormalRequest, ...]:
    """The formal requests on file for an order."""
    query = select(formal_requests).where(formal_requests.c.account == account, formal_requests.c.order_id == order_id)
    return tuple(_request(row) for row in await connection.execute(query.order_by(formal_requests.c.item_id)))


async def put(connection: AsyncConnection, account: str, read: Sequence[Order], evidence: str) -> Filed:
    """Puts the formal requests that `read` tells of on file, marks those that it denies, and takes the mark from those that it
    confirms. `evidence` is the SHA-256, in hex, of the bytes that `read` was read from.

    A request that is new on file and older than what the order on file says of it is denied from the beginning."""
    new: list[FormalRequest] = []
    denied: list[FormalRequest] = []
    confirmed: list[FormalRequest] = []
    for start in range(0, len(read), CHUNK):
        chunk = read[start : start + CHUNK]
        before = await _on_file(connection, account, [order.id for order in chunk])
        after = {order_id: dict(standings) for order_id, standings in before.items()}
        tell = {order.id for order in chunk if any(item.formal_request is RequestKnowledge.YES for item in order.items)}
        newest = await orders.of_ids(connection, account, sorted(tell))
        for order in chunk:
            _file(after.setdefault(order.id, {}), order, evidence, newest.get(order.id))
        fresh: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        for known, standing in _differences(before, after):
            (fresh if known is None else changed).append(_row(account, standing))
            was_denied = known is not None and bool(known.request.denied_by)
            if known is None:
                new.append(standing.request)
            if standing.request.denied_by and not was_denied:
                denied.append(standing.request)
            if was_denied and not standing.request.denied_by:
                confirmed.append(standing.request)
        await _write(connection, fresh, changed)
    return Filed(tuple(new), tuple(denied), tuple(confirmed))


def _file(on_file: dict[str, _Standing], order: Order, evidence: str, newest: Order | None) -> None:
    """Brings the requests of one order, by item id, to where they stand after a reading of it; `newest` is the order on file."""
    for item_id, standing in on_file.items():
        on_file[item_id] = _after(standing, order, evidence)
    for request in _told_by(order, evidence):
        if not on_file.keys() & {"", request.item_id}:
            on_file[request.item_id] = _new(_Standing(request, order.as_of), newest)


def _new(standing: _Standing, newest: Order | None) -> _Standing:
    """Where a request stands when it comes on file: denied, where the order was read since and told of no such request."""
    if newest is None or newest.request_as_of is None:
        return standing
    items = [item for item in newest.items if standing.request.covers(item)]
    denial = replace(newest, as_of=newest.request_as_of)
    if newest.request_as_of <= standing.told_at or not _denies(denial, items, standing):
        return standing
    denied = replace(standing.request, denied_by=newest.source, denied_at=newest.request_as_of)
    return replace(standing, request=denied)


def _differences(before: _Standings, after: _Standings) -> Iterable[tuple[_Standing | None, _Standing]]:
    for order_id, standings in after.items():
        known = before.get(order_id, {})
        for item_id, standing in standings.items():
            if standing != known.get(item_id):
                yield known.get(item_id), standing


def _told_by(order: Order, evidence: str) -> Iterable[FormalRequest]:
    """The requests that a reading of an order tells of. Items without an id are named by SKU; one without either cannot be told
    apart from the others, so the request counts only when all of the order carries it."""
    whole = all(item.formal_request is RequestKnowledge.YES for item in order.items)
    for item in order.items:
        if item.formal_request is not RequestKnowledge.YES:
            continue
        key = item.id or item_key(item)
        if key or whole:
            yield FormalRequest(order.id, key, order.source, order.as_of, item.cancel_reason, evidence=evidence)


def _after(known: _Standing, order: Order, evidence: str) -> _Standing:
    """Where a request stands after another reading. The newest reading that says anything of it decides whether it is denied; a
    reason that was not known is filled in by any."""
    items = [item for item in order.items if known.request.covers(item)]
    told = [item for item in items if item.formal_request is RequestKnowledge.YES]
    if told:
        reason = known.request.reason or next((item.cancel_reason for item in told if item.cancel_reason), "")
        request = replace(known.request, reason=reason)
        if request.denied_at is not None and order.as_of > request.denied_at:
            return _Standing(replace(request, denied_by="", denied_evidence="", denied_at=None), order.as_of)
        return replace(known, request=request, told_at=max(known.told_at, order.as_of))
    if _denies(order, items, known):
        denied = replace(known.request, denied_by=order.source, denied_evidence=evidence, denied_at=order.as_of)
        return replace(known, request=denied)
    return known


def _denies(order: Order, items: Sequence[OrderItem], known: _Standing) -> bool:
    if not items or order.status in _OVER or any(item.formal_request is not RequestKnowledge.NO for item in items):
        return False
    if known.request.denied_at is not None and order.as_of <= known.request.denied_at:
        return False
    return order.as_of > known.told_at or (order.as_of == known.told_at and order.source != known.request.source)


async def _on_file(connection: AsyncConnection, account: str, order_ids: Sequence[str]) -> _Standings:
    query = select(formal_requests).where(formal_requests.c.account == account, formal_requests.c.order_id.in_(order_ids))
    found: _Standings = {}
    for row in await connection.execute(query):
        found.setdefault(row.order_id, {})[row.item_id] = _Standing(_request(row), row.told_at or row.seen_at)
    return found


async def _write(connection: AsyncConnection, fresh: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
    if fresh:
        await connection.execute(insert(formal_requests), fresh)
    if changed:
        key = [column == bindparam(f"the_{column.name}") for column in formal_requests.primary_key]
        named = {f"the_{column.name}": column.name for column in formal_requests.primary_key}
        values = [row | {name: row[column] for name, column in named.items()} for row in changed]
        await connection.execute(update(formal_requests).where(*key), values)


def _row(account: str, standing: _Standing) -> dict[str, Any]:
    request = standing.request
    return {
        "account": account,
        "order_id": request.order_id,
        "item_id": request.item_id,
        "source": storable(request.source),
        "seen_at": request.seen_at,
        "reason": storable(request.reason),
        "evidence": request.evidence,
        "told_at": standing.told_at,
        "denied_at": request.denied_at,
        "denied_by": storable(request.denied_by),
        "denied_evidence": request.denied_evidence,
    }


def _request(row: Row[Any]) -> FormalRequest:
    return FormalRequest(
        row.order_id,
        row.item_id,
        row.source,
        row.seen_at,
        row.reason,
        row.denied_by,
        row.evidence,
        row.denied_evidence,
        row.denied_at,
    )
