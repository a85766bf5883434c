"""Rulings of the guard on file, and the overrides of them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.cancellation import Adjustment, CancelReason, Proposal
from msgbot.domain.guard import Ruling
from msgbot.store.schema import rulings
from msgbot.store.values import adjustment_from_json, adjustment_to_json, storable


@dataclass(frozen=True, slots=True)
class Recorded:
    """A ruling on file: what was proposed, by whom (`asked_by`; empty: from the command line), what the guard said, and who
    overrode it, if anybody did."""

    id: str
    at: datetime
    order_id: str
    item_ids: tuple[str, ...]
    reason: str
    outcome: str
    code: str
    reasons: tuple[str, ...]
    way_out: str
    counts: bool | None
    origin: str
    asked_by: str = ""
    overridden_by: str = ""
    overridden_at: datetime | None = None
    override_reason: str = ""
    adjustment: Adjustment | None = None

    @property
    def proposal(self) -> Proposal | Adjustment:
        """What was ruled on."""
        return self.adjustment or Proposal(self.order_id, CancelReason(self.reason) if self.reason else None, self.item_ids)


async def get(connection: AsyncConnection, account: str, ruling_id: str) -> Recorded | None:
    """The ruling, or None."""
    row = (await connection.execute(select(rulings).where(rulings.c.account == account, rulings.c.id == ruling_id))).first()
    return _recorded(row) if row is not None else None


async def of_order(connection: AsyncConnection, account: str, order_id: str) -> list[Recorded]:
    """The rulings about an order, the oldest first."""
    query = select(rulings).where(rulings.c.account == account, rulings.c.order_id == order_id)
    return [_recorded(row) for row in await connection.execute(query.order_by(rulings.c.at, rulings.c.id))]


async def between(connection: AsyncConnection, account: str, since: datetime | None, until: datetime | None) -> list[Recorded]:
    """The rulings made from `since` on and before `until`, the oldest first."""
    query = select(rulings).where(rulings.c.account == account)
    if since is not None:
        query = query.where(rulings.c.at >= since)
    if until is not None:
        query = query.where(rulings.c.at < until)
    return [_recorded(row) for row in await connection.execute(query.order_by(rulings.c.at, rulings.c.id))]


async def same_on_file(
    connection: AsyncConnection, account: str, proposal: Proposal | Adjustment, ruling: Ruling, origin: str, asked_by: str
) -> str | None:
    """The id of the last ruling on this order from the same origin, if it said just the same and nobody overrode it."""
    query = select(rulings).where(
        rulings.c.account == account,
        rulings.c.order_id == proposal.order_id,
        rulings.c.origin == storable(origin),
        rulings.c.asked_by == asked_by,
    )
    row = (await connection.execute(query.order_by(rulings.c.at.desc(), rulings.c.id).limit(1))).first()
    if row is None or row.overridden_at is not None:
        return None
    same_proposal = _recorded(row).proposal == proposal
    return str(row.id) if same_proposal and (row.outcome, row.code) == (ruling.outcome.value, ruling.code.value) else None


async def add(
    connection: AsyncConnection,
    account: str,
    proposal: Proposal | Adjustment,
    ruling: Ruling,
    origin: str,
    asked_by: str,
    at: datetime,
) -> str:
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
            asked_by=asked_by,
            adjustment=adjustment_to_json(proposal) if isinstance(proposal, Adjustment) else None,
        )
    )
    return identity


async def override(connection: AsyncConnection, account: str, ruling_id: str, by: str, reason: str, at: datetime) -> bool:
    """Records that `by` overrode a ruling; False when somebody had done so before."""
    where = (rulings.c.account == account, rulings.c.id == ruling_id, rulings.c.overridden_at.is_(None))
    values = {"overridden_by": by, "overridden_at": at, "override_reason": storable(reason)}
    done = await connection.execute(update(rulings).where(*where).values(values))
    return bool(done.rowcount)


def _recorded(row: Row[Any]) -> Recorded:
    values: Sequence[str] = Recorded.__slots__
    return Recorded(
        **{name: row._mapping[name] for name in values if name not in {"item_ids", "reasons", "adjustment"}},
        adjustment=adjustment_from_json(row.adjustment) if row.adjustment else None,
        item_ids=tuple(row.item_ids),
        reasons=tuple(row.reasons),
    )
