"""All routes, in the order in which a reader meets them: each stands behind its handlers. The documentation is made from this list;
nothing is served that is not in it."""

from __future__ import annotations

from msgbot.web import (
    access,
    adjustments,
    amazon,
    arrivals,
    audits,
    cancellations,
    documents,
    messages,
    operation,
    orders,
    replies,
    webhooks,
)

ROUTES = (
    *arrivals.ROUTES,
    *messages.ROUTES,
    *replies.ROUTES,
    *orders.ROUTES,
    *cancellations.ROUTES,
    *adjustments.ROUTES,
    *amazon.ROUTES,
    *audits.ROUTES,
    *webhooks.ROUTES,
    *access.ROUTES,
    *operation.ROUTES,
    *documents.ROUTES,
)
OPERATION = operation.ROUTES
"""What a worker shows."""
