"""Answers the calls of the Notifications API: destinations of the application, subscriptions of its sellers (domain.md, 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from msgbot.fake_amazon.call import Call, Refusal, Reply, invalid, missing, text_in

QUEUE = re.compile(r"arn:aws:sqs:\S+:\S+:\S+")
TYPES = frozenset({"ORDER_CHANGE", "FEED_PROCESSING_FINISHED", "REPORT_PROCESSING_FINISHED"})


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a seller's application asked to be told of."""

    id: str
    seller_id: str
    type: str
    body: dict[str, Any]

    def tell(self) -> dict[str, Any]:
        """As the answers have it."""
        return {"subscriptionId": self.id, **self.body}


class NotificationCalls:
    """Destinations by id, and subscriptions by seller and type: one for each, as at Amazon."""

    def __init__(self) -> None:
        self.destinations: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[tuple[str, str], Subscription] = {}
        self._made = 0

    def create_destination(self, call: Call) -> Reply:
        """Answers createDestination. A queue has one destination only."""
        body = call.json()
        name, resource = text_in(body, "name"), body.get("resourceSpecification")
        queue = resource.get("sqs") if isinstance(resource, dict) else None
        arn = queue.get("arn") if isinstance(queue, dict) else None
        if not isinstance(arn, str) or not QUEUE.fullmatch(arn):
            raise invalid("resourceSpecification.sqs.arn is required and must be the ARN of a queue.")
        if any(each["resource"]["sqs"]["arn"] == arn for each in self.destinations.values()):
            raise Refusal(409, "Conflict", "A destination with this resource already exists.")
        destination_id = self._id("destination")
        made = {"destinationId": destination_id, "name": name, "resource": {"sqs": {"arn": arn}}}
        self.destinations[destination_id] = made
        return Reply(200, {"payload": made})

    def list_destinations(self, call: Call) -> Reply:
        """Answers getDestinations."""
        return Reply(200, {"payload": list(self.destinations.values())})

    def get_destination(self, call: Call) -> Reply:
        """Answers getDestination."""
        return Reply(200, {"payload": self._destination(call.names["destination"])})

    def delete_destination(self, call: Call) -> Reply:
        """Answers deleteDestination; one that is used stays."""
        found = self._destination(call.names["destination"])["destinationId"]
        if any(each.body["destinationId"] == found for each in self.subscriptions.values()):
            raise Refusal(409, "Conflict", "The destination has subscriptions.")
        del self.destinations[found]
        return Reply(200, {})

    def subscribe(self, call: Call) -> Reply:
        """Answers createSubscription."""
        body, kind = call.json(), self._type(call)
        text_in(body, "payloadVersion")
        self._destination(text_in(body, "destinationId"))
        if "processingDirective" in body:
            _check_directive(body["processingDirective"], kind)
        if (call.seller_id, kind) in self.subscriptions:
            raise Refusal(409, "Conflict", "A subscription of this notification type already exists.")
        kept: dict[str, Any] = {
            name: body[name] for name in ("payloadVersion", "destinationId", "processingDirective") if name in body
        }
        subscription = Subscription(self._id("subscription"), call.seller_id, kind, kept)
        self.subscriptions[call.seller_id, kind] = subscription
        return Reply(200, {"payload": subscription.tell()})

    def get_subscription(self, call: Call) -> Reply:
        """Answers getSubscription."""
        call.only("payloadVersion")
        subscription = self.subscriptions.get((call.seller_id, self._type(call)))
        if subscription is None:
            raise missing("There is no subscription of this notification type.")
        return Reply(200, {"payload": subscription.tell()})

    def get_subscription_by_id(self, call: Call) -> Reply:
        """Answers getSubscriptionById."""
        return Reply(200, {"payload": self._subscription(call).tell()})

    def unsubscribe(self, call: Call) -> Reply:
        """Answers deleteSubscriptionById."""
        subscription = self._subscription(call)
        del self.subscriptions[subscription.seller_id, subscription.type]
        return Reply(200, {})

    def _type(self, call: Call) -> str:
        kind = call.names["type"]
        if kind not in TYPES:
            raise invalid(f"Notification type {kind} is invalid.")
        return kind

    def _destination(self, destination_id: str) -> dict[str, Any]:
        if destination_id not in self.destinations:
            raise missing("The destination was not found.")
        return self.destinations[destination_id]

    def _subscription(self, call: Call) -> Subscription:
        for subscription in self.subscriptions.values():
            if (subscription.id, subscription.type) == (call.names["subscription"], self._type(call)):
                return subscription
        raise missing("The subscription was not found.")

    def _id(self, kind: str) -> str:
        self._made += 1
        return f"{kind}-{self._made}"


def _check_directive(directive: Any, kind: str) -> None:
    chosen = directive.get("eventFilter") if isinstance(directive, dict) else None
    if not isinstance(chosen, dict) or chosen.get("eventFilterType") != kind:
        raise invalid("processingDirective.eventFilter.eventFilterType must be the notification type.")
    if kind == "ORDER_CHANGE" and not set(chosen.get("orderChangeTypes", [])) <= {"OrderStatusChange", "BuyerRequestedChange"}:
        raise invalid("orderChangeTypes has an invalid value.")
