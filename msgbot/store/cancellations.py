"""Cancellations that may go ahead, and how far each has come."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.cancellation import Adjustment, CancelReason, Proposal
from msgbot.store.paging import Place, behind
from msgbot.store.schema import cancellations
from msgbot.store.values import adjustment_from_json, adjustment_to_json, storable

CHUNK = 400


class CancellationState(StrEnum):
    """How far a cancellation has come."""

    READY = "ready"
    """The guard let it through; it waits to be handed to Amazon."""
    BY_HAND = "by_hand"
    """The guard let it through, but no feed can do it: a person does it in Seller Central."""
    SUBMITTED = "submitted"
    """It stands in a feed that goes to Amazon, or went there."""
    ACCEPTED = "accepted"
    """Amazon's report has nothing against it; the order was not seen cancelled yet."""
    DONE = "done"
    """The order was seen cancelled; an adjustment leaves nothing to be seen, so Amazon's report is all there is."""
    REFUSED = "refused"
    """Amazon did not do it; `note` has Amazon's words."""
    UNSURE = "unsure"
    """Nobody can tell whether Amazon has it: a person must look at the order."""
    LAPSED = "lapsed"
    """It is not to be done any more: the order was shipped, somebody took it back, or the guard would not let it through now."""


WITHDRAWABLE = frozenset({CancellationState.READY, CancellationState.BY_HAND, CancellationState.UNSURE})
"""States in which a person may take it back."""
OPEN = WITHDRAWABLE | {CancellationState.SUBMITTED, CancellationState.ACCEPTED}
"""States in which Amazon may still cancel the order because of it: nothing else of the same items is let through."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancellation that the guard or an override let through. `feed` is the feed it stands in, as message `number`; `tries`
    counts how often it was handed over in vain."""

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
    feed: str = ""
    number: int = 0
    tries: int = 0
    adjustment: Adjustment | None = None
    """What is to be done instead of a cancellation: the order was shipped. `reason` is None then; the adjustment has its own."""

    @property
    def proposal(self) -> Proposal | Adjustment:
        """What was let through."""
        return self.adjustment or Proposal(self.order_id, self.reason, self.item_ids)

    def meets(self, item_ids: Sequence[str]) -> bool:
        """Whether it is about one of these items of its order; none of them means the whole order."""
        return not self.item_ids or not item_ids or bool(set(self.item_ids) & set(item_ids))

    @property
    def reason_text(self) -> str:
        """The reason, as Amazon spells it; empty when none was given."""
        reason = self.proposal.reason
        return reason.value if reason is not None else ""


async def add(
    connection: AsyncConnection,
    account: str,
    proposal: Proposal | Adjustment,
    ruling_id: str,
    asked_by: str,
    counts: bool | None,
    at: datetime,
) -> Cancellation:
    """Puts a cancellation, or an adjustment, on file that may go ahead."""
    adjustment = proposal if isinstance(proposal, Adjustment) else None
    made = Cancellation(
        account,
        secrets.token_hex(8),
        proposal.order_id,
        proposal.item_ids,
        proposal.reason if isinstance(proposal, Proposal) else None,
        CancellationState.READY,
        ruling_id,
        asked_by,
        counts,
        at,
        at,
        adjustment=adjustment,
    )
    await connection.execute(insert(cancellations).values(_row(made)))
    return made


async def get(connection: AsyncConnection, account: str, identity: str) -> Cancellation | None:
    """The cancellation, or None."""
    query = select(cancellations).where(cancellations.c.account == account, cancellations.c.id == identity)
    row = (await connection.execute(query)).first()
    return _cancellation(row) if row is not None else None


async def of_orders(
    connection: AsyncConnection, account: str, order_ids: Sequence[str], states: Collection[CancellationState] = ()
) -> list[Cancellation]:
    """The cancellations of these orders, the oldest first; only those in one of `states`, if any is given."""
    found: list[Cancellation] = []
    for start in range(0, len(order_ids), CHUNK):
        chunk = order_ids[start : start + CHUNK]
        query = select(cancellations).where(cancellations.c.account == account, cancellations.c.order_id.in_(chunk))
        if states:
            query = query.where(cancellations.c.state.in_([state.value for state in states]))
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


async def oldest_ready(connection: AsyncConnection, account: str, limit: int) -> list[Cancellation]:
    """Up to `limit` cancellations that wait to be handed to Amazon, the oldest first."""
    query = select(cancellations).where(cancellations.c.account == account, cancellations.c.state == CancellationState.READY.value)
    rows = await connection.execute(query.order_by(cancellations.c.created_at, cancellations.c.id).limit(limit))
    return [_cancellation(row) for row in rows]


async def left_accepted(connection: AsyncConnection, account: str, before: datetime) -> list[Cancellation]:
    """Those that Amazon took before this time and whose orders were not seen cancelled since."""
    where = (
        cancellations.c.account == account,
        cancellations.c.state == CancellationState.ACCEPTED.value,
        cancellations.c.changed_at < before,
    )
    return [_cancellation(row) for row in await connection.execute(select(cancellations).where(*where))]


async def of_feed(connection: AsyncConnection, account: str, feed: str) -> list[Cancellation]:
    """What stands in a feed, by number."""
    query = select(cancellations).where(cancellations.c.account == account, cancellations.c.feed == feed)
    return [_cancellation(row) for row in await connection.execute(query.order_by(cancellations.c.number))]


async def feeds_of(connection: AsyncConnection, account: str, state: CancellationState) -> set[str]:
    """The feeds that cancellations in this state stand in."""
    query = select(cancellations.c.feed).where(cancellations.c.account == account, cancellations.c.state == state.value)
    return set((await connection.execute(query.distinct())).scalars())


async def count(connection: AsyncConnection, account: str) -> dict[CancellationState, int]:
    """How many cancellations are in each state that any is in."""
    query = select(cancellations.c.state, func.count()).where(cancellations.c.account == account)
    return {CancellationState(state): number for state, number in await connection.execute(query.group_by(cancellations.c.state))}


async def move(
    connection: AsyncConnection,
    known: Cancellation,
    state: CancellationState,
    note: str,
    at: datetime,
    **more: Any,
) -> bool:
    """Records that a cancellation has come further, with `more` of its columns; False when it had moved on already."""
    where = (
        cancellations.c.account == known.account,
        cancellations.c.id == known.id,
        cancellations.c.state == known.state.value,
    )
    values = {"state": state.value, "note": storable(note), "changed_at": at, **more}
    done = await connection.execute(update(cancellations).where(*where).values(values))
    return bool(done.rowcount)


def _row(made: Cancellation) -> dict[str, Any]:
    return {
        "account": made.account,
        "id": made.id,
        "order_id": made.order_id,
        "item_ids": list(made.item_ids),
        "reason": made.reason_text,
        "adjustment": adjustment_to_json(made.adjustment) if made.adjustment is not None else None,
        "state": made.state.value,
        "ruling_id": made.ruling_id,
        "asked_by": made.asked_by,
        "counts": made.counts,
        "created_at": made.created_at,
        "changed_at": made.changed_at,
        "note": storable(made.note),
        "feed": made.feed,
        "number": made.number,
        "tries": made.tries,
    }


def _cancellation(row: Row[Any]) -> Cancellation:
    adjustment = adjustment_from_json(row.adjustment) if row.adjustment else None
    return Cancellation(
        **{
            **row._mapping,
            "item_ids": tuple(row.item_ids),
            "reason": CancelReason(row.reason) if row.reason and adjustment is None else None,
            "state": CancellationState(row.state),
            "adjustment": adjustment,
        }
    )
