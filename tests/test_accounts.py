"""Accounts: what is asked of them, and what stands in the trail."""

from __future__ import annotations

import pytest

from msgbot.accounts import Accounts
from msgbot.domain.trail import INSTALLATION
from msgbot.errors import Conflict, InputError, NotFound, Stale
from msgbot.store import trail
from msgbot.store.database import Database
from tests.conftest import NOW


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database, lambda: NOW)


async def test_what_is_not_given_stays_and_every_change_is_in_the_trail(accounts: Accounts, database: Database) -> None:
    added = await accounts.add("main", store="Sample Store", own_addresses=["Orders@Shop.example"])
    assert added.own_addresses == {"orders@shop.example"}
    renamed = await accounts.change("main", added.version, store="New Store", by="user:alice")
    moved = await accounts.change("main", renamed.version, own_addresses=[])
    assert (moved.store, moved.own_addresses, moved.version) == ("New Store", frozenset(), 3)
    assert await accounts.get("main") == moved
    assert await accounts.all() == [moved]
    async with database.transaction() as connection:
        entries = [entry async for entry in trail.entries(connection, INSTALLATION)]
    assert [(entry.kind, entry.facts["change"], entry.facts["store"], entry.facts["by"]) for entry in entries] == [
        ("account_changed", "added", "Sample Store", "command line"),
        ("account_changed", "changed", "New Store", "user:alice"),
        ("account_changed", "changed", "New Store", "command line"),
    ]


async def test_a_change_to_what_somebody_else_changed_is_refused_and_not_recorded(accounts: Accounts, database: Database) -> None:
    await accounts.add("main")
    await accounts.change("main", 1, store="First")
    with pytest.raises(Stale):
        await accounts.change("main", 1, store="Second")
    assert (await accounts.get("main")).store == "First"
    async with database.transaction() as connection:
        assert (await trail.head(connection, INSTALLATION))[0] == 2


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 65, "main\n", "\0", INSTALLATION])
async def test_a_name_that_cannot_be_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of an account"):
        await accounts.add(name)
    with pytest.raises(NotFound, match="no account named"):
        await accounts.get(name)


@pytest.mark.parametrize("address", ["", "shop.example", "Shop <a@shop.example>", "a@shop.example,b@shop.example"])
async def test_an_own_address_must_be_one(accounts: Accounts, address: str) -> None:
    with pytest.raises(InputError, match="is no mail address"):
        await accounts.add("main", own_addresses=["a@shop.example", address])
    assert await accounts.all() == []


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("Sample\nStore", "line end"),
        ("Sample\u2028Store", "line end"),
        ("Sample\0Store", "control character"),
        ("Sample Store, www.shop.example", "a link"),
        ("orders@shop.example", "an e-mail address"),
        ("Sample Store +49 30 1234567", "a phone number"),
        ("Discount Store", "marketing"),
        ("Sample Store \u2605", "symbol"),
        (" ", "empty"),
    ],
)
async def test_a_store_under_which_no_reply_could_go_out_is_refused(accounts: Accounts, store: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        await accounts.add("main", store=store)
    assert refused.value.field == "store"
    added = await accounts.add("main", store="Müller & Söhne 1889")
    with pytest.raises(InputError, match=says) as refused:
        await accounts.change("main", added.version, store=store)
    assert refused.value.field == "store"
    assert await accounts.all() == [added]


async def test_an_account_needs_no_store(accounts: Accounts) -> None:
    added = await accounts.add("main", store="")
    assert (await accounts.change("main", added.version, store="")).store == ""


async def test_a_name_is_taken_once(accounts: Accounts) -> None:
    await accounts.add("main")
    with pytest.raises(Conflict, match="named main already"):
        await accounts.add("main")
