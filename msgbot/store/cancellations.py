"""Cancellations that may go ahead, and how far each has come."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.store.paging import Place, behind
from msgbot.store.schema import cancellations
from msgbot.store.values import storable

CHUNK = 400


class CancellationState(StrEnum):
    """How far a cancellation has come."""

    READY = "ready"
    """The guard let it through; it waits to be handed to Amazon."""
    DONE = "done"
    """The order was seen cancelled."""
    LAPSED = "lapsed"
    """It is not to be done any more: the order was shipped, somebody took it back, or the guard would not let it through now."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancellation that the guard or an override let through."""

    account: str
    id: str
    order_id: str
    item_ids: tuple[str, ...]
    reason: CancelReason | None
    state: CancellationState
    ruling_id: str
    asked_by: str
    counts: bool | None
    created_at: datetime
    changed_at: datetime
    note: str = ""


async def add(
    connection: AsyncConnection, account: str, proposal: Proposal, ruling_id: str, asked_by: str, counts: bool | None, at: datetime
) -> Cancellation:
    """Puts a cancellation on file that may go ahead."""
    made = Cancellation(
        account,
        secrets.token_hex(8),
        proposal.order_id,
        proposal.item_ids,
        proposal.reason,
        CancellationState.READY,
        ruling_id,
        asked_by,
        counts,
        at,
        at,
    )
    await connection.execute(insert(cancellations).values(_row(made)))
    return made


async def get(connection: AsyncConnection, account: str, identity: str) -> Cancellation | None:
    """The cancellation, or None."""
    query = select(cancellations).where(cancellations.c.account == account, cancellations.c.id == identity)
    row = (await connection.execute(query)).first()
    return _cancellation(row) if row is not None else None


async def of_orders(
    connection: AsyncConnection, account: str, order_ids: Sequence[str], state: CancellationState | None = None
) -> list[Cancellation]:
    """The cancellations of these orders, the oldest first."""
    found: list[Cancellation] = []
    for start in range(0, len(order_ids), CHUNK):
        chunk = order_ids[start : start + CHUNK]
        query = select(cancellations).where(cancellations.c.account == account, cancellations.c.order_id.in_(chunk))
        if state is not None:
            query = query.where(cancellations.c.state == state.value)
        rows = await connection.execute(query.order_by(cancellations.c.created_at, cancellations.c.id))
        found += [_cancellation(row) for row in rows]
    return found


async def page(
    connection: AsyncConnection, account: str, state: CancellationState | None, before: Place | None, limit: int
) -> list[Cancellation]:
    """Up to `limit` cancellations, the newest first, from behind the one that `before` names."""
    query = select(cancellations).where(cancellations.c.account == account)
    if state is not None:
        query = query.where(cancellations.c.state == state.value)
    if before is not None:
        query = query.where(behind(cancellations.c.created_at, cancellations.c.id, before))
    query = query.order_by(cancellations.c.created_at.desc(), cancellations.c.id.desc()).limit(limit)
    return [_cancellation(row) for row in await connection.execute(query)]


async def move(connection: AsyncConnection, known: Cancellation, state: CancellationState, note: str, at: datetime) -> bool:
    """Records that a cancellation has come further; False when it had moved on already."""
    where = (
        cancellations.c.account == known.account,
        cancellations.c.id == known.id,
        cancellations.c.state == known.state.value,
    )
    values = {"state": state.value, "note": storable(note), "changed_at": at}
    done = await connection.execute(update(cancellations).where(*where).values(values))
    return bool(done.rowcount)


def _row(made: Cancellation) -> dict[str, Any]:
    return {
        "account": made.account,
        "id": made.id,
        "order_id": made.order_id,
        "item_ids": list(made.item_ids),
        "reason": made.reason.value if made.reason else "",
        "state": made.state.value,
        "ruling_id": made.ruling_id,
        "asked_by": made.asked_by,
        "counts": made.counts,
        "created_at": made.created_at,
        "changed_at": made.changed_at,
        "note": storable(made.note),
    }


def _cancellation(row: Row[Any]) -> Cancellation:
    reason = CancelReason(row.reason) if row.reason else None
    state = CancellationState(row.state)
    return Cancellation(**{**row._mapping, "item_ids": tuple(row.item_ids), "reason": reason, "state": state})
