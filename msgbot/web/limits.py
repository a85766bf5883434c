"""Limits on how often a token may ask: a bucket for each, filled at a steady rate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

_MOST = 10_000
"""So many tokens are remembered; one that was not used for longest is forgotten, and starts anew with a full bucket."""


class RateLimit:
    """Lets each key through `rate` times a second, and twice as often for a moment. The clock is one that never steps back."""

    def __init__(self, rate: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, key: str) -> float:
        """0 when `key` may go on now, else the seconds until it may."""
        if not self._rate:
            return 0.0
        now = self._clock()
        most = max(1.0, 2 * self._rate)
        level, since = self._buckets.pop(key, (most, now))
        level = min(most, level + (now - since) * self._rate)
        lets = level >= 1
        self._buckets[key] = (level - 1 if lets else level, now)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        return 0.0 if lets else (1 - level) / self._rate
