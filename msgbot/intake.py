"""The intake: messages that come in one by one, from many at once, go on file together. While one transaction is being committed,
whatever arrives gathers for the next: so a commit's wait for the disk is shared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from msgbot.domain.conversation import Turn
from msgbot.errors import MsgbotError
from msgbot.receive import Receive, Received

TOGETHER = 500
"""So many messages go into one transaction, unless one who hands them in brings more."""
_LONGEST_PILE_SECONDS = 5.0


@dataclass(slots=True)
class _Handed:
    turns: Sequence[tuple[Turn, bytes]]
    done: asyncio.Future[list[Received]]


class Intake:
    """Takes messages in for as long as `open()` is entered. `writers` transactions run at once."""

    def __init__(self, receive: Receive, *, writers: int) -> None:
        self._receive = receive
        self._writers = writers
        self._waiting: asyncio.Queue[_Handed] = asyncio.Queue()
        self._piles = 0
        self._calm = asyncio.Event()
        self._calm.set()

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

    @contextmanager
    def pile(self) -> Iterator[None]:
        """Many messages are being read and taken in while the block runs."""
        self._piles += 1
        self._calm.clear()
        try:
            yield
        finally:
            self._piles -= 1
            if not self._piles:
                self._calm.set()

    async def calm(self) -> None:
        """Returns when no pile is being taken in, or after a few seconds: whoever posts it waits for us, while an answer to a buyer
        can be a moment later."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_PILE_SECONDS):
                await self._calm.wait()

    async def take(self, incoming: Sequence[tuple[Turn, bytes]]) -> list[Received]:
        """Takes messages in that were read, each with its raw content; when it comes back they are on file. Raises StoreError, and
        then none of them is."""
        handed = _Handed(incoming, asyncio.get_running_loop().create_future())
        self._waiting.put_nowait(handed)
        return await handed.done

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
