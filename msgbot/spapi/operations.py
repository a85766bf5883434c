"""The operations of the Selling Partner API that msgbot calls, one row each, with the rates that Amazon's models give."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its path with `{names}` to fill in, `rate` in calls a second and `burst` in calls.

    `repeatable`: doing it twice does no harm, so it may be tried again after an answer was lost. `grantless`: the application asks
    for itself, not for a seller."""

    name: str
    method: str
    path: str
    rate: float
    burst: int
    repeatable: bool
    grantless: bool = False

    @property
    def forgets(self) -> bool:
        """Whether it only takes something away, so that nothing needs to be in the answer."""
        return self.method == "DELETE"


SEARCH_ORDERS = Operation("searchOrders", "GET", "/orders/2026-01-01/orders", 0.0056, 20, True)
GET_ORDER = Operation("getOrder", "GET", "/orders/2026-01-01/orders/{orderId}", 0.5, 30, True)
# The withdrawn cancelOrder (PUT …/orders/{orderId}/cancellation, 1/s, not repeatable; domain.md section 3) would be a row here.

V0_GET_ORDERS = Operation("v0 getOrders", "GET", "/orders/v0/orders", 0.0167, 20, True)
V0_GET_ORDER = Operation("v0 getOrder", "GET", "/orders/v0/orders/{orderId}", 0.5, 30, True)
V0_GET_ORDER_ITEMS = Operation("v0 getOrderItems", "GET", "/orders/v0/orders/{orderId}/orderItems", 0.5, 30, True)

# A document that nobody uses is forgotten by Amazon: making a second one does no harm.
CREATE_FEED_DOCUMENT = Operation("createFeedDocument", "POST", "/feeds/2021-06-30/documents", 0.5, 15, True)
GET_FEED_DOCUMENT = Operation("getFeedDocument", "GET", "/feeds/2021-06-30/documents/{feedDocumentId}", 0.0222, 10, True)
CREATE_FEED = Operation("createFeed", "POST", "/feeds/2021-06-30/feeds", 0.0083, 15, False)
GET_FEED = Operation("getFeed", "GET", "/feeds/2021-06-30/feeds/{feedId}", 2.0, 15, True)
GET_FEEDS = Operation("getFeeds", "GET", "/feeds/2021-06-30/feeds", 0.0222, 10, True)

CREATE_REPORT = Operation("createReport", "POST", "/reports/2021-06-30/reports", 0.0167, 15, False)
GET_REPORT = Operation("getReport", "GET", "/reports/2021-06-30/reports/{reportId}", 2.0, 15, True)
GET_REPORT_DOCUMENT = Operation("getReportDocument", "GET", "/reports/2021-06-30/documents/{reportDocumentId}", 0.0167, 15, True)

GET_DESTINATIONS = Operation("getDestinations", "GET", "/notifications/v1/destinations", 1.0, 5, True, grantless=True)
CREATE_DESTINATION = Operation("createDestination", "POST", "/notifications/v1/destinations", 1.0, 5, False, grantless=True)
GET_SUBSCRIPTION = Operation("getSubscription", "GET", "/notifications/v1/subscriptions/{notificationType}", 1.0, 5, True)
CREATE_SUBSCRIPTION = Operation("createSubscription", "POST", "/notifications/v1/subscriptions/{notificationType}", 1.0, 5, False)
DELETE_SUBSCRIPTION = Operation(
    "deleteSubscriptionById",
    "DELETE",
    "/notifications/v1/subscriptions/{notificationType}/{subscriptionId}",
    1.0,
    5,
    True,
    grantless=True,
)

GET_PARTICIPATIONS = Operation("getMarketplaceParticipations", "GET", "/sellers/v1/marketplaceParticipations", 0.016, 15, True)

OPERATIONS = (
    SEARCH_ORDERS,
    GET_ORDER,
    V0_GET_ORDERS,
    V0_GET_ORDER,
    V0_GET_ORDER_ITEMS,
    CREATE_FEED_DOCUMENT,
    GET_FEED_DOCUMENT,
    CREATE_FEED,
    GET_FEED,
    GET_FEEDS,
    CREATE_REPORT,
    GET_REPORT,
    GET_REPORT_DOCUMENT,
    GET_DESTINATIONS,
    CREATE_DESTINATION,
    GET_SUBSCRIPTION,
    CREATE_SUBSCRIPTION,
    DELETE_SUBSCRIPTION,
    GET_PARTICIPATIONS,
)
"""All of them; tests hold each row to Amazon's models."""
