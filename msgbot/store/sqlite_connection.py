"""A connection to SQLite that seldom leaves the event loop's thread. Its base goes to a thread of its own four times for each
statement (cursor, execute, fetch, close), which takes longer than a service's small statements themselves.

What may take long still happens in that thread, in one trip: whatever waits for a lock or the disk, statements for many rows,
and all that is read outside of a transaction that writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import aiosqlite

Result = TypeVar("Result")


class SqliteConnection(aiosqlite.Connection):
    """As its base in all but its cursors. `holds_lock` is set while it has the write lock: its statements wait for nobody then."""

    holds_lock = False

    def cursor(self) -> Any:
        """A cursor that holds the whole result of its statement."""
        return _Cursor(self)

    async def do(self, work: Callable[[sqlite3.Cursor], Result], *, brief: bool) -> Result:
        """What `work` makes of a cursor: here when it is `brief` and need not wait, else in the thread of this connection."""
        if brief and self.holds_lock:
            return _with_cursor(self._conn, work)
        return await self._execute(partial(_with_cursor, self._conn, work))  # type: ignore[no-any-return, no-untyped-call]

    async def commit(self) -> None:
        self.holds_lock = False
        await super().commit()

    async def rollback(self) -> None:
        self.holds_lock = False
        await super().rollback()


def _with_cursor(connection: sqlite3.Connection, work: Callable[[sqlite3.Cursor], Result]) -> Result:
    cursor = connection.cursor()
    try:
        return work(cursor)
    finally:
        cursor.close()


class _Cursor:
    """What SQLAlchemy uses of a cursor."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> _Cursor:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        await self._connection.do(partial(self._execute, statement, parameters), brief=True)

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        await self._connection.do(partial(self._executemany, statement, parameters), brief=False)

    def _execute(self, statement: str, parameters: Sequence[Any], cursor: sqlite3.Cursor) -> None:
        cursor.execute(statement, parameters)
        self._rows = cursor.fetchall()
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid

    def _executemany(self, statement: str, parameters: Iterable[Sequence[Any]], cursor: sqlite3.Cursor) -> None:
        cursor.executemany(statement, parameters)
        self.rowcount = cursor.rowcount

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []


def connect(file: str) -> SqliteConnection:
    """A connection to `file`, still to be awaited. Its thread does not keep the program from ending."""
    connection = SqliteConnection(partial(sqlite3.connect, file, isolation_level=None, check_same_thread=False), iter_chunk_size=64)
    connection._thread.daemon = True
    return connection
