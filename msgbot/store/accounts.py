"""Seller accounts on file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.trail import INSTALLATION
from msgbot.errors import ConfigError, Conflict, Stale
from msgbot.store.schema import accounts
from msgbot.store.values import storable


@dataclass(frozen=True, slots=True)
class Account:
    """A seller account. `store` is the name under its replies; `own_addresses` are in small letters. `version` counts the
    changes from 1."""

    name: str
    store: str
    own_addresses: frozenset[str]
    created_at: datetime
    version: int = 1


async def add(connection: AsyncConnection, account: Account) -> None:
    """Puts an account on file. Raises Conflict when there is one of this name; the transaction cannot go on then."""
    try:
        await connection.execute(insert(accounts).values(_row(account)))
    except IntegrityError as error:
        raise Conflict(f"there is an account named {account.name} already") from error


async def ensure(connection: AsyncConnection, name: str, now: datetime) -> Account:
    """The account of the setting `account`, put on file when there is none of this name; one that is there is left as it is.
    Raises ConfigError for the name under which the installation itself stands in the trail."""
    if name == INSTALLATION:
        raise ConfigError(f"the setting 'account' cannot be {INSTALLATION!r}: take another name")
    found = await get(connection, name)
    if found is not None:
        return found
    fresh = Account(name, "", frozenset(), now)
    try:
        async with connection.begin_nested():
            await connection.execute(insert(accounts).values(_row(fresh)))
    except IntegrityError:
        # Another process put it there a moment ago.
        return await get(connection, name) or fresh
    return fresh


async def get(connection: AsyncConnection, name: str) -> Account | None:
    """The account, or None."""
    row = (await connection.execute(select(accounts).where(accounts.c.name == name))).first()
    return _account(row) if row is not None else None


async def get_all(connection: AsyncConnection) -> list[Account]:
    """All accounts, by name."""
    # Sorted here: databases sort letters each in their own way.
    return sorted((_account(row) for row in await connection.execute(select(accounts))), key=lambda account: account.name)


async def change(connection: AsyncConnection, account: Account) -> Account:
    """Puts `account` in the place of the one of its name, which must still have its version; what is on file then. Raises Stale
    when somebody changed or removed it in between."""
    changed = dataclasses.replace(account, version=account.version + 1)
    where = (accounts.c.name == account.name, accounts.c.version == account.version)
    done = await connection.execute(update(accounts).where(*where).values(_row(changed)))
    if not done.rowcount:
        raise Stale(f"the account {account.name} is not of version {account.version} any more: read it again and change that")
    return changed


def _row(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "store": storable(account.store),
        "own_addresses": sorted(account.own_addresses),
        "created_at": account.created_at,
        "version": account.version,
    }


def _account(row: Row[Any]) -> Account:
    return Account(row.name, row.store, frozenset(row.own_addresses), row.created_at, row.version)
