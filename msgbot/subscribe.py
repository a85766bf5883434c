"""Subscribe: Amazon is told to send changes of orders to our queue (domain.md section 7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from yarl import URL

from msgbot.errors import ConfigError, Conflict
from msgbot.spapi.client import SpApi
from msgbot.spapi.notifications import Destination, Notifications, Subscription
from msgbot.spapi.queue import region_of

_PATH = re.compile(r"/(?P<owner>\d{12})/(?P<name>[\w-]+)/?")
_EXAMPLE = "one looks like https://sqs.eu-west-1.amazonaws.com/123456789012/orders"


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What is set up, and whether it was there before."""

    destination_id: str
    subscription_id: str
    known: bool


def queue_name(queue_url: str, region: str = "") -> str:
    """The queue's name as Amazon wants it (its ARN); `region` may be empty where the address tells it. Raises ConfigError when the
    address is none of a queue at AWS."""
    try:
        url = URL(queue_url)
    except ValueError:
        url = URL()
    region = region or region_of(queue_url)
    found = _PATH.fullmatch(url.path)
    if url.path.endswith(".fifo"):
        raise ConfigError(
            f"the setting amazon.queue_url names a FIFO queue, and Amazon writes to standard ones only: {queue_url!r}"
        )
    if found is None or not region:
        raise ConfigError(f"the setting amazon.queue_url is no address of an SQS queue: {queue_url!r}; {_EXAMPLE}")
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    return f"arn:{partition}:sqs:{region}:{found['owner']}:{found['name']}"


class Subscribe:
    """The use case. `queue` is the name (ARN) of the queue that the changes are to come to."""

    def __init__(self, amazon: SpApi, queue: str) -> None:
        self._notifications = Notifications(amazon)
        self._queue = queue

    async def subscribe(self, account: str, *, replace: bool = False) -> Subscribed:
        """Sees to it that the account's order changes come to the queue. Raises AmazonError; what was made stays, and is found the
        next time. Raises Conflict when they are sent elsewhere, unless that is to be replaced."""
        known = await self._notifications.subscription(account)
        destinations = await self._notifications.destinations(account)
        if known is not None:
            fault = self._fault(known, destinations)
            if not fault:
                return Subscribed(known.destination_id, known.id, known=True)
            if not replace:
                raise Conflict(f"{fault}; --replace ends that subscription and makes a new one")
            await self._notifications.unsubscribe(account, known.id)
        there = next((each.id for each in destinations if each.arn == self._queue), None)
        destination_id = there or await self._notifications.create_destination(self._queue, account)
        subscription_id = await self._notifications.subscribe(account, destination_id)
        return Subscribed(destination_id, subscription_id, known=False)

    async def fault(self, account: str) -> str:
        """Why the account's order changes do not come to the queue; empty when they do. Raises AmazonError."""
        known = await self._notifications.subscription(account)
        if known is None:
            return "the seller's order changes are not subscribed to"
        return self._fault(known, await self._notifications.destinations(account))

    def _fault(self, known: Subscription, destinations: Sequence[Destination]) -> str:
        arn = next((each.arn for each in destinations if each.id == known.destination_id), "")
        if arn != self._queue:
            elsewhere = arn or f"the destination {known.destination_id}"
            return f"the seller's order changes go to {elsewhere}, and not to {self._queue}"
        return "" if known.tells_requests else "the seller's subscription does not tell of formal requests"
