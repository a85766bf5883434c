"""The clock as an argument: the demo and the tests have their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic

Clock = Callable[[], datetime]
"""Gives the time now, aware and in UTC."""
Stopwatch = Callable[[], float]
"""Gives seconds that only ever grow, whatever is done to the clock; from where they count is of no meaning."""


def system_clock() -> datetime:
    """The time now."""
    return datetime.now(UTC)


def steady_clock(wall: Clock = system_clock, ticks: Callable[[], float] = monotonic) -> Clock:
    """A clock for a process that runs for months: it never steps back. When the machine's clock does, this one goes on at its own
    pace until the other has caught up: so what comes later never looks older."""
    lock = Lock()
    last, last_ticks = wall(), ticks()

    def now() -> datetime:
        nonlocal last, last_ticks
        with lock:
            moment, tick = wall(), ticks()
            if moment < last:
                moment = last + timedelta(seconds=tick - last_ticks)
            last, last_ticks = moment, tick
            return moment

    return now
