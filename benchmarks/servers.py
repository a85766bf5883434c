"""Real processes: msgbot, the bare handler, and the client; what they have used of processor and memory."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_ADDRESS = re.compile(r"(http://\S+?:\d+)")
_START_SECONDS = 90
_TICKS = os.sysconf("SC_CLK_TCK")


class ServerError(Exception):
    """A process did not start, or failed."""


def _begun_by(pid: int) -> list[int]:
    """The processes that `pid` has begun and that still run."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Server:
    """One process that listens. What it says goes to a file in `folder`."""

    def __init__(self, command: Sequence[str], folder: Path, name: str, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._log = folder / f"{name}.log"
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH", "")])),
            "PYTHONWARNINGS": "ignore",
            **{f"MSGBOT_{key.upper()}": value for key, value in settings.items()},
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, *command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        try:
            self.address = self._wait()
        except BaseException:
            self.kill()
            raise

    def _wait(self) -> str:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            if found := _ADDRESS.search(self._log.read_text("utf-8", "replace")):
                return found[1]
            time.sleep(0.02)
        raise ServerError(f"it did not start: {self._log.read_text('utf-8', 'replace')[-2000:]}")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def token(self) -> str:
        """The token of msgbot's first start."""
        written = (self.folder / "msgbot-data" / "first-start.txt").read_text("utf-8")
        found = re.search(r"token:\s+(\S+)", written)
        return found[1] if found else ""

    def processor_seconds(self) -> float:
        """What it and the processes it has begun have used of the processor, in all their threads."""
        used = 0
        for pid in (self.pid, *_begun_by(self.pid)):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += int(fields[11]) + int(fields[12])
        return used / _TICKS

    def memory(self) -> tuple[float, float]:
        """Its resident memory now, and the most it ever had, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        now, most = (int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "VmHWM"))  # type: ignore[index]
        return now / 1024, most / 1024

    def stop(self) -> None:
        """Tells it to stop, and waits."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()


def msgbot(folder: Path, *options: str, name: str = "serve", **settings: str) -> Server:
    """`msgbot serve` on a free port, with its settings as they come."""
    return Server(["-m", "msgbot", "serve", "--port", "0", *options], folder, name, **settings)


def worker(folder: Path, name: str, **settings: str) -> Server:
    """`msgbot worker`."""
    return Server(["-m", "msgbot", "worker"], folder, name, **settings)


def bare(folder: Path) -> Server:
    """The bare handler on an SQLite file."""
    folder.mkdir(parents=True, exist_ok=True)
    return Server([str(HERE / "bare.py"), str(folder / "bare.db")], folder, "bare")


def client(job: dict[str, Any], on_progress: Callable[[dict[str, Any]], None] = lambda told: None) -> dict[str, Any]:
    """What the client says of a job, done in a process of its own. Raises ServerError."""
    command = [sys.executable, str(HERE / "client.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(json.dumps(job))
            process.stdin.close()
            for line in process.stdout:
                told: dict[str, Any] = json.loads(line)
                if "done" in told:
                    return dict(told["done"])
                on_progress(told)
        finally:
            process.kill()
    raise ServerError("the client failed")
