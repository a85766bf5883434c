"""Events: what webhooks are told of, and how it is put."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum

from msgbot.domain.trail import Facts


class EventType(StrEnum):
    """What happened."""

    REQUEST_DETECTED = "request.detected"
    FORMAL_REQUEST_ON_FILE = "formal_request.on_file"
    CANCELLATION_BLOCKED = "cancellation.blocked"
    CANCELLATION_DONE = "cancellation.done"
    CANCELLATION_REFUSED = "cancellation.refused"
    RULING_OVERRIDDEN = "ruling.overridden"
    REPLY_FAILED = "reply.failed"
    TEST = "webhook.test"

    @property
    def meaning(self) -> str:
        """What it tells, in a line."""
        return _MEANINGS[self]


_MEANINGS = {
    EventType.REQUEST_DETECTED: "A buyer asks in a message to cancel an order.",
    EventType.FORMAL_REQUEST_ON_FILE: "A buyer's formal request to cancel came on file: the order may be cancelled without harm.",
    EventType.CANCELLATION_BLOCKED: "The guard stopped a cancellation that would have counted against the seller.",
    EventType.CANCELLATION_DONE: "An order that was to be cancelled was seen cancelled.",
    EventType.CANCELLATION_REFUSED: "Amazon did not cancel an order, and it will not be tried again by itself.",
    EventType.RULING_OVERRIDDEN: "A person cancels against what the guard said.",
    EventType.REPLY_FAILED: "A reply to a buyer could not be handed over.",
    EventType.TEST: "A person tries out whether events arrive. Every webhook gets it, and only when asked for.",
}
SUBSCRIBABLE = frozenset(EventType) - {EventType.TEST}
"""The events that a webhook can be set to."""


def payload(event: EventType, account: str, at: datetime, facts: Facts) -> str:
    """The event as JSON in ASCII: `type`, `timestamp` (when it happened, in UTC) and `data`, which holds the account and the facts.

    A buyer's words do not leave the house: facts are ids, codes and counts."""
    timestamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = {"type": event.value, "timestamp": timestamp, "data": {**facts, "account": account}}
    return json.dumps(content, ensure_ascii=True, separators=(",", ":"))
