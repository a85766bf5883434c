"""Real processes of msgbot that are killed at chosen moments, and an Amazon that kills them.

The processes are forked from one that has everything loaded, so that there may be many of them. They run the command line as it is,
with shorter times between the stages of a feed's way, and die for good: by SIGKILL.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from msgbot.fake_amazon import FakeAmazon
from msgbot.fake_amazon.call import Call, Reply
from msgbot.fake_amazon.operations import Operation
from msgbot.fake_amazon.trouble import Ordered, Trouble, answer_to
from tests.amazon_models import check_exchange, models_folder
from tests.crashing import Step, die_at

MOMENTS = "moments"
LOG = "log"
READY = "http://"
KILLED = -signal.SIGKILL
WAIT_SECONDS = 60
_LOADED = ["pytest", "msgbot.cli.main", "msgbot.cli.cancel", "msgbot.cli.serve", "msgbot.cli.worker", "tests.killing"]
_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(_LOADED)


class Process:
    """`msgbot ARGUMENTS` in `folder`, that dies at its moment `point` (crashing.py), if one is given: of all, or of those of a
    `step`. `settings` are msgbot's."""

    def __init__(
        self, folder: Path, *arguments: str, settings: Mapping[str, str], point: int = 0, step: Step | None = None
    ) -> None:
        self.folder = folder
        self._process = _fork.Process(target=_live, args=(arguments, folder, settings, point, step))
        self._process.start()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Kills it, if it lives."""
        self._process.kill()
        self._process.join()

    def stop(self) -> int | None:
        """Tells it to stop; its exit code."""
        self._process.terminate()
        return self.wait()

    def wait(self) -> int | None:
        """Its exit code, when it has ended. Raises AssertionError when it does not."""
        self._process.join(WAIT_SECONDS)
        assert self._process.exitcode is not None, f"it does not end: {self.log}"
        return self._process.exitcode

    def ready(self) -> Process:
        """Waits until it serves."""
        until = time.monotonic() + WAIT_SECONDS
        while READY not in self.log.partition(_opening(self.pid))[2]:
            assert self.alive, f"it did not start: {self.log}"
            assert time.monotonic() < until, f"it does not start: {self.log}"
            time.sleep(0.02)
        return self

    @property
    def sentinel(self) -> int:
        """What is ready to be read when it has ended."""
        return self._process.sentinel

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it and those before it in the folder have said."""
        return (self.folder / LOG).read_text()


def survivor(one: Process, other: Process) -> Process:
    """Waits until one of two has died; the other."""
    [ended] = wait([one.sentinel, other.sentinel], WAIT_SECONDS) or [0]
    assert ended, f"both live: {one.log}"
    return other if ended == one.sentinel else one


@dataclass(frozen=True, slots=True)
class Strike:
    """When to kill: at a call of `operation`, before anything is done, or with `after` when it is done and nobody knows."""

    operation: str
    after: bool = False


class DeadlyAmazon(FakeAmazon):
    """Kills whoever calls, at the `strikes` that wait, one after the other. It tells `callers` by the name that they have for it:
    `127.0.0.1` or `localhost`."""

    def __init__(self) -> None:
        super().__init__(lag=timedelta(seconds=1))
        self.callers: dict[str, Process] = {}
        self.strikes: deque[Strike] = deque()

    @contextmanager
    def judged(self) -> Iterator[None]:
        """At work in a thread until the block ends; fails then if a request that it did, or an answer, was not as Amazon's models
        say."""
        models_folder()
        faults: list[str] = []
        self.on_exchange(lambda *exchange: faults.extend(check_exchange(*exchange)))
        with self.in_thread():
            yield
        assert not faults, "\n".join(faults)

    def _answer(self, call: Call, operation: Operation | None, trouble: Ordered | None) -> Reply:
        if self._strikes(call, Strike(call.operation)):
            return answer_to(Trouble.UNAVAILABLE)
        reply = super()._answer(call, operation, trouble)
        self._strikes(call, Strike(call.operation, after=True))
        return reply

    def _strikes(self, call: Call, strike: Strike) -> bool:
        if not self.strikes or self.strikes[0] != strike:
            return False
        os.kill(self.callers[call.headers["Host"].partition(":")[0]].pid, signal.SIGKILL)
        self.strikes.popleft()
        return True

    def settings(self, host: str, **more: str) -> dict[str, str]:
        """msgbot's settings that connect the account `main` to it, under this name."""
        return {
            "MSGBOT_AMAZON__CLIENT_ID": self.access.client_id,
            "MSGBOT_AMAZON__CLIENT_SECRET": self.access.client_secret,
            "MSGBOT_AMAZON__ENDPOINT": self.base.replace("127.0.0.1", host),
            "MSGBOT_AMAZON__TOKEN_ENDPOINT": self.token_endpoint,
            "MSGBOT_AMAZON__POLL_SECONDS": "3600",
            "MSGBOT_AMAZON__ACCOUNTS": (
                f'{{"main": {{"marketplaces": ["ATVPDKIKX0DER"], "seller_id": "{self.seller.id}", '
                f'"refresh_token": "{self.seller.refresh_token}"}}}}'
            ),
            **more,
        }


def _live(arguments: Sequence[str], folder: Path, settings: Mapping[str, str], point: int, step: Step | None) -> None:
    os.chdir(folder)
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.write(log, _opening(os.getpid()).encode())
    os.environ.update(settings)
    os.environ.update(MSGBOT_LOG_LEVEL="warning", MSGBOT_DEBUG="1", MSGBOT_READER_PROCESS="false")
    _hurry()
    from msgbot.cli.main import run

    counted = die_at(point, step)
    sys.argv = ["msgbot", *arguments]
    try:
        run()
    finally:
        Path(MOMENTS).write_text(str(counted()))


def _opening(pid: int) -> str:
    """The first line of a process in the log."""
    return f"[process {pid}]\n"


def _hurry() -> None:
    """Shortens the times of this process."""
    from msgbot import crew, engine, office, service, wiring
    from msgbot.cli import waiting
    from msgbot.crew import Member
    from msgbot.feed_ledger import FeedLedger, FeedTimes

    times = FeedTimes(
        again=0.1, soon=0.0, search=0.5, search_again=0.1, lost=timedelta(seconds=1), first_look=0.0, seen=(0.0, 0.5, 1.0)
    )
    changes: list[tuple[Any, str, Any]] = [
        (engine, "_CALM_SECONDS", 0.05),
        (wiring, "_POLL_SECONDS", 0.05),
        (office, "FeedLedger", partial(FeedLedger, times=times)),
        (wiring, "Member", partial(Member, beat_seconds=0.2)),
        (crew, "SILENT_SECONDS", 1.5),
        (service, "_ROUND_SECONDS", 0.5),
        (waiting, "_LOOK_SECONDS", 0.05),
    ]
    for module, name, value in changes:
        assert hasattr(module, name), f"{module.__name__} has no {name} any more"
        setattr(module, name, value)
