"""The crew: the processes that share one PostgreSQL database. Each shows that it lives; when one no longer does, another puts what
it had begun back into the queue.

A process is taken for dead when it was not seen for a while *and* has let go of its lock, which hangs on a connection: so one that
is merely slow keeps its work, and one that was killed, or whose machine is gone, does not. A process that finds itself struck off
must stop at once, as others do its work now.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from msgbot import metrics
from msgbot.engine import Engine
from msgbot.store.workers import Lease

BEAT_SECONDS = 5.0
SILENT_SECONDS = 20.0
"""Not seen for so long, a process may be dead; it is, if its lock is free."""

_log = structlog.get_logger()


def own_name() -> str:
    """A name that no other process has had: machine, process id and chance."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"


class Member:
    """This process as one of the crew. `on_struck_off` is called when others have taken over its work."""

    def __init__(
        self, lease: Lease, engine: Engine, on_struck_off: Callable[[], None], *, beat_seconds: float = BEAT_SECONDS
    ) -> None:
        self._lease = lease
        self._engine = engine
        self._on_struck_off = on_struck_off
        self._beat_seconds = beat_seconds

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """One of the crew until the block ends."""
        await self._lease.begin()
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            await self._lease.end()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._beat_seconds)
            try:
                async with asyncio.timeout(SILENT_SECONDS / 2):
                    lives = await self._lease.renew()
                if not lives:
                    _log.error("struck off: others have taken over the work of this process, so it stops")
                    self._on_struck_off()
                    return
                await self._take_over_from_the_dead()
            except Exception as error:  # whatever it is, a process that no longer shows that it lives would be taken for dead
                _log.warning("no sign of life could be given", reason=str(error) or type(error).__name__)

    async def _take_over_from_the_dead(self) -> None:
        for name in await self._lease.silent(SILENT_SECONDS):
            if not await self._lease.lock_of(name):
                continue
            try:
                taken = await self._engine.take_over(name)
            except BaseException:
                await self._lease.release(name)
                raise
            await self._lease.bury(name)
            metrics.taken_over.inc(taken)
            _log.warning("took over the work of a dead process", process=name, workflows=taken)
