"""The reader process: reads beside the service, on a processor core of its own. To read messages takes longer than all else that is
done when they come in, and whoever waits for another answer meanwhile should not notice."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar, TypeVarTuple

import structlog

from msgbot.reader import Reader, built_in_reader

Given = TypeVarTuple("Given")
Result = TypeVar("Result")

_READ_HERE = 2_000
"""So many characters are read on the spot; to hand them over would take longer."""
_TRY_AGAIN_SECONDS = 60.0
_GARBAGE = 50_000
"""So many new objects are made before the collector looks at them: a batch makes many, and hardly any in circles."""
_log = structlog.get_logger()
_reader: Reader | None = None
"""That of this process, where it is a reader process."""


class ReaderProcess:
    """Does work with a reader. With `beside`, the process is started when there is much to read for the first time; until it is
    there, and when it should fail, the work is done by `reader` in a thread."""

    def __init__(self, reader: Reader, *, beside: bool) -> None:
        self._reader = reader
        self._beside = beside
        self._pool: ProcessPoolExecutor | None = None
        self._starting: asyncio.Task[None] | None = None
        self._not_before = float("-inf")

    async def run(self, characters: int, work: Callable[[Reader, *Given], Result], *given: *Given) -> Result:
        """What `work`, a function of a module, makes of a reader and `given`, which is about so many characters."""
        if characters <= _READ_HERE:
            return work(self._reader, *given)
        if (pool := self._pool) is not None:
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, _do, work, given)
            except BrokenProcessPool:
                # Of all who waited for it, the first tells.
                if self._pool is pool:
                    self._give_up("it ended")
        elif self._beside and self._starting is None and asyncio.get_running_loop().time() >= self._not_before:
            self._starting = asyncio.create_task(self._start())
        return await asyncio.to_thread(work, self._reader, *given)

    async def _start(self) -> None:
        pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin)
        try:
            await asyncio.get_running_loop().run_in_executor(pool, os.getpid)
            self._pool = pool
        except (BrokenProcessPool, OSError) as error:
            pool.shutdown(wait=False)
            self._give_up(str(error))
        finally:
            self._starting = None

    def _give_up(self, reason: str) -> None:
        """Reads in this process for a while."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)
        self._not_before = asyncio.get_running_loop().time() + _TRY_AGAIN_SECONDS
        _log.warning("the reader process is gone; messages are read here for now", reason=reason)

    async def close(self) -> None:
        """Ends the process."""
        if self._starting is not None:
            await self._starting
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown)


def _begin() -> None:
    """Makes this a reader process."""
    global _reader  # noqa: PLW0603 - a process of a pool has nowhere else to keep things
    # A signal to all processes of the service is for the first of them, which then ends this one.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _reader = built_in_reader()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)


def _end_with_parent() -> None:
    """A killed service cannot end this process; it notices."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(work: Callable[[Reader, *Given], Result], given: tuple[*Given]) -> Result:
    if _reader is None:
        raise RuntimeError("this is no reader process")
    return work(_reader, *given)
