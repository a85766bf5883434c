"""The operations that the fake answers, one row each, with Amazon's published rates; and its token buckets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

ORDERS_V0 = "/orders/v0/orders"
ORDERS_V2026 = "/orders/2026-01-01/orders"
FEEDS = "/feeds/2021-06-30"
REPORTS = "/reports/2021-06-30"
NOTIFICATIONS = "/notifications/v1"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `key` tells the two `getOrder` apart, `rate` is in calls a second."""

    key: str
    method: str
    path: str
    rate: float
    burst: int
    grantless: bool = False

    @property
    def name(self) -> str:
        """The name that Amazon's model gives it."""
        return self.key.partition("@")[0]


OPERATIONS: tuple[Operation, ...] = (
    Operation("getOrders", "GET", ORDERS_V0, 0.0167, 20),
    Operation("getOrder@v0", "GET", ORDERS_V0 + "/{order}", 0.5, 30),
    Operation("getOrderItems", "GET", ORDERS_V0 + "/{order}/orderItems", 0.5, 30),
    Operation("searchOrders", "GET", ORDERS_V2026, 0.0056, 20),
    Operation("getOrder@2026", "GET", ORDERS_V2026 + "/{order}", 0.5, 30),
    Operation("createFeedDocument", "POST", FEEDS + "/documents", 0.5, 15),
    Operation("getFeedDocument", "GET", FEEDS + "/documents/{document}", 0.0222, 10),
    Operation("createFeed", "POST", FEEDS + "/feeds", 0.0083, 15),
    Operation("getFeeds", "GET", FEEDS + "/feeds", 0.0222, 10),
    Operation("getFeed", "GET", FEEDS + "/feeds/{feed}", 2, 15),
    Operation("cancelFeed", "DELETE", FEEDS + "/feeds/{feed}", 2, 15),
    Operation("createReport", "POST", REPORTS + "/reports", 0.0167, 15),
    Operation("getReports", "GET", REPORTS + "/reports", 0.0222, 10),
    Operation("getReport", "GET", REPORTS + "/reports/{report}", 2, 15),
    Operation("getReportDocument", "GET", REPORTS + "/documents/{document}", 0.0167, 15),
    Operation("createDestination", "POST", NOTIFICATIONS + "/destinations", 1, 5, grantless=True),
    Operation("getDestinations", "GET", NOTIFICATIONS + "/destinations", 1, 5, grantless=True),
    Operation("getDestination", "GET", NOTIFICATIONS + "/destinations/{destination}", 1, 5, grantless=True),
    Operation("deleteDestination", "DELETE", NOTIFICATIONS + "/destinations/{destination}", 1, 5, grantless=True),
    Operation("createSubscription", "POST", NOTIFICATIONS + "/subscriptions/{type}", 1, 5),
    Operation("getSubscription", "GET", NOTIFICATIONS + "/subscriptions/{type}", 1, 5),
    Operation("getSubscriptionById", "GET", NOTIFICATIONS + "/subscriptions/{type}/{subscription}", 1, 5, grantless=True),
    Operation("deleteSubscriptionById", "DELETE", NOTIFICATIONS + "/subscriptions/{type}/{subscription}", 1, 5, grantless=True),
    Operation("getMarketplaceParticipations", "GET", "/sellers/v1/marketplaceParticipations", 0.016, 15),
)

_PATTERNS = [(each, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", each.path))) for each in OPERATIONS]


def find(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation that serves `path`, and the parts of the path by name; None when there is none."""
    for operation, pattern in _PATTERNS:
        found = pattern.fullmatch(path)
        if found and operation.method == method:
            return operation, found.groupdict()
    return None


class Buckets:
    """One token bucket for each seller and operation. `rates` may be changed: rate a second and burst by operation key."""

    def __init__(self) -> None:
        self.rates = {each.key: (float(each.rate), each.burst) for each in OPERATIONS}
        self._filled: dict[tuple[str, str], tuple[float, datetime]] = {}

    def take(self, seller_id: str, key: str, now: datetime) -> bool:
        """Takes a token; False when the bucket is empty."""
        rate, burst = self.rates[key]
        tokens, then = self._filled.get((seller_id, key), (float(burst), now))
        tokens = min(float(burst), tokens + rate * max(0.0, (now - then).total_seconds()))
        enough = tokens >= 1
        self._filled[seller_id, key] = (tokens - 1 if enough else tokens, now)
        return enough
