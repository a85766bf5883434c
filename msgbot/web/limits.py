"""Limits on how often a token, or an address, may ask: a bucket for each, filled at a steady rate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from time import monotonic

from aiohttp import web

from msgbot.clock import Stopwatch
from msgbot.errors import TooOften

_MOST = 10_000
"""So many keys are remembered; one that was not used for longest is forgotten, and starts anew with a full bucket."""
_ONE_CUSTOMER = 64
"""Whoever has one IPv6 address has all those that begin with the same bits."""


class RateLimit:
    """Lets each key through `rate` times a second, and `at_once` times, or twice as often, for a moment. A rate of 0 limits
    nothing. The stopwatch is one that never steps back."""

    def __init__(self, rate: float, stopwatch: Stopwatch = monotonic, *, at_once: float = 0.0) -> None:
        self._rate = rate
        self._stopwatch = stopwatch
        self._most = at_once or max(1.0, 2 * rate)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, told: str) -> None:
        """Returns when `key` may go on now. Raises TooOften with the text `told` when it may not yet."""
        if not self._rate:
            return
        now = self._stopwatch()
        level, since = self._buckets.pop(key, (self._most, now))
        level = min(self._most, level + (now - since) * self._rate)
        lets = level >= 1
        self._buckets[key] = (level - 1 if lets else level, now)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        if not lets:
            raise TooOften(told, (1 - level) / self._rate)

    def give_back(self, key: str) -> None:
        """Counts one that was let through as if it had not been."""
        if key in self._buckets:
            level, since = self._buckets[key]
            self._buckets[key] = (min(self._most, level + 1), since)


def peer_of(request: web.Request, proxies: Collection[IPv4Network | IPv6Network]) -> str:
    """The address that a request comes from, and of IPv6 its network. Where that is one of our `proxies`, it is the address that
    the proxy was asked from: the last one that it wrote down."""
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
    hops = [request.remote or "", *(each.strip() for each in reversed(forwarded.split(",")))]
    peer = ""
    for hop in hops:
        try:
            address = _plain(ip_address(hop))
        except ValueError:
            # What was written further to the left came from outside.
            break
        peer = _shared(address)
        if not any(address in network for network in proxies):
            break
    return peer


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _shared(address: IPv4Address | IPv6Address) -> str:
    """What all addresses of one customer have in common."""
    return str(address if address.version == 4 else IPv6Network((address, _ONE_CUSTOMER), strict=False))
