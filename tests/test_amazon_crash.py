"""kill -9 on the way of a cancellation to Amazon and back: it is handed over once, and no feed is forgotten."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from msgbot.audit import Audit
from msgbot.clock import system_clock
from msgbot.engine import Engine
from msgbot.fake_amazon import Trouble
from msgbot.store.database import Database, open_database
from tests.conftest import Postgres
from tests.crashing import Step
from tests.killing import KILLED, MOMENTS, WAIT_SECONDS, DeadlyAmazon, Process, Strike, survivor

SHARES = 6
REASON = ("--reason", "Buyer Canceled")
SERVE = ("serve", "--port", "0")
UNDER_WAY = (
    "SELECT workflow_uuid FROM {}workflow_status WHERE status IN ('ENQUEUED', 'PENDING', 'DELAYED') "
    "AND (workflow_uuid LIKE 'submit:%' OR workflow_uuid LIKE 'follow:%' OR workflow_uuid LIKE 'refresh:%')"
)


class Scene:
    """A folder for processes, a database, and an Amazon with an order that its buyer wants cancelled."""

    def __init__(self, folder: Path, address: str, fake: DeadlyAmazon) -> None:
        self.folder = folder
        self.fake = fake
        self.order = fake.add_order()
        fake.file_request(self.order.id)
        self._address = address

    def start(self, *arguments: str, point: int = 0, step: Step | None = None, host: str = "127.0.0.1") -> Process:
        """A process that Amazon, which it knows as `host`, may kill, or that dies at its moment `point`."""
        settings = self.fake.settings(host, **({"MSGBOT_DATABASE": self._address} if self._address else {}))
        process = self.fake.callers[host] = Process(self.folder, *arguments, settings=settings, point=point, step=step)
        return process

    def ask(self, *options: str, point: int = 0, step: Step | None = None) -> int | None:
        """Somebody asks for the cancellation on the command line; the exit code."""
        return self.start("cancel", self.order.id, *REASON, *options, point=point, step=step).wait()

    def die(self, *arguments: str, strikes: list[Strike]) -> None:
        """As many processes as there are strikes, the one after the other, each killed by one."""
        self.fake.strikes.extend(strikes)
        while self.fake.strikes:
            left = len(self.fake.strikes)
            process = self.start(*arguments)
            assert process.wait() == KILLED, (left, process.log)
            assert len(self.fake.strikes) == left - 1

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """What they work on."""
        opened = await open_database(self._address or self.folder / "msgbot-data" / "msgbot.db")
        try:
            yield opened
        finally:
            await opened.close()

    async def settles(self, process: Process) -> bool:
        """Whether everything comes to its end before the process does. Raises AssertionError if neither does."""
        async with self.database() as database:
            until = time.monotonic() + WAIT_SECONDS
            while under_way := await self._under_way(database):
                if not process.alive:
                    return False
                assert time.monotonic() < until, (under_way, process.log)
                await asyncio.sleep(0.05)
        return True

    async def _under_way(self, database: Database) -> list[str]:
        async with database.reading() as connection:
            query = UNDER_WAY.format("" if database.is_sqlite else "dbos.")
            found = [str(each) for each in (await connection.execute(text(query))).scalars()]
            query = "SELECT id FROM cancellations WHERE state IN ('ready', 'submitted', 'accepted')"
            return found + [str(each) for each in (await connection.execute(text(query))).scalars()]

    async def check(self) -> None:
        """Fails unless the order was cancelled, by one feed only; Amazon's feeds are all on file; and the audit verifies."""
        async with self.database() as database:
            async with database.reading() as connection:
                query = text("SELECT order_id, state, note FROM cancellations")
                [(order_id, state, note)] = await connection.execute(query)
                feeds = [tuple(row) for row in await connection.execute(text("SELECT state, amazon_id FROM feeds"))]
            assert (order_id, state) == (self.order.id, "done"), note
            assert all(proof.broken is None for proof in await Audit(database, system_clock).verify())
        assert self.fake.cancellations == {self.order.id: 1}
        assert self.order.status.value == "CANCELLED"
        assert [each for each in feeds if each[1]] == [("done", *self.fake.feeds.feeds)]
        assert {state for state, amazon_id in feeds if not amazon_id} <= {"failed"}
        # It is looked for before it is handed over again.
        calls = [call.operation for call in self.fake.calls if call.operation in {"createFeed", "getFeeds"}]
        assert ("createFeed", "createFeed") not in itertools.pairwise(calls)

    async def end(self) -> None:
        """A service is started, ends what was begun, and stops as told; everything is as it should be."""
        with self.start(*SERVE) as service:
            assert await self.settles(service), service.log
            assert service.ready().stop() == 0, service.log
        await self.check()


@pytest.fixture
def fake() -> Iterator[DeadlyAmazon]:
    made = DeadlyAmazon()
    with made.judged():
        yield made


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty SQLite database, to be copied."""
    folder = tmp_path_factory.mktemp("prepared")

    async def make() -> None:
        database = await open_database(folder / "msgbot-data" / "msgbot.db")
        await Engine(database).close()
        await database.close()

    asyncio.run(make())
    return folder


@pytest.fixture
def lone(prepared: Path, tmp_path: Path, fake: DeadlyAmazon) -> Scene:
    """On SQLite."""
    return Scene(shutil.copytree(prepared, tmp_path / "work"), "", fake)


@pytest.fixture
def far(postgres: Postgres, tmp_path: Path, fake: DeadlyAmazon) -> Scene:
    """On PostgreSQL."""
    return Scene(tmp_path, postgres.prepared(), fake)


@pytest.fixture(params=["lone", "far"])
def both(request: pytest.FixtureRequest) -> Scene:
    """On SQLite, and on PostgreSQL."""
    scene: Scene = request.getfixturevalue(request.param)
    return scene


@pytest.fixture(scope="module")
def moments(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many moments an undisturbed cancellation has, about: it waits for Amazon now longer and now shorter."""
    fake, folder = DeadlyAmazon(), tmp_path_factory.mktemp("undisturbed") / "work"
    with fake.judged():
        scene = Scene(shutil.copytree(prepared, folder), "", fake)
        assert scene.ask("--wait") == 0
        asyncio.run(scene.check())
    return int((folder / MOMENTS).read_text())


@pytest.mark.parametrize("share", [index / SHARES for index in range(SHARES)])
async def test_killed_at_any_moment_the_order_is_cancelled_once(lone: Scene, share: float, moments: int) -> None:
    assert lone.ask("--wait", point=1 + int(share * moments)) in {KILLED, 0}
    # Whoever saw it die asks again.
    lone.ask()
    await lone.end()


STEPS = [
    Step("feeds", "prepared"),
    # Amazon was asked for nothing by then, but nobody can know that: it is looked for, and handed over again.
    Step("feeds", "submitting"),
    Step("feeds", "failed"),
    # Amazon's answer has come, and is lost: it is found.
    Step("feeds", "submitted"),
    Step("feeds", "done"),
    Step("cancellations", "done"),
]


async def test_killed_before_and_after_each_step_on_file_it_is_cancelled_once(both: Scene) -> None:
    for point in (1, 2):
        assert both.ask(point=point, step=Step("cancellations", "ready")) == KILLED
    for step in STEPS:
        for point in (1, 2):
            service = both.start(*SERVE, point=point, step=step)
            assert service.wait() == KILLED, (step, service.log)
    await both.end()
    assert len(both.fake.calls_of("createFeed")) == 1


def around(*operations: str) -> list[Strike]:
    """Each of these calls is a moment to die before it, and when it is done."""
    return [Strike(operation, after) for operation in operations for after in (False, True)]


async def test_killed_around_each_call_to_amazon_the_order_is_cancelled_once(lone: Scene) -> None:
    lone.die("cancel", lone.order.id, *REASON, strikes=around("getOrder"))
    lone.ask()
    lone.die(*SERVE, strikes=around("createFeedDocument", "upload"))
    # It may have reached Amazon, and has not: it is looked for, then handed over again.
    lone.die(*SERVE, strikes=[Strike("createFeed"), *around("getFeeds")])
    lone.die(*SERVE, strikes=[Strike("createFeed", after=True), *around("getFeeds")])
    lone.die(*SERVE, strikes=around("getFeed", "getFeedDocument", "download", "getOrder"))
    await lone.end()


@pytest.mark.parametrize(
    ("trouble", "handed_over"),
    [
        (Trouble.CUT_AFTER, 1),
        (Trouble.ERROR_AFTER, 1),
        (Trouble.TRUNCATED, 1),
        (Trouble.CUT_BEFORE, 2),
        (Trouble.SERVER_ERROR, 2),
    ],
)
async def test_when_nobody_knows_whether_amazon_has_it_it_is_looked_for(lone: Scene, trouble: Trouble, handed_over: int) -> None:
    lone.fake.trouble("createFeed", trouble)
    lone.ask()
    lone.die(*SERVE, strikes=around("getFeeds"))
    await lone.end()
    assert len(lone.fake.calls_of("createFeed")) == handed_over


@pytest.mark.parametrize(
    "strike",
    [Strike("createFeedDocument", after=True), Strike("createFeed"), Strike("createFeed", after=True), Strike("getFeed")],
    ids=["before it is said", "before Amazon has it", "when Amazon has it", "while Amazon works"],
)
async def test_a_worker_that_is_lost_for_good_is_replaced_by_the_other(far: Scene, strike: Strike) -> None:
    far.ask()
    far.fake.strikes.append(strike)
    with far.start("worker") as one, far.start("worker", host="localhost") as other:
        left = survivor(one, other)
        assert await far.settles(left), left.log
        assert "took over the work of a dead process" in left.log
        assert left.ready().stop() == 0, left.log
    await far.check()
