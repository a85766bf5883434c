"""The database: one engine, transactions, and the schema's version."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from msgbot.errors import ConfigError, StoreError

NEWEST = "0002"
"""The schema version this program works with: the newest file in `migrations/versions`."""
_BUSY_MS = 30_000


class Database:
    """An open database. Build with `open_database`."""

    def __init__(self, url: URL, engine: AsyncEngine) -> None:
        self.url = url
        self.engine = engine

    @property
    def sync_url(self) -> str:
        """The address in the form that blocking libraries take, password included: never to be logged."""
        driver = "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql+psycopg"
        return self.url.set(drivername=driver).render_as_string(hide_password=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end, rolled back on any error. On SQLite it takes the write lock at once, so that two
        writers wait for each other instead of failing half-way. Raises StoreError when the database cannot be used."""
        try:
            async with self.engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise StoreError(f"the database {self.url.render_as_string()} cannot be used: {error.orig}") from error

    async def close(self) -> None:
        """Closes all connections."""
        await self.engine.dispose()


async def open_database(address: str | Path) -> Database:
    """The database at `address` (a SQLAlchemy URL, or the path of an SQLite file), created or brought up to date as needed.

    Raises ConfigError for a wrong address and StoreError when the database cannot be opened or is newer than this program."""
    url = _url(address)
    engine = create_async_engine(url)
    if url.get_backend_name() == "sqlite":
        _prepare_sqlite(engine)
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    database = Database(url, engine)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_bring_up_to_date, url.render_as_string())
    except (DatabaseError, OSError) as error:
        await database.close()
        reason = getattr(error, "orig", None) or error
        raise StoreError(f"the database {url.render_as_string()} cannot be opened: {reason}") from error
    except StoreError:
        await database.close()
        raise
    return database


def copy_sqlite(source: Path, target: Path) -> None:
    """Copies an SQLite database as it is at this moment, also while others write to it. Without a source there is no target."""
    if not source.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)


def _url(address: str | Path) -> URL:
    if isinstance(address, Path) or "://" not in address:
        return URL.create("sqlite+aiosqlite", database=str(address))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        # Not shown: there may be a password in it.
        raise ConfigError("the setting 'database' is no database address; one looks like postgresql://user@host/name") from error
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
    backend = url.get_backend_name()
    if backend not in drivers:
        raise ConfigError(f"msgbot works with SQLite and PostgreSQL, not with {backend!r}")
    return url.set(drivername=drivers[backend])


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, record: object) -> None:
        # The driver must not begin transactions on its own: BEGIN IMMEDIATE below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _bring_up_to_date(connection: Connection, name: str) -> None:
    version = None
    if inspect(connection).has_table("alembic_version"):
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version == NEWEST:
        return
    if version is not None and version > NEWEST:
        raise StoreError(
            f"the database {name} was made by a newer msgbot (schema {version}, this one knows {NEWEST}): update msgbot"
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "msgbot:store/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
