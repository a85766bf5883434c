"""Token buckets: when an account may make its next call of an operation, from the rates Amazon publishes (domain.md section 7).

Only for this process: what several processes may do together, the durable engine's queues see to.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import timedelta

from msgbot.clock import Clock
from msgbot.errors import AmazonAway
from msgbot.spapi.operations import Operation
from msgbot.spapi.patience import Pace, Patience

# Buckets that are full again are as good as new; they are looked for whenever so many have been added.
_SWEEP = 1024
# What floating point leaves of a token that is just whole.
_WHOLE = 1 - 1e-9


@dataclass(slots=True)
class Bucket:
    """Tokens of one account for one operation. `now` is in seconds that only grow."""

    rate: float
    burst: int
    tokens: float
    at: float
    line: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0

    def fill(self, now: float) -> None:
        """Adds what has come since the last time."""
        self.tokens = min(self.tokens + max(now - self.at, 0.0) * self.rate, float(self.burst))
        self.at = now

    def wait(self, now: float, ahead: int = 0) -> float:
        """Seconds until there is a token for whoever has so many others before them."""
        self.fill(now)
        lacking = ahead + _WHOLE - self.tokens
        return (ahead + 1 - self.tokens) / self.rate if lacking > 0 else 0.0

    def take(self) -> None:
        """Takes the token that `wait` has said is there."""
        self.tokens = max(self.tokens - 1, 0.0)

    def empty(self, now: float) -> None:
        """Amazon counts otherwise than we do, and says that nothing is left."""
        self.tokens, self.at = 0.0, now

    def adjust(self, now: float, rate: float) -> None:
        """Goes on at another rate."""
        self.fill(now)
        self.rate = rate

    def idle(self, now: float) -> bool:
        """Whether it is full and nobody waits at it, so that a new one would do as well."""
        self.fill(now)
        return not self.waiting and self.tokens >= self.burst


class Buckets:
    """All buckets of this process, by account and operation."""

    def __init__(self, clock: Clock, pace: Pace) -> None:
        self._clock = clock
        self._pace = pace
        self._buckets: dict[tuple[Hashable, str], Bucket] = {}
        self._sweep_at = _SWEEP

    def __len__(self) -> int:
        return len(self._buckets)

    async def acquire(self, owner: Hashable, operation: Operation, patience: Patience) -> float:
        """Waits for the turn of `owner`, first come, first served; gives the seconds that were waited. Raises AmazonAway, and says
        when the turn would come, as soon as it is clear that this is beyond `patience`."""
        bucket = self._bucket(owner, operation)
        came = self._pace.ticks()
        self._check(operation, patience, bucket.wait(came, bucket.waiting))
        bucket.waiting += 1
        try:
            async with asyncio.timeout(patience.left + 1), bucket.line:
                while wait := bucket.wait(self._pace.ticks()):
                    self._check(operation, patience, wait)
                    await self._pace.sleep(wait)
                bucket.take()
        except TimeoutError:
            # Amazon's 429s have put back those before us.
            raise self._late(operation, patience, bucket.wait(self._pace.ticks(), bucket.waiting - 1)) from None
        finally:
            bucket.waiting -= 1
        return self._pace.ticks() - came

    def refuse(self, owner: Hashable, operation: Operation) -> None:
        """Amazon answered 429: the bucket is empty, whatever was thought."""
        self._bucket(owner, operation).empty(self._pace.ticks())

    def learn(self, owner: Hashable, operation: Operation, limit: str) -> None:
        """Takes over the rate that the header `x-amzn-RateLimit-Limit` gives; what is no rate is not heeded."""
        try:
            rate = float(limit)
        except ValueError:
            return
        if math.isfinite(rate) and rate > 0:
            self._bucket(owner, operation).adjust(self._pace.ticks(), rate)

    def _bucket(self, owner: Hashable, operation: Operation) -> Bucket:
        key = (owner, operation.name)
        bucket = self._buckets.get(key)
        if bucket is None:
            now = self._pace.ticks()
            if len(self._buckets) >= self._sweep_at:
                self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.idle(now)}
                self._sweep_at = 2 * len(self._buckets) + _SWEEP
            bucket = self._buckets[key] = Bucket(operation.rate, operation.burst, float(operation.burst), now)
        return bucket

    def _check(self, operation: Operation, patience: Patience, wait: float) -> None:
        if wait > patience.left:
            raise self._late(operation, patience, wait)

    def _late(self, operation: Operation, patience: Patience, wait: float) -> AmazonAway:
        turn = self._clock() + timedelta(seconds=wait)
        return AmazonAway(
            f"Amazon allows no {operation.name} before {turn:%Y-%m-%d %H:%M:%S} UTC ({wait:.0f} seconds from now, "
            f"and this call may wait {patience.seconds:.0f}); try again then",
            operation=operation.name,
        )
