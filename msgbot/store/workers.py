"""The processes that work on a PostgreSQL database, and the lock by which each shows that it lives. All times are the database's:
the clocks of several machines need not agree."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import CursorResult, Executable, delete, func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from msgbot.store.database import Database
from msgbot.store.schema import workers

_KEEPALIVE = (
    # The server notices within half a minute that a machine is gone for good, and lets go of its lock.
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)
_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


class Lease:
    """The sign of life of one process: a row with the time it was last seen, and a lock that its connection holds. It must be
    renewed; what is not renewed can be found and taken over by the others."""

    def __init__(self, database: Database, name: str, kind: str) -> None:
        self._name = name
        self._kind = kind
        # Not from the pool, which may be exhausted just when this matters; and the lock hangs on this very connection.
        self._engine = create_async_engine(database.url, poolclass=NullPool)
        self._connection: AsyncConnection | None = None
        self._locked = False

    async def begin(self) -> None:
        """Enters this process among the living. Raises sqlalchemy's DBAPIError when the database cannot be reached."""
        await self._connect()
        await self._execute(insert(workers).values(id=self._name, kind=self._kind, started_at=func.now(), seen_at=func.now()))

    async def renew(self) -> bool:
        """Says that this process lives; False when others took it for dead and have taken over its work. Raises DBAPIError when
        the database cannot be reached."""
        try:
            if self._connection is None:
                await self._connect()
            if not self._locked:
                # The server may hold the session that was lost for a while.
                self._locked = await self.lock_of(self._name)
            done = await self._execute(update(workers).where(workers.c.id == self._name).values(seen_at=func.now()))
        except BaseException:
            await self._drop()
            raise
        return bool(done.rowcount)

    async def silent(self, seconds: float) -> list[str]:
        """The processes not seen for so many seconds."""
        age = func.extract("epoch", func.now() - workers.c.seen_at)
        rows = await self._execute(select(workers.c.id).where(workers.c.id != self._name, age > literal(seconds)))
        return list(rows.scalars())

    async def lock_of(self, name: str) -> bool:
        """Takes the lock of another process: only when that has let go of it, and so is dead."""
        return bool((await self._execute(_LOCK, {"name": name})).scalar())

    async def bury(self, name: str) -> None:
        """Strikes a dead process off, whose lock was taken and whose work was taken over."""
        await self._execute(delete(workers).where(workers.c.id == name))
        await self._execute(_UNLOCK, {"name": name})

    async def release(self, name: str) -> None:
        """Gives the lock of another process back."""
        await self._execute(_UNLOCK, {"name": name})

    async def end(self) -> None:
        """Takes this process off the list, if the database can be reached."""
        with suppress(SQLAlchemyError):
            if self._connection is not None and self._connection.invalidated:
                # Whoever used it last was stopped in the middle.
                await self._drop()
                await self._connect()
            if self._connection is not None:
                await self._execute(delete(workers).where(workers.c.id == self._name))
        await self._drop()
        await self._engine.dispose()

    async def _connect(self) -> None:
        connection = await self._engine.connect()
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        self._connection = connection
        for statement in _KEEPALIVE:
            await self._execute(text(statement))
        self._locked = await self.lock_of(self._name)

    async def _execute(self, statement: Executable, values: dict[str, str] | None = None) -> CursorResult[Any]:
        if self._connection is None:
            raise RuntimeError("the lease has not begun")
        return await self._connection.execute(statement, values)

    async def _drop(self) -> None:
        connection, self._connection, self._locked = self._connection, None, False
        if connection is not None:
            with suppress(DBAPIError):
                await connection.close()


async def living(connection: AsyncConnection, seconds: float) -> list[str]:
    """The processes seen within so many seconds."""
    age = func.extract("epoch", func.now() - workers.c.seen_at)
    return list((await connection.execute(select(workers.c.id).where(age <= literal(seconds)).order_by(workers.c.id))).scalars())
