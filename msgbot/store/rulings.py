"""Rulings of the guard on file."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.cancellation import Proposal
from msgbot.domain.guard import Ruling
from msgbot.store.schema import rulings
from msgbot.store.values import storable


@dataclass(frozen=True, slots=True)
class Recorded:
    """A ruling on file."""

    id: str
    at: datetime
    order_id: str
    reason: str
    outcome: str
    code: str
    counts: bool | None
    origin: str


async def between(connection: AsyncConnection, account: str, since: datetime | None, until: datetime | None) -> list[Recorded]:
    """The rulings made from `since` on and before `until`, the oldest first."""
    query = select(rulings).where(rulings.c.account == account)
    if since is not None:
        query = query.where(rulings.c.at >= since)
    if until is not None:
        query = query.where(rulings.c.at < until)
    found = await connection.execute(query.order_by(rulings.c.at, rulings.c.id))
    return [Recorded(row.id, row.at, row.order_id, row.reason, row.outcome, row.code, row.counts, row.origin) for row in found]


async def is_on_file(connection: AsyncConnection, account: str, proposal: Proposal, ruling: Ruling, origin: str) -> bool:
    """Whether the last ruling on this order from the same origin said just the same."""
    query = select(rulings).where(
        rulings.c.account == account, rulings.c.order_id == proposal.order_id, rulings.c.origin == storable(origin)
    )
    row = (await connection.execute(query.order_by(rulings.c.at.desc(), rulings.c.id).limit(1))).first()
    if row is None:
        return False
    same_proposal = (tuple(row.item_ids), row.reason) == (proposal.item_ids, proposal.reason.value if proposal.reason else "")
    return same_proposal and (row.outcome, row.code) == (ruling.outcome.value, ruling.code.value)


async def add(connection: AsyncConnection, account: str, proposal: Proposal, ruling: Ruling, origin: str, at: datetime) -> str:
    """Records a ruling; returns its id. `origin` says where the proposal came from, for people."""
    identity = secrets.token_hex(8)
    await connection.execute(
        insert(rulings).values(
            account=account,
            id=identity,
            at=at,
            order_id=storable(proposal.order_id)[:64],
            item_ids=[storable(item) for item in proposal.item_ids],
            reason=proposal.reason.value if proposal.reason else "",
            outcome=ruling.outcome.value,
            code=ruling.code.value,
            reasons=[storable(reason) for reason in ruling.reasons],
            way_out=ruling.way_out,
            counts=ruling.counts,
            origin=storable(origin),
        )
    )
    return identity
