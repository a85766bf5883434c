"""The spool: answers on their way to a client that may read them late. They wait on disk, so that a client that sends all of a
million lines before it reads the first answer neither stands still nor fills our memory."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from types import TracebackType

from aiohttp import web

_PIECE = 64 * 1024


class Spool:
    """What is put in is sent on by a task of its own. A client that takes nothing for `idle_seconds` is let go: `put` then raises
    ConnectionError."""

    def __init__(self, request: web.Request, response: web.StreamResponse, folder: Path, idle_seconds: float) -> None:
        self._request = request
        self._response = response
        self._idle_seconds = idle_seconds
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder, prefix="msgbot-answers-")  # noqa: SIM115 - closed in __aexit__
        self._written = self._sent = 0
        self._more = asyncio.Event()
        self._ended = False
        self._sending: asyncio.Task[None]

    async def __aenter__(self) -> Spool:
        await self._response.prepare(self._request)
        self._sending = asyncio.create_task(self._send())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended = True
        self._more.set()
        try:
            if kind is not None:
                self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=kind is not None)
        finally:
            self._file.close()

    def put(self, data: bytes) -> None:
        """Puts `data` on its way. Raises ConnectionError when the client is gone, or takes nothing."""
        if self._sending.done():
            raise ConnectionError("the client takes no answers")
        self._file.seek(self._written)
        self._file.write(data)
        self._file.flush()
        self._written += len(data)
        self._more.set()

    async def _send(self) -> None:
        while True:
            while self._sent < self._written:
                piece = os.pread(self._file.fileno(), _PIECE, self._sent)
                await write(self._response, piece, self._idle_seconds)
                self._sent += len(piece)
            if self._ended:
                return
            # All is sent: the space is free again.
            self._file.truncate(0)
            self._written = self._sent = 0
            self._more.clear()
            await self._more.wait()


async def write(response: web.StreamResponse, data: bytes, idle_seconds: float) -> None:
    """Sends `data` as the next part of an answer. Raises ConnectionError when the client takes nothing for too long."""
    try:
        async with asyncio.timeout(idle_seconds):
            await response.write(data)
    except TimeoutError:
        raise ConnectionError("the client takes no answers") from None
