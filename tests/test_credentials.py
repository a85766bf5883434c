"""Credentials under load and in trouble: what is asked of the database, and what happens when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot import credentials
from msgbot.credentials import Credentials
from msgbot.domain.access import Role
from msgbot.errors import AccessError, StoreError
from msgbot.people import People
from msgbot.store import people
from msgbot.store.database import Database
from tests.conftest import NOW


class Watched(Database):
    """A database that counts transactions, of which it lists those that write, and fails those numbered in `failing`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.url, database.engine)
        self.count = 0
        self.writing: list[int] = []
        self.failing: frozenset[int] = frozenset()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self._begin()
        self.writing.append(self.count)
        async with super().transaction() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        self._begin()
        async with super().reading() as connection:
            yield connection

    def _begin(self) -> None:
        self.count += 1
        if self.count in self.failing:
            raise StoreError("out of order")


class Counter:
    """Credentials on a watched database, and a clock that tests move by hand."""

    def __init__(self, database: Database) -> None:
        self.now = NOW
        self.database = Watched(database)
        self.people = People(database, lambda: self.now)
        self.credentials = self.process()

    def process(self) -> Credentials:
        """The credentials of one more process on the same database."""
        return Credentials(self.database, lambda: self.now, self.seconds)

    def seconds(self) -> float:
        """The stopwatch, which goes by the same hand."""
        return self.now.timestamp()

    async def token(self, name: str = "erp", **wanted: bool) -> str:
        """The text of a new token; of a signing one its id."""
        token, text = await self.people.create_token(name, role=Role.AGENT, accounts=None, **wanted)  # type: ignore[arg-type]
        return text or token.id

    async def asked(self) -> int:
        """How many transactions there were since this was asked last, with what went on beside the requests."""
        await settled()
        count, self.database.count = self.database.count, 0
        return count


async def settled() -> None:
    """Returns when all that goes on beside the test is done."""
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})


@pytest.fixture
def counter(database: Database) -> Counter:
    return Counter(database)


async def test_a_busy_client_costs_one_question_in_two_seconds(counter: Counter) -> None:
    text = await counter.token()
    await asyncio.gather(*(counter.credentials.actor(text) for _ in range(50)))
    assert await counter.asked() == 2, "one to look it up, one to note its use"
    counter.now += timedelta(seconds=1.9)
    await counter.credentials.actor(text)
    assert await counter.asked() == 0
    counter.now += timedelta(seconds=0.1)
    await asyncio.gather(*(counter.credentials.actor(text) for _ in range(50)))
    assert await counter.asked() == 1


async def test_a_busy_signer_is_remembered_too(counter: Counter) -> None:
    identity = await counter.token(signing=True)
    for _ in range(5):
        await counter.credentials.signer(identity)
    assert await counter.asked() == 2


async def test_a_wrong_secret_is_refused_also_when_the_token_is_remembered(counter: Counter) -> None:
    text = await counter.token()
    await counter.credentials.actor(text)
    with pytest.raises(AccessError):
        await counter.credentials.actor(text[:-4] + "AAAA")


async def test_what_is_no_token_asks_the_database_nothing(counter: Counter) -> None:
    for text in ("", "msgbot_", "Basic YWxpY2U6"):
        with pytest.raises(AccessError):
            await counter.credentials.actor(text)
    with pytest.raises(AccessError):
        await counter.credentials.signer("../../etc")
    assert await counter.asked() == 0


async def test_a_use_is_noted_once_a_minute(counter: Counter) -> None:
    text = await counter.token()
    noted = []
    for _ in range(7):
        await counter.credentials.actor(text)
        await settled()
        [token] = await counter.people.tokens()
        assert token.last_used_at is not None
        noted.append((token.last_used_at - NOW).total_seconds())
        counter.now += timedelta(seconds=20)
    assert noted == [0, 0, 0, 60, 60, 60, 120]


async def test_of_two_processes_one_notes_the_use(counter: Counter) -> None:
    text = await counter.token()
    other = counter.process()
    await counter.credentials.actor(text)
    await settled()
    counter.now += timedelta(seconds=59)
    await other.actor(text)
    await settled()
    [token] = await counter.people.tokens()
    assert token.last_used_at == NOW


@pytest.mark.parametrize(("seconds", "noted"), [(0, 0), (59, 0), (60, 60)])
async def test_who_comes_late_with_a_note_of_use_writes_nothing(counter: Counter, seconds: int, noted: int) -> None:
    """Two processes may both have read that the last use was long ago."""
    await counter.token()
    [token] = await counter.people.tokens()
    for after in (0, seconds):
        async with counter.database.transaction() as connection:
            await people.touch_token(connection, token.id, NOW + timedelta(seconds=after), timedelta(minutes=1))
    assert (await counter.people.tokens())[0].last_used_at == NOW + timedelta(seconds=noted)


async def test_no_request_fails_because_its_use_could_not_be_noted(counter: Counter) -> None:
    text = await counter.token()
    counter.database.failing = frozenset({2})
    assert (await counter.credentials.actor(text)).name == "token:erp"
    await settled()
    assert (await counter.people.tokens())[0].last_used_at is None
    counter.now += timedelta(seconds=2)
    await counter.credentials.actor(text)
    await settled()
    assert (await counter.people.tokens())[0].last_used_at == counter.now


async def test_no_request_waits_for_a_lock_to_note_its_use(counter: Counter) -> None:
    """On SQLite nobody else writes while this transaction lasts."""
    text, other = await counter.token(), await counter.token("other")
    async with counter.database.transaction() as connection:
        await people.touch_token(connection, (await counter.credentials.actor(text)).token_id, NOW, timedelta(minutes=1))
        assert (await counter.credentials.actor(other)).name == "token:other"
    await settled()
    assert [token.last_used_at for token in await counter.people.tokens()] == [NOW, NOW]


async def test_who_shows_no_good_token_makes_the_database_write_nothing(counter: Counter) -> None:
    text = await counter.token()
    for wrong in (text[:-4] + "AAAA", f"msgbot_{'0' * 12}_{'A' * 43}"):
        with pytest.raises(AccessError):
            await counter.credentials.actor(wrong)
    assert await counter.asked() > 0
    assert counter.database.writing == []


async def test_a_database_that_fails_is_no_refusal(counter: Counter) -> None:
    """A client that is told "not known" would throw a good token away."""
    text = await counter.token()
    counter.database.failing = frozenset({1})
    with pytest.raises(StoreError):
        await counter.credentials.actor(text)
    await counter.credentials.actor(text)


async def test_who_goes_away_while_it_is_looked_up_keeps_nobody_from_it(counter: Counter) -> None:
    text = await counter.token()
    first = asyncio.create_task(counter.credentials.actor(text))
    second = asyncio.create_task(counter.credentials.actor(text))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).name == "token:erp"


async def test_the_memory_for_tokens_is_bounded(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_REMEMBERED_TOKENS", 2)
    texts = [await counter.token(name) for name in ("one", "two", "three")]
    for text in texts:
        await counter.credentials.actor(text)
    await counter.asked()
    await counter.credentials.actor(texts[2])
    await counter.credentials.actor(texts[1])
    assert await counter.asked() == 0
    await counter.credentials.actor(texts[0])
    assert await counter.asked() == 1
