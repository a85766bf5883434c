"""How long a call may take in all, and how it waits between tries: backoff with full jitter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import SystemRandom
from time import monotonic

from msgbot.clock import Stopwatch
from msgbot.domain.retries import asked_wait

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 20.0

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pace:
    """Where time and chance come from; tests have their own. `chance` gives a number from 0 to 1."""

    ticks: Stopwatch = monotonic
    sleep: Sleep = asyncio.sleep
    chance: Callable[[], float] = SystemRandom().random


@dataclass(slots=True)
class Patience:
    """The time that one call has, in seconds, from its making."""

    seconds: float
    pace: Pace
    until: float = field(init=False)
    pauses: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.until = self.pace.ticks() + self.seconds

    @property
    def left(self) -> float:
        """Seconds that are left, never less than nothing."""
        return max(self.until - self.pace.ticks(), 0.0)

    async def pause(self, retry_after: str, now: datetime) -> bool:
        """Waits before the next try, at least as long as the header `Retry-After` asks; False, at once, when there is no time
        for that."""
        longest = min(FIRST_PAUSE * 2.0**self.pauses, LONGEST_PAUSE)
        seconds = max(self.pace.chance() * longest, asked_wait(retry_after, now).total_seconds())
        if seconds >= self.left:
            return False
        self.pauses += 1
        await self.pace.sleep(seconds)
        return True
