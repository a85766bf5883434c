"""Real processes of `msgbot serve` and `msgbot worker`, to be talked to, stopped and killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
_ADDRESS = re.compile(r"(http://\S+?:\d+)")
START_SECONDS = 90


class Process:
    """One process. Its address is known once it is ready; `log` is what it has said."""

    def __init__(self, command: Sequence[str], folder: Path, before: Sequence[str] = (), **settings: str) -> None:
        environment: Mapping[str, str] = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "MSGBOT_TRUSTED_SOURCES": '["first"]',
            "MSGBOT_LOG_LEVEL": "warning",
            **{f"MSGBOT_{name.upper()}": value for name, value in settings.items()},
        }
        self.folder = folder
        self.address = ""
        self.log = ""
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            [*before, sys.executable, "-m", "msgbot", *command],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        for line in self._process.stderr or ():
            self.log += line
            if not self.address and (found := _ADDRESS.search(line)):
                self.address = found[1]
                self._ready.set()
        self._ready.set()

    def ready(self) -> Process:
        """Waits until it listens."""
        if not self._ready.wait(START_SECONDS) or not self.address:
            raise AssertionError(f"it did not start: {self.log}")
        return self

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def token(self) -> str:
        """The token of the first start."""
        written = (self.folder / "msgbot-data" / "first-start.txt").read_text()
        return re.search(r"token:\s+(\S+)", written)[1]  # type: ignore[index]

    def kill(self) -> None:
        """Kills it without a word."""
        self._process.kill()
        self.wait()

    def stop(self) -> int:
        """Tells it to stop; its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Its exit code, when it has ended."""
        code = self._process.wait(timeout=60)
        self._reading.join(timeout=10)
        if self._process.stderr is not None:
            self._process.stderr.close()
        return code

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        if self.alive:
            self.kill()


def serve(folder: Path, *options: str, before: Sequence[str] = (), **settings: str) -> Process:
    """`msgbot serve` on a free port, working in `folder`."""
    return Process(["serve", "--port", "0", *options], folder, before, **settings)


def worker(folder: Path, **settings: str) -> Process:
    """`msgbot worker`, working in `folder`."""
    return Process(["worker"], folder, **settings)
