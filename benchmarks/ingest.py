"""How many messages a second go on file over HTTP, on SQLite: msgbot beside the bare handler, the same messages to each."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers import ServerError, bare, client, msgbot

BATCH = 500
BATCH_CONNECTIONS = 4
CONNECTIONS = (1, 16, 64)
WARM_UP = 2_000
"""Messages that go in before the clock starts."""
SERVERS = ("msgbot", "bare handler")


@dataclass
class Figures:
    """What one server did with one kind of request, round by round: messages a second, microseconds of processor time for each
    message, seconds to an answer, and how many requests to cancel waited for their answer at the end."""

    per_second: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """The medians, and the rounds."""
        return {name: statistics.median(rounds) for name, rounds in vars(self).items()} | {"rounds": self.per_second}


def ways(messages: int) -> dict[str, dict[str, int]]:
    """What is posted: with one connection less, which would take too long."""
    found = {
        f"batches of {BATCH}, {BATCH_CONNECTIONS} connections": {
            "messages": max(2 * BATCH, messages), "batch": BATCH, "connections": BATCH_CONNECTIONS,
        },
    }  # fmt: skip
    for count in CONNECTIONS:
        few = max(100, messages // (50 if count == 1 else 10))
        found[f"one by one, {count} connection{'s' if count > 1 else ''}"] = {"messages": few, "batch": 1, "connections": count}
    return found


def measure(folder: Path, messages: int, share: float, rounds: int, say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Figures by way and server. For each a new process and a new database; rounds begin with one server and the other in turn.
    Raises ServerError."""
    found = {way: {name: Figures() for name in SERVERS} for way in ways(messages)}
    for number in range(rounds):
        for place, (way, job) in enumerate(ways(messages).items()):
            say(f"ingest: round {number + 1} of {rounds}: {way}")
            for name in SERVERS[:: 1 if number % 2 == 0 else -1]:
                _round(
                    folder / f"ingest-{number}-{place}-{name.partition(' ')[0]}", name, {**job, "share": share}, found[way][name]
                )
    return {way: {name: figures.plain() for name, figures in each.items()} for way, each in found.items()}


def _round(folder: Path, name: str, job: dict[str, Any], into: Figures) -> None:
    with msgbot(folder) if name == "msgbot" else bare(folder) as server:
        token = server.token if name == "msgbot" else ""
        job = {"job": "post", "addresses": [server.address], "token": token, "accounts": [""], **job}
        warmed = client({**job, "messages": WARM_UP, "batch": BATCH, "connections": 1, "seed": 1})
        if name == "msgbot":
            # The answers to these are not what is measured.
            client({"job": "wait", "addresses": [server.address]})
        before = server.processor_seconds()
        done = client({**job, "seed": 2})
        into.processor.append((server.processor_seconds() - before) / done["messages"] * 1e6)
        file = folder / ("msgbot-data/msgbot.db" if name == "msgbot" else "bare.db")
        on_file, decided = _counted(file)
    if on_file != WARM_UP + done["messages"]:
        raise ServerError(f"{name}: {on_file} messages are on file, and not {WARM_UP + done['messages']}")
    into.per_second.append(done["per_second"])
    into.p50.append(done["p50"])
    into.p99.append(done["p99"])
    into.requests.append(warmed["requests"] + done["requests"])
    into.waiting.append(on_file - decided)


def _counted(file: Path) -> tuple[int, int]:
    """How many messages are on file, and how many of them are decided on."""
    with closing(sqlite3.connect(file)) as connection:
        counted = connection.execute("SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM decisions)")
        return tuple(counted.fetchone())  # type: ignore[return-value]
