"""Notices from Amazon on file: which were seen, so that none is taken twice, and those that were moved aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Table, delete, func, insert, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.store.amazon_schema import notices_aside, notices_seen
from msgbot.store.values import storable

SEEN_KEPT = timedelta(days=14)
"""A queue keeps a message no longer: what was seen before then cannot come again."""
ASIDE_KEPT = timedelta(days=30)
LONGEST_ID = 128
_LONGEST_REASON = 500
_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Aside:
    """A message of the queue that was moved aside. `id` is the queue's own for it; `account` is empty when it is for none here. Its
    text is not kept, which may tell of buyers, those of others too: `sha256` is its hash, in hex."""

    account: str
    id: str
    at: datetime
    reason: str
    sha256: str


async def see(connection: AsyncConnection, account: str, notification_id: str, at: datetime) -> bool:
    """Whether this notification is new to the account; from now on it is not. Another transaction that sees it at the same moment
    is waited for."""
    row = {"account": account, "notification_id": storable(notification_id), "at": at}
    return await _insert(connection, notices_seen, row)


async def set_aside(connection: AsyncConnection, aside: Aside) -> bool:
    """Puts a message on file that nothing can be done with; False when it is there already."""
    row = {
        "account": aside.account,
        "id": storable(aside.id)[:LONGEST_ID],
        "at": aside.at,
        "reason": storable(aside.reason)[:_LONGEST_REASON],
        "sha256": aside.sha256,
    }
    return await _insert(connection, notices_aside, row)


async def newest_aside(connection: AsyncConnection, limit: int) -> list[Aside]:
    """What was moved aside last, the newest first."""
    query = select(notices_aside).order_by(notices_aside.c.at.desc(), notices_aside.c.id.desc()).limit(limit)
    return [Aside(**row._mapping) for row in await connection.execute(query)]


async def count_aside(connection: AsyncConnection) -> int:
    """How many messages are aside."""
    return int((await connection.execute(select(func.count()).select_from(notices_aside))).scalar_one())


async def forget_old(connection: AsyncConnection, now: datetime) -> int:
    """Deletes some of what was kept long enough; how many, 0 when there are no more. What another process is deleting right now is
    left to it."""
    seen = await _delete_old(connection, notices_seen, "notification_id", now - SEEN_KEPT)
    return seen + await _delete_old(connection, notices_aside, "id", now - ASIDE_KEPT)


async def _delete_old(connection: AsyncConnection, table: Table, key: str, before: datetime) -> int:
    keys = (table.c.account, table.c[key])
    old = select(*keys).where(table.c.at < before).limit(_TOGETHER).with_for_update(skip_locked=True)
    return (await connection.execute(delete(table).where(tuple_(*keys).in_(old)))).rowcount


async def _insert(connection: AsyncConnection, table: Table, row: dict[str, object]) -> bool:
    try:
        async with connection.begin_nested():
            await connection.execute(insert(table).values(row))
    except IntegrityError:
        return False
    return True
