"""The list of the processes at work on a PostgreSQL database."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from msgbot.store.database import Database, open_database
from msgbot.store.workers import Lease, living


@pytest.fixture
async def far(request: pytest.FixtureRequest) -> Database:
    return await open_database(request.getfixturevalue("postgres").prepared())


async def names(database: Database) -> list[str]:
    """Who is alive."""
    async with database.reading() as connection:
        return await living(connection, 60)


async def test_who_is_stopped_in_the_middle_of_looking_still_signs_off(far: Database) -> None:
    """The connection is of no use any more when what it did was cancelled."""
    lease = Lease(far, "first", "service")
    await lease.begin()
    assert await names(far) == ["first"]
    looking = asyncio.create_task(lease._execute(text("select pg_sleep(30)")))
    await asyncio.sleep(0.3)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await lease.end()
    assert await names(far) == []
    await far.close()
