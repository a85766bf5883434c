"""Idempotency keys and the answers that were given to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.store.schema import idempotency_keys as keys

KEPT = timedelta(hours=24)
"""How long a key and its answer are known."""
_TOGETHER = 500
"""How many go in one transaction: it holds up others for a moment only."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A request that came before: what it was, when, and the answer; `status` is None while it is being worked on, and for good
    when its process died over it."""

    fingerprint: str
    at: datetime
    status: int | None
    headers: Mapping[str, str]
    body: bytes


async def begin(
    connection: AsyncConnection, actor: str, key: str, fingerprint: str, now: datetime, *, abandoned: datetime | None
) -> Kept | None:
    """None when this is the first request of `actor` with this key, which is now on file; else what came before. What is older
    than keys are kept does not count, nor, if it is given, a request without an answer from before `abandoned`."""
    where = (keys.c.actor == actor, keys.c.key == key)
    old = keys.c.at < now - KEPT
    if abandoned is not None:
        old = or_(old, keys.c.status.is_(None) & (keys.c.at < abandoned))
    await connection.execute(delete(keys).where(*where, old))
    try:
        async with connection.begin_nested():
            await connection.execute(insert(keys).values(actor=actor, key=key, fingerprint=fingerprint, at=now))
    except IntegrityError:
        row = (await connection.execute(select(keys).where(*where))).first()
        if row is None:
            # One that was just dropped is being sorted out: whoever asks again will be the first.
            return Kept(fingerprint, now, None, {}, b"")
        return Kept(row.fingerprint, row.at, row.status, dict(row.headers or {}), row.body or b"")
    return None


async def keep(
    connection: AsyncConnection, actor: str, key: str, fingerprint: str, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Records the answer to the request with this fingerprint."""
    where = (keys.c.actor == actor, keys.c.key == key, keys.c.fingerprint == fingerprint, keys.c.status.is_(None))
    await connection.execute(update(keys).where(*where).values(status=status, headers=dict(headers), body=body))


async def drop(connection: AsyncConnection, actor: str, key: str) -> None:
    """Forgets a request that came to no answer."""
    await connection.execute(delete(keys).where(keys.c.actor == actor, keys.c.key == key, keys.c.status.is_(None)))


async def delete_old(connection: AsyncConnection, now: datetime) -> int:
    """Deletes some of the keys that were kept long enough, with their answers; how many, 0 when there are no more. Those that
    another process is deleting right now are left to it."""
    old = select(keys.c.actor, keys.c.key).where(keys.c.at < now - KEPT).limit(_TOGETHER).with_for_update(skip_locked=True)
    return (await connection.execute(delete(keys).where(tuple_(keys.c.actor, keys.c.key).in_(old)))).rowcount
