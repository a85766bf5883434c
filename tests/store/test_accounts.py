"""Seller accounts on file, on real SQLite and real PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from msgbot.errors import ConfigError, Conflict, Stale
from msgbot.store import accounts
from msgbot.store.accounts import Account
from msgbot.store.database import Database
from tests.conftest import NOW

MAIN = Account("main", "Sample Store", frozenset({"a@shop.example", "b@shop.example"}), NOW)


async def test_an_account_comes_back_as_it_was(database: Database) -> None:
    other = Account("Zeta", "", frozenset(), NOW)
    async with database.transaction() as connection:
        await accounts.add(connection, MAIN)
        await accounts.add(connection, other)
        assert await accounts.get(connection, "main") == MAIN
        assert await accounts.get(connection, "Main") is None
        # By the letters' codes, on both databases.
        assert await accounts.get_all(connection) == [other, MAIN]


async def test_a_name_is_taken_once(database: Database) -> None:
    async with database.transaction() as connection:
        await accounts.add(connection, MAIN)
    with pytest.raises(Conflict, match="named main already"):
        async with database.transaction() as connection:
            await accounts.add(connection, replace(MAIN, store="Other"))


async def test_of_two_changes_to_the_same_version_one_is_refused(database: Database) -> None:
    async with database.transaction() as connection:
        await accounts.add(connection, MAIN)
        changed = await accounts.change(connection, replace(MAIN, store="First"))
        assert (changed.store, changed.version) == ("First", 2)
        with pytest.raises(Stale, match="not of version 1 any more"):
            await accounts.change(connection, replace(MAIN, store="Second"))
        assert await accounts.get(connection, "main") == changed


async def test_an_account_is_ensured_once_by_whoever_comes_first(database: Database) -> None:
    async def ensure(number: int) -> Account:
        async with database.transaction() as connection:
            return await accounts.ensure(connection, "main", NOW + timedelta(seconds=number))

    made = await asyncio.gather(*(ensure(number) for number in range(5)))
    async with database.transaction() as connection:
        assert await accounts.get_all(connection) == [made[0]]
    assert len(set(made)) == 1


async def test_the_name_of_the_installation_is_no_account(database: Database) -> None:
    async with database.transaction() as connection:
        with pytest.raises(ConfigError, match="take another name"):
            await accounts.ensure(connection, "installation", NOW)
