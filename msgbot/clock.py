"""The clock as an argument: the demo and the tests have their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the time now, aware and in UTC."""
Stopwatch = Callable[[], float]
"""Gives seconds that only ever grow, whatever is done to the clock; from where they count is of no meaning."""


def system_clock() -> datetime:
    """The time now."""
    return datetime.now(UTC)
