"""The intake: messages that come in one by one, from many at once, go on file together. While one transaction is being committed,
whatever arrives gathers for the next: so a commit's wait for the disk is shared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from msgbot.domain.conversation import Turn
from msgbot.domain.message import Message
from msgbot.errors import MsgbotError
from msgbot.receive import Receive, Received

TOGETHER = 500
"""So many messages go into one transaction, unless one who hands them in brings more."""
_READ_HERE = 2_000
"""So many characters are read on the spot; more would keep everybody else waiting."""


@dataclass(slots=True)
class _Handed:
    turns: list[tuple[Turn, bytes]]
    done: asyncio.Future[list[Received]]


class Intake:
    """Takes messages in for as long as `open()` is entered. `writers` transactions run at once."""

    def __init__(self, receive: Receive, *, writers: int) -> None:
        self._receive = receive
        self._writers = writers
        self._waiting: asyncio.Queue[_Handed] = asyncio.Queue()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Works until the block ends; what was handed in by then goes on file."""
        tasks = [asyncio.create_task(self._write()) for _ in range(self._writers)]
        try:
            yield
            await self._waiting.join()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def take(self, incoming: Sequence[tuple[Message, bytes]]) -> list[Received]:
        """Takes messages in; when it comes back they are on file. Raises StoreError, and then none of them is."""
        turns = await self.read(incoming)
        handed = _Handed(turns, asyncio.get_running_loop().create_future())
        self._waiting.put_nowait(handed)
        return await handed.done

    async def read(self, incoming: Sequence[tuple[Message, bytes]]) -> list[tuple[Turn, bytes]]:
        """The messages with their verdicts; nothing is put on file."""
        if sum(len(message.text) for message, _ in incoming) <= _READ_HERE:
            return self._read(incoming)
        return await asyncio.to_thread(self._read, incoming)

    def _read(self, incoming: Sequence[tuple[Message, bytes]]) -> list[tuple[Turn, bytes]]:
        return [(self._receive.read(message), raw) for message, raw in incoming]

    async def _write(self) -> None:
        while True:
            together = [await self._waiting.get()]
            count = len(together[0].turns)
            while count < TOGETHER and not self._waiting.empty():
                together.append(self._waiting.get_nowait())
                count += len(together[-1].turns)
            try:
                await self._put(together)
            finally:
                for _ in together:
                    self._waiting.task_done()

    async def _put(self, together: list[_Handed]) -> None:
        try:
            received = await self._receive.put([turn for handed in together for turn in handed.turns])
        except Exception as error:  # whatever it is, whoever waits must hear of it
            if len(together) == 1 or isinstance(error, MsgbotError):
                for handed in together:
                    _fail(handed, error)
                return
            # One of them is at fault; the others must not suffer for it.
            for handed in together:
                await self._put([handed])
            return
        results = iter(received)
        for handed in together:
            own = [next(results) for _ in handed.turns]
            if not handed.done.cancelled():
                handed.done.set_result(own)


def _fail(handed: _Handed, error: Exception) -> None:
    if not handed.done.cancelled():
        handed.done.set_exception(error)
