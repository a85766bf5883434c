"""Opening, migrating and using a database, and what its errors are called; on real SQLite and real PostgreSQL."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from msgbot.audit import Audit
from msgbot.domain.trail import EntryKind
from msgbot.errors import ConfigError, StoreError
from msgbot.store import database as databases
from msgbot.store import messages, trail
from msgbot.store.connections import store_errors
from msgbot.store.database import Database, migrate_database, open_database, schema_version
from msgbot.store.schema import metadata
from msgbot.store.schema_version import NEWEST
from tests.old_database import old_database, take_in

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """Where a database may be made, once of each kind."""
    if request.param == "sqlite":
        return tmp_path / "store" / "msgbot.db"
    made: str = request.getfixturevalue("postgres")()
    return made


async def append(database: Database, number: int) -> None:
    async with database.transaction() as connection:
        await trail.append(connection, "main", NOW, EntryKind.RULING, {"number": number})


async def entries(database: Database) -> int:
    async with database.reading() as connection:
        return (await trail.head(connection, "main"))[0]


async def holds(database: Database) -> bool:
    """Whether the audit chain verifies."""
    return [proof.broken for proof in await Audit(database, lambda: NOW).verify("main")] == [None]


async def test_all_that_open_a_new_database_at_the_same_moment_succeed(address: str | Path) -> None:
    opened = await asyncio.gather(*(open_database(address) for _ in range(8)))
    await asyncio.gather(*(append(database, number) for number, database in enumerate(opened)))
    assert await entries(opened[0]) == 8
    for database in opened:
        await database.close()


async def test_a_new_database_has_the_newest_schema_and_one_that_is_not_there_is_not_made(address: str | Path) -> None:
    assert await schema_version(address) is None
    assert not (isinstance(address, Path) and address.exists())
    await (await open_database(address)).close()
    assert await schema_version(address) == NEWEST
    assert await migrate_database(address) == (NEWEST, NEWEST)


async def test_an_empty_database_can_be_migrated_too(address: str | Path) -> None:
    assert await migrate_database(address) == ("", NEWEST)
    await (await open_database(address)).close()


async def test_only_its_owner_may_read_an_sqlite_file(tmp_path: Path) -> None:
    database = await open_database(tmp_path / "msgbot.db")
    await append(database, 1)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("msgbot.db*")}
    await database.close()
    assert modes == {"msgbot.db": 0o600, "msgbot.db-wal": 0o600, "msgbot.db-shm": 0o600}


async def test_an_older_schema_is_refused_and_says_what_to_do(address: str | Path) -> None:
    old = await old_database(address, 1)
    with pytest.raises(StoreError, match="has schema 0001, this msgbot needs 0004: run `msgbot migrate`"):
        await open_database(address)
    assert await old.version() == "0001"
    await old.close()


async def test_a_newer_schema_is_refused_by_all(address: str | Path) -> None:
    database = await open_database(address)
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
    for refuses in (open_database, migrate_database):
        with pytest.raises(StoreError, match="newer msgbot"):
            await refuses(address)
    assert await schema_version(address) == "9999"


async def test_a_migration_loses_nothing_of_what_is_written_meanwhile(address: str | Path) -> None:
    """A process of the release before goes on, all the while."""
    before = range(1, 21)
    old = await old_database(address, *before)
    under_way, migrated = asyncio.Event(), asyncio.Event()
    written = list(before)

    async def go_on(first: int) -> None:
        number, left = first, 3
        while left:
            left -= migrated.is_set()
            async with old.transaction() as connection:
                await take_in(connection, number)
            written.append(number)
            number += 1
            under_way.set()

    async def migrate() -> tuple[str, str]:
        await under_way.wait()
        versions = await migrate_database(address)
        migrated.set()
        return versions

    versions, *_ = await asyncio.gather(migrate(), go_on(1_000), go_on(2_000))
    await old.close()
    assert versions == ("0001", NEWEST)
    database = await open_database(address)
    async with database.reading() as connection:
        found = await messages.received(connection, "main", [f"<{number}@a>" for number in written])
        counts = {name: await count(database, name) for name in ("messages", "raw_messages", "decisions", "replies", "trail")}
        assert await connection.run_sync(differences) == []
    assert len(found) == len(written)
    assert {turn.verdict.evidence[0].text for turn, _ in found.values()} == {"cancel"}
    assert counts == {name: len(written) * (2 if name == "trail" else 1) for name in counts}
    assert await holds(database)
    await append(database, 1)
    await database.close()


async def count(database: Database, table: str) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608


def differences(connection: Connection) -> list[object]:
    """What the code describes and the database has not, or the other way round."""
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return list(compare_metadata(context, metadata))


async def test_a_migration_does_not_queue_behind_a_long_transaction(
    postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would make everybody else queue behind itself."""
    monkeypatch.setattr(databases, "_MIGRATION_PAUSES", (0.2,))
    address = postgres()
    old = await old_database(address, 1)
    async with old.reading() as report:
        await report.execute(text("SELECT count(*) FROM messages"))
        with pytest.raises(StoreError, match=r"cannot be migrated: .*a long transaction"):
            await migrate_database(address)
        async with old.transaction() as connection:
            await take_in(connection, 2)
    assert await migrate_database(address) == ("0001", NEWEST)
    await old.close()


async def test_a_migration_gets_through_when_the_long_transaction_ends(
    postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = iter([0.0] * 50)
    waited = asyncio.Event()

    def count_pauses() -> Iterator[float]:
        for pause in pauses:
            waited.set()
            yield pause

    monkeypatch.setattr(databases, "_MIGRATION_PAUSES", count_pauses())
    address = postgres()
    old = await old_database(address, 1)
    async with AsyncExitStack() as stack:
        report = await stack.enter_async_context(old.reading())
        await report.execute(text("SELECT count(*) FROM messages"))
        migrating = asyncio.create_task(migrate_database(address))
        await waited.wait()
    assert await migrating == ("0001", NEWEST)
    await old.close()


async def test_two_migrations_at_once_do_it_once(address: str | Path) -> None:
    await (await old_database(address, 1)).close()
    assert sorted(await asyncio.gather(migrate_database(address), migrate_database(address))) == [
        ("0001", NEWEST),
        (NEWEST, NEWEST),
    ]


async def test_a_reader_is_not_held_up_by_a_writer_and_sees_one_moment(database: Database) -> None:
    await append(database, 1)
    async with database.transaction() as writing:
        await trail.append(writing, "main", NOW, EntryKind.RULING, {"number": 2})
        assert await entries(database) == 1
    async with database.reading() as connection:
        assert (await trail.head(connection, "main"))[0] == 2
        await append(database, 3)
        assert (await trail.head(connection, "main"))[0] == 2
    assert await entries(database) == 3


async def test_a_reader_cannot_write_and_leaves_its_connection_fit_for_writing(database: Database) -> None:
    for _ in range(3):
        with pytest.raises((StoreError, DBAPIError), match=r"(?i)read.?only"):
            async with database.reading() as connection:
                await trail.append(connection, "main", NOW, EntryKind.RULING, {})
        await append(database, 1)
    assert await entries(database) == 3


async def test_the_chain_verifies_while_others_write_to_it(database: Database) -> None:
    """The head that is read must belong to the entries that are read."""
    await append(database, 0)
    writing = asyncio.gather(*(append(database, number) for number in range(60)))
    proofs = 0
    while not writing.done():
        assert await holds(database)
        proofs += 1
    await writing
    assert proofs


@pytest.fixture
async def on_postgres(postgres: Callable[[], str]) -> AsyncIterator[Database]:
    """An open database of PostgreSQL's."""
    opened = await open_database(postgres(), pool_size=2)
    yield opened
    await opened.close()


TERMINATE = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.mark.parametrize("kind", ["transaction", "reading"])
async def test_a_lost_connection_is_a_store_error_and_the_next_one_works(on_postgres: Database, kind: str) -> None:
    await append(on_postgres, 1)
    other = await open_database(on_postgres.url.render_as_string(hide_password=False))

    async def lose_it() -> None:
        async with getattr(on_postgres, kind)() as connection:
            await trail.head(connection, "main")
            async with other.transaction() as killer:
                await killer.execute(TERMINATE)
            await trail.head(connection, "main")

    with pytest.raises(StoreError, match=r"cannot be used: [^\n]+$"):
        await lose_it()
    await append(on_postgres, 2)
    # A connection that was lost while nobody used it is not even noticed.
    async with other.transaction() as killer:
        await killer.execute(TERMINATE)
    assert await entries(on_postgres) == 2
    await other.close()


async def test_no_more_connections_are_made_than_allowed(on_postgres: Database) -> None:
    async def connections() -> int:
        async with on_postgres.reading() as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            return int((await connection.execute(text(query))).scalar_one())

    assert max(await asyncio.gather(*(connections() for _ in range(12)))) <= 2


async def test_a_full_disk_is_a_store_error_and_the_next_transaction_works(tmp_path: Path) -> None:
    database = await open_database(tmp_path / "msgbot.db")

    async def fill() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("PRAGMA max_page_count = 1"))
            for number in range(2_000):
                await trail.append(connection, "main", NOW, EntryKind.RULING, {"number": number})

    with pytest.raises(StoreError, match=r"disk is full; make room"):
        await fill()
    async with database.transaction() as connection:
        await connection.execute(text("PRAGMA max_page_count = 1000000"))
    await append(database, 1)
    assert await entries(database) == 1
    await database.close()


async def test_a_damaged_file_is_a_store_error(tmp_path: Path) -> None:
    database = await open_database(tmp_path / "msgbot.db")
    for number in range(50):
        await append(database, number)
    await database.close()
    whole = (tmp_path / "msgbot.db").read_bytes()
    (tmp_path / "msgbot.db").write_bytes(whole[:8192] + bytes(len(whole) - 8192))
    with pytest.raises(StoreError, match=r"cannot be opened: .*malformed"):
        await open_database(tmp_path / "msgbot.db")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoConnectionFree(), "all connections to it are taken"),
        (OperationalError("SELECT", {}, Exception("consuming input failed\nserver closed")), "consuming input failed"),
        (DatabaseError("SELECT", {}, Exception("file is not a database")), "file is not a database"),
        (DBAPIError("SELECT", {}, Exception(), connection_invalidated=True), "Exception"),
    ],
)
def test_what_is_wrong_with_the_database_is_said_in_one_line(error: Exception, said: str) -> None:
    with pytest.raises(StoreError) as raised, store_errors("postgresql://x"):
        raise error
    assert str(raised.value) == f"the database postgresql://x cannot be used: {said}"


def test_what_is_wrong_with_a_statement_passes() -> None:
    with pytest.raises(IntegrityError), store_errors("x"):
        raise IntegrityError("INSERT", {}, Exception("unique"))


async def test_errors_do_not_tell_the_password() -> None:
    with pytest.raises(StoreError) as raised:
        await open_database("postgresql://me:secret@127.0.0.1:1/none?connect_timeout=2")
    assert "secret" not in str(raised.value)
    assert "cannot be opened" in str(raised.value)


async def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened: "):
        await open_database(tmp_path / "file" / "msgbot.db")


@pytest.mark.parametrize("asks", [open_database, migrate_database, schema_version])
async def test_a_wrong_address_is_a_config_error(asks: Callable[[str], object]) -> None:
    with pytest.raises(ConfigError):
        await asks("mysql://x/y")  # type: ignore[misc]
