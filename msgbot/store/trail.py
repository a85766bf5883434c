"""The audit trail on file: appended to in the same transaction as what it records, never changed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain import trail as chains
from msgbot.domain.trail import START, Entry, EntryKind, Value
from msgbot.store.schema import trail, trail_heads

PAGE = 1_000


async def append(connection: AsyncConnection, account: str, at: datetime, kind: EntryKind, facts: Mapping[str, Value]) -> Entry:
    """Appends one entry to the chain of `account`. The head row is locked until the transaction ends, so that entries never
    fork."""
    return (await append_many(connection, account, at, [(kind, facts)]))[0]


async def append_many(
    connection: AsyncConnection, account: str, at: datetime, records: Sequence[tuple[EntryKind, Mapping[str, Value]]]
) -> list[Entry]:
    """Appends entries to the chain of `account`, in this order."""
    if not records:
        return []
    number, previous = await _locked_head(connection, account)
    appended: list[Entry] = []
    for kind, facts in records:
        entry = chains.chain(account, number + 1, at, kind, facts, previous)
        appended.append(entry)
        number, previous = entry.number, entry.hash
    rows = [
        {
            "account": account,
            "number": entry.number,
            "at": entry.at,
            "kind": entry.kind.value,
            "facts": json.dumps(dict(entry.facts), ensure_ascii=True, sort_keys=True),
            "previous": entry.previous,
            "hash": entry.hash,
        }
        for entry in appended
    ]
    await connection.execute(insert(trail), rows)
    await connection.execute(update(trail_heads).where(trail_heads.c.account == account).values(number=number, hash=previous))
    return appended


async def _locked_head(connection: AsyncConnection, account: str) -> tuple[int, str]:
    query = select(trail_heads.c.number, trail_heads.c.hash).where(trail_heads.c.account == account).with_for_update()
    row = (await connection.execute(query)).first()
    if row is None:
        try:
            async with connection.begin_nested():
                await connection.execute(insert(trail_heads).values(account=account, number=0, hash=START))
        except IntegrityError:
            # Another writer began this chain a moment ago; its head is there now.
            pass
        row = (await connection.execute(query)).one()
    return row.number, row.hash


async def accounts(connection: AsyncConnection) -> list[str]:
    """The accounts that have a chain."""
    return sorted((await connection.execute(select(trail_heads.c.account))).scalars())


async def head(connection: AsyncConnection, account: str) -> tuple[int, str]:
    """The number and hash that the last entry of `account` must have."""
    query = select(trail_heads.c.number, trail_heads.c.hash).where(trail_heads.c.account == account)
    row = (await connection.execute(query)).first()
    return (row.number, row.hash) if row is not None else (0, START)


async def entries(
    connection: AsyncConnection,
    account: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    after: int = 0,
    page: int = PAGE,
    limit: int = 0,
) -> AsyncIterator[Entry]:
    """The entries of `account` by number, perhaps only those from `since` on, before `until`, and behind number `after`, and no
    more than `limit`.

    Read in pages: memory stays flat. Raises ValueError, TypeError or KeyError at an entry that somebody made unreadable."""
    last = after
    given = 0
    while True:
        query = select(trail).where(trail.c.account == account, trail.c.number > last).order_by(trail.c.number).limit(page)
        if since is not None:
            query = query.where(trail.c.at >= since)
        if until is not None:
            query = query.where(trail.c.at < until)
        rows = list(await connection.execute(query))
        for row in rows:
            given += 1
            yield Entry(row.account, row.number, row.at, EntryKind(row.kind), json.loads(row.facts), row.previous, row.hash)
        if len(rows) < page or (limit and given >= limit):
            return
        last = rows[-1].number
