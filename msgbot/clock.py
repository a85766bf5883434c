"""The clock as an argument: the demo and the tests have their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the time now, aware and in UTC."""


def system_clock() -> datetime:
    """The time now."""
    return datetime.now(UTC)
