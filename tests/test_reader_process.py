"""Messages are read beside the service, and read all the same when that process is not there."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from msgbot.domain.message import Kind, Message, Source
from msgbot.reader import Reader, built_in_reader
from msgbot.reader_process import ReaderProcess

READER = built_in_reader()
MUCH = 10_000
LITTLE = 10
ROOT = Path(__file__).parent.parent


def where(reader: Reader, text: str) -> tuple[int, str]:
    """The process this runs in, and what it reads in a text."""
    message = Message("main", "<1@a>", Kind.BUYER, Source.API, text)
    return os.getpid(), reader.read(message).verdict.intent.value


def fail(reader: Reader) -> None:
    raise ValueError("no such thing")


@asynccontextmanager
async def reading(*, beside: bool = True) -> AsyncIterator[ReaderProcess]:
    process = ReaderProcess(READER, beside=beside)
    try:
        yield process
    finally:
        await process.close()


async def elsewhere(process: ReaderProcess) -> int:
    """The id of the other process, when it is there."""
    for _ in range(600):
        pid, _ = await process.run(MUCH, where, "hello")
        if pid != os.getpid():
            return pid
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


async def test_much_is_read_in_another_process_and_little_here() -> None:
    async with reading() as process:
        assert await process.run(MUCH, where, "please cancel my order") == (os.getpid(), "request")
        other = await elsewhere(process)
        assert await process.run(MUCH, where, "please cancel my order") == (other, "request")
        assert await process.run(LITTLE, where, "please cancel my order") == (os.getpid(), "request")


async def test_without_it_all_is_read_here() -> None:
    async with reading(beside=False) as process:
        for _ in range(3):
            assert await process.run(MUCH, where, "please cancel my order") == (os.getpid(), "request")


async def test_what_goes_wrong_there_is_raised_here() -> None:
    async with reading() as process:
        await elsewhere(process)
        for size in (MUCH, LITTLE):
            with pytest.raises(ValueError, match="no such thing"):
                await process.run(size, fail)


async def test_when_it_is_killed_messages_are_read_here() -> None:
    async with reading() as process:
        os.kill(await elsewhere(process), signal.SIGKILL)
        for _ in range(3):
            pid, intent = await process.run(MUCH, where, "please cancel my order")
            assert (pid, intent) == (os.getpid(), "request")


async def test_of_all_who_wait_when_it_is_killed_one_tells() -> None:
    async with reading() as process:
        other = await elsewhere(process)
        with capture_logs() as told:
            waiting = [asyncio.create_task(process.run(MUCH, where, "please cancel my order")) for _ in range(8)]
            await asyncio.sleep(0)
            os.kill(other, signal.SIGKILL)
            assert {intent for _, intent in await asyncio.gather(*waiting)} == {"request"}
            await process.run(MUCH, where, "hello")
        assert len(told) == 1


async def test_a_signal_to_all_processes_does_not_end_it() -> None:
    async with reading() as process:
        other = await elsewhere(process)
        for each in (signal.SIGINT, signal.SIGTERM):
            os.kill(other, each)
        assert (await process.run(MUCH, where, "hello"))[0] == other


_SERVICE = """
import asyncio, os
from tests.test_reader_process import MUCH, elsewhere, reading

async def main():
    async with reading() as process:
        print(await elsewhere(process), flush=True)
        await asyncio.sleep(600)

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_it_ends_when_the_service_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _SERVICE], stdout=subprocess.PIPE, text=True, cwd=ROOT) as service:
        assert service.stdout is not None
        other = int(service.stdout.readline())
        service.kill()
        for _ in range(200):
            if not _runs(other):
                return
            time.sleep(0.05)
    raise AssertionError("it lives on")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
