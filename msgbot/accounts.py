"""Accounts: the sellers that msgbot works for, and what is said in their name."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.channels.addresses import is_plain
from msgbot.clock import Clock
from msgbot.domain.access import ACCOUNT_NAME
from msgbot.domain.reply import outbound_faults
from msgbot.domain.trail import INSTALLATION, EntryKind, Facts
from msgbot.errors import InputError, NotFound
from msgbot.store import accounts, trail
from msgbot.store.accounts import Account
from msgbot.store.database import Database

_NOT_IN_A_LINE = frozenset({"Cc", "Zl", "Zp"})


class Accounts:
    """The use case. `by` and `request_id` say for the trail who changed something, and with which HTTP request."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(
        self,
        name: str,
        *,
        store: str = "",
        own_addresses: Collection[str] = (),
        by: str = "command line",
        request_id: str = "",
    ) -> Account:
        """The new account, on file. Raises InputError for a name or address that is none and a store that no reply may
        name, Conflict when the name is taken."""
        if not ACCOUNT_NAME.fullmatch(name) or name == INSTALLATION:
            raise InputError(
                f"{name!r} cannot be the name of an account: 1 to 64 letters, digits, '_', '.' and '-', and not {INSTALLATION!r}"
            )
        _check_store(store)
        account = Account(name, store, _checked(own_addresses), self._clock())
        async with self._database.transaction() as connection:
            await accounts.add(connection, account)
            await self._record(connection, account, "added", by, request_id)
        return account

    async def get(self, name: str) -> Account:
        """The account. Raises NotFound."""
        async with self._database.reading() as connection:
            return await _existing(connection, name)

    async def all(self) -> list[Account]:
        """All accounts, by name."""
        async with self._database.reading() as connection:
            return await accounts.get_all(connection)

    async def change(
        self,
        name: str,
        version: int,
        *,
        store: str | None = None,
        own_addresses: Collection[str] | None = None,
        by: str = "command line",
        request_id: str = "",
    ) -> Account:
        """The account with what is given put in the place of what was; None leaves it. `version` is the one that was looked at.
        Raises NotFound, InputError, and Stale when somebody else changed it since."""
        _check_store(store or "")
        own = None if own_addresses is None else _checked(own_addresses)
        async with self._database.transaction() as connection:
            account = dataclasses.replace(await _existing(connection, name), version=version)
            if store is not None:
                account = dataclasses.replace(account, store=store)
            if own is not None:
                account = dataclasses.replace(account, own_addresses=own)
            changed = await accounts.change(connection, account)
            await self._record(connection, changed, "changed", by, request_id)
        return changed

    async def _record(self, connection: AsyncConnection, account: Account, change: str, by: str, request_id: str) -> None:
        facts: Facts = {
            "account": account.name,
            "change": change,
            "store": account.store,
            "own_addresses": sorted(account.own_addresses),
            "by": by,
            "request": request_id,
        }
        await trail.append(connection, INSTALLATION, self._clock(), EntryKind.ACCOUNT_CHANGED, facts)


async def _existing(connection: AsyncConnection, name: str) -> Account:
    account = await accounts.get(connection, name) if ACCOUNT_NAME.fullmatch(name) else None
    if account is None:
        raise NotFound(f"there is no account named {name!r}")
    return account


def _check_store(store: str) -> None:
    """Raises InputError for a name under which no reply could go out; none at all is good."""
    faults = outbound_faults(store) if store else []
    if any(unicodedata.category(sign) in _NOT_IN_A_LINE for sign in store):
        faults.append("it has a line end or a control character")
    if faults:
        raise InputError(f"{store!r} cannot be the name of a store, which stands under replies: {faults[0]}", field="store")


def _checked(addresses: Collection[str]) -> frozenset[str]:
    """The addresses in small letters. Raises InputError that names the one that is none."""
    wrong = next((address for address in addresses if not is_plain(address)), None)
    if wrong is not None:
        raise InputError(f"{wrong!r} is no mail address; one looks like orders@shop.example")
    return frozenset(address.lower() for address in addresses)
