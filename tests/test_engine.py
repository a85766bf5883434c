"""Many subjects share a workflow, and none suffers for another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from msgbot.engine import Engine, Failure, Workflow
from msgbot.errors import InputError, StoreError
from msgbot.steps import step
from msgbot.store.database import Database


@asynccontextmanager
async def at_work(database: Database, workflow: Workflow, subjects: Sequence[str]) -> AsyncIterator[Engine]:
    """An engine that has done `workflow` about all `subjects`."""
    engine = Engine(database)
    try:
        async with engine.running({"job": workflow}):
            async with database.transaction() as connection:
                await engine.enqueue_many(connection, "job", "main", subjects)
            await engine.drain()
            yield engine
    finally:
        await engine.close()


async def test_what_fails_and_what_is_done_goes_no_further(database: Database) -> None:
    seen: list[tuple[str, str, str]] = []

    async def first(account: str, subject: str) -> str:
        seen.append(("first", account, subject))
        if subject == "bad":
            raise InputError("it cannot be")
        return f"{subject} is ready" if subject != "done" else ""

    async def second(account: str, given: str) -> str:
        seen.append(("second", account, given))
        return ""

    async def workflow(account: str, subjects: Sequence[str]) -> None:
        await step("second", second, account, await step("first", first, account, {each: each for each in subjects}))

    async with at_work(database, workflow, ["good", "bad", "done", "fine"]) as engine:
        assert await engine.failures() == [Failure("bad", "it cannot be")]
    assert seen == [
        ("first", "main", "good"),
        ("first", "main", "bad"),
        ("first", "main", "done"),
        ("first", "main", "fine"),
        ("second", "main", "good is ready"),
        ("second", "main", "fine is ready"),
    ]


async def test_a_database_that_is_away_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msgbot.steps._PATIENCE", (0.01, 0.01))
    tries: list[str] = []

    async def work(account: str, subject: str) -> str:
        tries.append(subject)
        if len(tries) < 3:
            raise StoreError("away")
        return ""

    async def workflow(account: str, subjects: Sequence[str]) -> None:
        await step("work", work, account, {each: each for each in subjects})

    async with at_work(database, workflow, ["one"]) as engine:
        assert await engine.failures() == []
    assert tries == ["one"] * 3


async def test_the_only_one_that_fails_is_told_as_it_is(database: Database) -> None:
    async def work(account: str, subject: str) -> str:
        raise InputError("it cannot be")

    async def workflow(account: str, subjects: Sequence[str]) -> None:
        await step("work", work, account, {each: each for each in subjects})

    async with at_work(database, workflow, ["one"]) as engine:
        assert await engine.failures() == [Failure("one", "it cannot be")]
