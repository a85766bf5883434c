"""The database: one engine, its transactions, and the version of its schema."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from msgbot.errors import StoreError
from msgbot.store import schema_version as versions
from msgbot.store.connections import BUSY_MS, READING, database_url, make_engine, sqlite_file, store_errors

POOL_SIZE = 10
"""How many connections to PostgreSQL a database holds at most, unless it is told otherwise."""
_MIGRATION_PAUSES = (1.0,) * 20
"""Seconds between the tries to migrate while others are in the way."""


class Database:
    """An open database. Build with `open_database`."""

    def __init__(self, url: URL, engine: AsyncEngine) -> None:
        self.url = url
        self.engine = engine
        self._writing = asyncio.Lock()

    @property
    def name(self) -> str:
        """The address as it may be shown: without the password."""
        return self.url.render_as_string()

    @property
    def is_sqlite(self) -> bool:
        """Whether it is an SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def sync_url(self) -> str:
        """The address in the form that blocking libraries take, password included: never to be logged."""
        driver = "sqlite" if self.is_sqlite else "postgresql+psycopg"
        return self.url.set(drivername=driver).render_as_string(hide_password=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end, rolled back on any error. On SQLite it takes the write lock at once, so that two
        writers wait for each other instead of failing half-way. Raises StoreError when the database cannot be used."""
        with store_errors(self.name):
            async with self.turn(), self.engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The right to begin a transaction that writes, which nobody else in this process has meanwhile on SQLite.

        SQLite has one writer: who waits for it here comes next, while who waits at the file sleeps and looks again, and may find it
        taken each time. Raises StoreError after a long wait."""
        if not self.is_sqlite:
            yield
            return
        try:
            async with asyncio.timeout(BUSY_MS / 1000):
                await self._writing.acquire()
        except TimeoutError as error:
            raise StoreError(f"the database {self.name} cannot be used: others write to it all the time") from error
        try:
            yield
        finally:
            self._writing.release()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that only reads, and sees everything as it was at one moment. Writers do not hold it up, nor it them;
        writing in it fails. Raises StoreError when the database cannot be used."""
        with store_errors(self.name):
            async with self._snapshot() as connection:
                yield connection

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncConnection]:
        async with self.engine.connect() as connection:
            await connection.execution_options(**{READING: True})
            async with connection.begin():
                if not self.is_sqlite:
                    await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
                yield connection

    async def version(self) -> str | None:
        """The version of the schema; None in an empty database."""
        async with self._snapshot() as connection:
            return await connection.run_sync(versions.version_of)

    async def fold_log(self) -> None:
        """On SQLite, moves the write-ahead log into the file and empties it: until then it still holds what was deleted. Where a
        reader at work keeps it from doing so, a later call does. Raises StoreError when the database cannot be used."""
        if not self.is_sqlite:
            return
        with store_errors(self.name):
            async with self.engine.connect() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                # While it waits for readers, writers wait for it: not for long.
                for statement in ("busy_timeout = 1000", "wal_checkpoint(TRUNCATE)", f"busy_timeout = {BUSY_MS}"):
                    await driver.execute_fetchall(f"PRAGMA {statement}")

    async def close(self) -> None:
        """Closes all connections."""
        await self.engine.dispose()


@asynccontextmanager
async def _connected(address: str | Path, what: str, pool_size: int = POOL_SIZE) -> AsyncIterator[Database]:
    """The database at `address`, whatever its schema. It is closed after an error. Raises ConfigError, and StoreError that says
    what it cannot be."""
    url = database_url(address)
    try:
        database = Database(url, make_engine(url, pool_size))
    except OSError as error:
        raise StoreError(f"the database {url.render_as_string()} cannot be {what}: {error.strerror}") from error
    try:
        with store_errors(database.name, what):
            yield database
    except BaseException:
        await database.close()
        raise


async def open_database(address: str | Path, *, pool_size: int = POOL_SIZE) -> Database:
    """The database at `address` (a SQLAlchemy URL, or the path of an SQLite file); an empty one is given the schema. `pool_size`
    is how many connections to PostgreSQL it holds at most.

    Raises ConfigError for a wrong address, and StoreError when the database cannot be opened or its schema is older or newer than
    this program's."""
    async with _connected(address, "opened", pool_size) as database:
        version = await database.version()
        if version is None:
            async with database.engine.begin() as connection:
                version = await connection.run_sync(versions.create)
        versions.check(version, database.name)
    return database


async def schema_version(address: str | Path) -> str | None:
    """The version of the schema at `address`; None where there is no database yet, or an empty one. Creates nothing.

    Raises ConfigError for a wrong address and StoreError when the database cannot be opened."""
    file = sqlite_file(address)
    if file is not None and not file.is_file():
        return None
    async with _connected(address, "opened") as database:
        version = await database.version()
    await database.close()
    return version


async def migrate_database(address: str | Path) -> tuple[str, str]:
    """Brings the schema at `address` up to this program's version while others go on working; the versions before and after. An
    empty database is given the schema; its version before is the empty text.

    Raises ConfigError for a wrong address, and StoreError when the database cannot be opened, its schema is newer than this
    program's, or other transactions stay in the way."""
    pauses = iter(_MIGRATION_PAUSES)
    async with _connected(address, "migrated") as database:
        while True:
            try:
                async with database.engine.begin() as connection:
                    before, after = await connection.run_sync(versions.migrate)
                break
            except OperationalError as error:
                pause = next(pauses, None)
                if pause is None or not versions.is_in_the_way(error):
                    raise
            await asyncio.sleep(pause)
        versions.check(after, database.name)
    await database.close()
    return before, after


def copy_sqlite(source: Path, target: Path) -> None:
    """Copies an SQLite database as it is at this moment, also while others write to it. Without a source there is no target."""
    if not source.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)
