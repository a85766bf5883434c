"""How far each account's orders were read from Amazon, and when they are read next."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.store.amazon_schema import amazon_sync

_AT_FIRST = timedelta(days=14)
"""So far back the first reading goes: Amazon itself cancels what was not shipped within seven days of its ship-by date."""


@dataclass(frozen=True, slots=True)
class Sync:
    """All that changed before `since` is on file. While a reading is under way, `page_token` names its next page and `read_until`
    where `since` will be after the last one. `poll_at` is when the next page is due."""

    account: str
    since: datetime
    poll_at: datetime
    page_token: str = ""
    read_until: datetime | None = None
    submit_waits: bool = False


async def get(connection: AsyncConnection, account: str) -> Sync | None:
    """How far the account was read, or None when it never was."""
    row = (await connection.execute(select(amazon_sync).where(amazon_sync.c.account == account))).first()
    return _sync(row) if row is not None else None


async def lock(connection: AsyncConnection, account: str, now: datetime) -> Sync:
    """The same, held for this transaction: another that wants it waits. An account that was never read is put on file: it is to be
    read from two weeks back."""
    query = select(amazon_sync).where(amazon_sync.c.account == account).with_for_update()
    row = (await connection.execute(query)).first()
    if row is None:
        fresh = Sync(account, since=now - _AT_FIRST, poll_at=now)
        # Should another process be first, its row stays.
        with suppress(IntegrityError):
            async with connection.begin_nested():
                values = {"account": account, "submit_waits": False, **_place(fresh)}
                await connection.execute(insert(amazon_sync).values(values))
        row = (await connection.execute(query)).one()
    return _sync(row)


async def due(connection: AsyncConnection, accounts: list[str], now: datetime) -> list[Sync]:
    """Those of `accounts` whose next page is due."""
    query = select(amazon_sync).where(amazon_sync.c.account.in_(accounts), amazon_sync.c.poll_at <= now)
    return [_sync(row) for row in await connection.execute(query.order_by(amazon_sync.c.poll_at))]


async def claim(connection: AsyncConnection, sync: Sync, until: datetime) -> bool:
    """Takes a due page on, so that no other process does before `until`; False when one did."""
    where = (amazon_sync.c.account == sync.account, amazon_sync.c.poll_at == sync.poll_at)
    done = await connection.execute(update(amazon_sync).where(*where).values(poll_at=until))
    return bool(done.rowcount)


async def move(connection: AsyncConnection, sync: Sync) -> None:
    """Records how far the account was read."""
    await connection.execute(update(amazon_sync).where(amazon_sync.c.account == sync.account).values(_place(sync)))


async def submit_waits(connection: AsyncConnection, account: str, *, waits: bool) -> bool:
    """Records whether a feed is due; False when that was so already."""
    where = (amazon_sync.c.account == account, amazon_sync.c.submit_waits != waits)
    done = await connection.execute(update(amazon_sync).where(*where).values(submit_waits=waits))
    return bool(done.rowcount)


def _place(sync: Sync) -> dict[str, Any]:
    return {"since": sync.since, "page_token": sync.page_token, "read_until": sync.read_until, "poll_at": sync.poll_at}


def _sync(row: Row[Any]) -> Sync:
    return Sync(**row._mapping)
