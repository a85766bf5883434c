"""How fast a method is, on messages that it has not seen."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from methods import Method
from rows import Row, checksum

LENGTH = 75
"""The mean length that the messages should have."""
LONGEST = 120
WARM_UP = 300
MOST_MEASURED = 10_000

# Processor time leaves out what other programs on the machine took; where it is counted too coarsely, the wall clock must do.
clock = time.process_time if time.get_clock_info("process_time").resolution < 1e-4 else time.perf_counter


class Stream(NamedTuple):
    """Messages to be fast on; no message of `warm_up` is in `fresh`."""

    warm_up: list[str]
    fresh: list[str]


def stream_of(rows: Sequence[Row]) -> Stream:
    """The texts of `rows`, joined within each language to messages of about LENGTH characters on average."""
    texts: dict[str, set[str]] = {}
    for row in rows:
        if len(row.text) <= LONGEST:
            texts.setdefault(row.language, set()).add(" ".join(row.text.split()))
    tries = [joined(texts, least) for least in range(LENGTH // 2, LENGTH + 1, 2)]
    found = min(tries, key=lambda messages: abs(mean_length(messages) - LENGTH))
    if not found:
        found = [row.text for row in rows]
    found = sorted(set(found), key=lambda text: (checksum(text), text))
    # A small file is shared out evenly: the same word met again is what a cache is for, the same message is not.
    warm = min(WARM_UP, len(found) // 2)
    return Stream(found[:warm], found[warm : warm + MOST_MEASURED])


def joined(texts: Mapping[str, Iterable[str]], least: int) -> list[str]:
    """Each text once, in messages of at least `least` characters."""
    messages = []
    for group in texts.values():
        message = ""
        for text in sorted(group, key=lambda text: (checksum(text), text)):
            message += (" " if message.endswith((".", "!", "?", "。")) else ". ") + text if message else text
            if len(message) >= least:
                messages.append(message)
                message = ""
    return messages


def mean_length(messages: Sequence[str]) -> float:
    return statistics.fmean(map(len, messages)) if messages else 0.0


@dataclass
class Speed:
    """The messages a second and seconds of loading of one method, round by round."""

    fresh: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    load: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        return {
            "fresh_per_second": statistics.median(self.fresh),
            "again_per_second": statistics.median(self.again),
            "load_seconds": statistics.median(self.load),
            "spread": self.spread,
            "rounds": {"fresh": self.fresh, "again": self.again, "load": self.load},
        }

    @property
    def spread(self) -> float:
        """How far the rounds lie apart, as a part of the median."""
        return (max(self.fresh) - min(self.fresh)) / statistics.median(self.fresh)


def measure(method: Method, memory: object, stream: Stream, seconds: float, into: Speed) -> None:
    """One round: as many passes as begin within `seconds`, each with a new object that saw nothing but the warm-up."""
    loading: list[float] = []
    fresh = again = 0.0
    until = time.perf_counter() + seconds
    while not loading or time.perf_counter() < until:
        start = clock()
        judge = method.make(memory)
        loading.append(clock() - start)
        judge(stream.warm_up)
        # What the other methods keep in memory must not be gone through when this one's garbage is collected.
        gc.collect()
        gc.freeze()
        start = clock()
        judge(stream.fresh)
        middle = clock()
        judge(stream.fresh)
        end = clock()
        gc.unfreeze()
        fresh += middle - start
        again += end - middle
    done = len(stream.fresh) * len(loading)
    into.fresh.append(done / max(fresh, 1e-9))
    into.again.append(done / max(again, 1e-9))
    into.load.append(statistics.median(loading))
