"""Work for Amazon waits in a lane for each account, and stays in it whatever happens to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import pytest
from dbos import DBOS
from sqlalchemy import text

from msgbot.clock import system_clock
from msgbot.engine import Engine
from msgbot.errors import InputError
from msgbot.queues import QUEUES, WORK, queue_of
from msgbot.store.database import Database
from tests.conftest import Desk

LANES = [queue for queue in QUEUES if queue.by_account]


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[Engine]:
    made = Engine(database)
    yield made
    await made.close()


async def put(database: Database, engine: Engine, workflow: str, account: str, subject: str) -> None:
    """Enqueues a workflow."""
    async with database.transaction() as connection:
        await engine.enqueue(connection, workflow, account, subject)


async def rows(database: Database) -> list[tuple[str, str, str, str]]:
    """Subject, state, queue and lane of each workflow; those that were tried again count as others."""
    schema = "" if database.is_sqlite else "dbos."
    query = f"SELECT workflow_uuid, status, queue_name, queue_partition_key FROM {schema}workflow_status ORDER BY created_at"  # noqa: S608
    async with database.reading() as connection:
        return [(str(row[0]).split(":", 2)[2], *row[1:]) for row in await connection.execute(text(query))]


async def until(true: Callable[[], bool]) -> None:
    """Returns when it is."""
    for _ in range(1_500):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never comes to that")


@pytest.mark.parametrize("end", ["taken over", "picked up"])
async def test_what_is_put_back_keeps_its_lane(database: Database, engine: Engine, end: str) -> None:
    """The first to do it is lost in the middle."""
    begun: list[str] = []

    async def never(account: str, subjects: Sequence[str]) -> None:
        begun.append(account)
        await asyncio.Event().wait()

    await put(database, engine, "refresh", "main", "one")
    await put(database, engine, "refresh", "uk", "two")
    async with engine.running({"refresh": never}, executor="lost"):
        await until(lambda: len(begun) == 2)
        assert {row[1] for row in await rows(database)} == {"PENDING"}
        assert await (engine.take_over("lost") if end == "taken over" else picked_up(engine)) == 2
        expected = {("first:one", "order-reads", "main"), ("first:two", "order-reads", "uk")}
        assert {(name, queue, lane) for name, _, queue, lane in await rows(database)} == expected
        # Which is where they are found again.
        await until(lambda: len(begun) == 4)
    assert sorted(begun) == ["main", "main", "uk", "uk"]


async def picked_up(engine: Engine) -> int:
    """How many an engine picks up that it knows nothing of."""
    engine._active.clear()
    return await engine.pick_up() + await engine.pick_up()


async def test_what_is_tried_again_keeps_its_lane(database: Database, engine: Engine) -> None:
    failed = asyncio.Event()

    async def fail(account: str, subjects: Sequence[str]) -> None:
        failed.set()
        raise InputError("it cannot be")

    await put(database, engine, "submit", "uk", "one")
    async with engine.running({"submit": fail}):
        await until(failed.is_set)
        for _ in range(1_500):
            if [row[1] for row in await rows(database)] == ["ERROR"]:
                break
            await asyncio.sleep(0.02)
    assert await engine.try_again(system_clock() - timedelta(minutes=5)) == 1
    assert [row[1:] for row in await rows(database)] == [("ERROR", "feeds", "uk"), ("DELAYED", "feeds", "uk")]


async def test_a_full_lane_keeps_no_other_waiting(database: Database, engine: Engine) -> None:
    done: list[str] = []
    lane = queue_of("submit")

    async def note(account: str, subjects: Sequence[str]) -> None:
        done.extend(f"{account} {subject}" for subject in subjects)

    for number in range(lane.starts + 3):
        await put(database, engine, "submit", "main", str(number))
    async with engine.running({"submit": note}):
        await until(lambda: len(done) == lane.starts)
        await put(database, engine, "submit", "uk", "0")
        await until(lambda: "uk 0" in done)
    assert len(done) == lane.starts + 1
    assert [row[1:] for row in await rows(database) if row[1] == "ENQUEUED"] == [("ENQUEUED", "feeds", "main")] * 3


async def test_without_an_account_that_is_connected_nobody_looks_into_the_lanes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[str] = []
    monkeypatch.setattr(DBOS, "listen_queues", served.extend)
    _, room = await desk.mailroom()
    async with room._at_work():
        pass
    assert WORK.name in served
    assert not {queue.name for queue in LANES} & set(served)
