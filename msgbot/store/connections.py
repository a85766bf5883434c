"""Connections to the database: what its address means, how they are set up on SQLite and on PostgreSQL, and what their errors are
called here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from msgbot.errors import ConfigError, StoreError
from msgbot.store.sqlite_connection import connect

READING = "msgbot_reading"
"""The execution option of a connection whose transactions only read."""
BUSY_MS = 30_000
"""How long an SQLite connection waits for a lock."""
_CONNECT_SECONDS = 10
_WAITS_FOR_OTHERS = frozenset({"55P03", "57014"})


def database_url(address: str | Path) -> URL:
    """The address with the driver that msgbot uses. Raises ConfigError for an address that is none."""
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


def sqlite_file(address: str | Path) -> Path | None:
    """The file at an address of SQLite's, whether it is there or not; None for another database. Raises ConfigError."""
    url = database_url(address)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def make_engine(url: URL, pool_size: int) -> AsyncEngine:
    """An engine for `url`; connects when first used. Raises OSError when the folder or file of an SQLite database cannot be
    made."""
    if url.get_backend_name() == "sqlite":
        # An error must not show what stands in a row: a buyer's words, a hash.
        engine = create_async_engine(
            url, hide_parameters=True, async_creator=lambda: connect(url.database or ":memory:"), json_serializer=_json
        )
        _prepare_sqlite(engine)
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            if not Path(url.database).exists():
                # Buyers' mail is nobody else's business on a machine that others use; the files beside it get the same mode.
                Path(url.database).touch(mode=0o600)
        return engine
    timeout = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
    # A connection is asked whether it lives before it is used: the database may have been restarted since.
    return create_async_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args=timeout,
        json_serializer=_json,
    )


def _json(value: Any) -> str:
    """JSON, several times as fast as the standard library makes it: a message has five such columns."""
    return to_json(value, inf_nan_mode="constants").decode()


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # What is deleted is overwritten: SQLite would leave it in the file.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        reading = bool(connection.get_execution_options().get(READING))
        # `info` stays with the connection in the pool, so that it is switched only when its use changes.
        if connection.info.get(READING, False) is not reading:
            connection.exec_driver_sql(f"PRAGMA query_only = {int(reading)}")
            connection.info[READING] = reading
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
        driver: Any = connection.connection.driver_connection
        driver.holds_lock = not reading


@contextmanager
def store_errors(name: str, what: str = "used") -> Iterator[None]:
    """Raises StoreError where the database called `name` cannot be `what`, and lets pass what is wrong with a statement."""
    try:
        yield
    except NoConnectionFree as error:
        raise StoreError(f"the database {name} cannot be {what}: all connections to it are taken") from error
    except DBAPIError as error:
        # DatabaseError itself, and none of its kinds, is how SQLite says that the file is damaged or no database at all.
        if error.connection_invalidated or isinstance(error, OperationalError) or type(error) is DatabaseError:
            raise StoreError(f"the database {name} cannot be {what}: {_reason(error)}") from error
        raise


def _reason(error: DBAPIError) -> str:
    """What went wrong, in one line."""
    said = next(iter(str(error.orig).strip().splitlines()), type(error.orig).__name__)
    if "disk is full" in said or getattr(error.orig, "sqlstate", None) == "53100":
        return f"{said}; make room and try again"
    if getattr(error.orig, "sqlstate", None) in _WAITS_FOR_OTHERS:
        return f"{said}; a long transaction (a backup, a report) may be in the way: try again when it is done"
    return said
