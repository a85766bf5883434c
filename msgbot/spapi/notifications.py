"""Subscriptions to ORDER_CHANGE: where Amazon sends word of buyers' formal requests (domain.md section 7).

A destination is a queue of the application, one for each region; a subscription is one seller's."""

from __future__ import annotations

from dataclasses import dataclass

from msgbot.amazon.fields import Fields
from msgbot.errors import AmazonRefused
from msgbot.spapi.answers import id_of_made
from msgbot.spapi.client import PATIENCE, SpApi
from msgbot.spapi.operations import (
    CREATE_DESTINATION,
    CREATE_SUBSCRIPTION,
    DELETE_SUBSCRIPTION,
    GET_DESTINATIONS,
    GET_SUBSCRIPTION,
)

ORDER_CHANGE = "ORDER_CHANGE"
BUYER_REQUESTED = "BuyerRequestedChange"
VERSION = "1.0"
_TYPE = {"notificationType": ORDER_CHANGE}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where notifications can be sent to; `arn` names the SQS queue, empty for destinations of other kinds."""

    id: str
    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A seller's subscription to ORDER_CHANGE; `change_types` are those it is limited to, none: all."""

    id: str
    destination_id: str
    change_types: tuple[str, ...]

    @property
    def tells_requests(self) -> bool:
        """Whether formal requests are told of."""
        return not self.change_types or BUYER_REQUESTED in self.change_types


class Notifications:
    """Sets destinations and subscriptions up. Where `account` is left out, the region is that of the first one."""

    def __init__(self, client: SpApi) -> None:
        self._client = client

    async def destinations(self, account: str = "", *, patience: float = PATIENCE) -> tuple[Destination, ...]:
        """The application's destinations in the account's region."""
        answer = await self._client.call(self._some(account), GET_DESTINATIONS, patience=patience)
        facts = Fields(answer.body)
        if facts.get("payload") is None:
            return ()
        return tuple(_destination(Fields(value, path)) for value, path in facts.required_list("payload"))

    async def create_destination(self, arn: str, account: str = "", *, name: str = "msgbot", patience: float = PATIENCE) -> str:
        """The id of a new destination, the SQS queue `arn`. Raises AmazonUnclear when it may be there: `destinations` tells."""
        body = {"name": name, "resourceSpecification": {"sqs": {"arn": arn}}}
        account = self._some(account)
        answer = await self._client.call(account, CREATE_DESTINATION, body=body, patience=patience)
        return id_of_made(answer, CREATE_DESTINATION, account, "destinationId", within="payload")

    async def subscription(self, account: str, *, patience: float = PATIENCE) -> Subscription | None:
        """The seller's subscription, or None."""
        try:
            answer = await self._client.call(
                account, GET_SUBSCRIPTION, path=_TYPE, query={"payloadVersion": VERSION}, patience=patience
            )
        except AmazonRefused as refused:
            if refused.status == 404:
                return None
            raise
        payload = Fields(answer.body).required_within("payload")
        types = payload.within("processingDirective").within("eventFilter").get("orderChangeTypes")
        return Subscription(
            payload.required_text("subscriptionId"),
            payload.required_text("destinationId"),
            tuple(str(each) for each in types) if isinstance(types, list) else (),
        )

    async def subscribe(self, account: str, destination_id: str, *, patience: float = PATIENCE) -> str:
        """The id of a new subscription to formal requests only. Raises AmazonRefused (status 409) when the seller has one already,
        AmazonUnclear when it may have been made: `subscription` tells."""
        body = {
            "payloadVersion": VERSION,
            "destinationId": destination_id,
            "processingDirective": {"eventFilter": {"eventFilterType": ORDER_CHANGE, "orderChangeTypes": [BUYER_REQUESTED]}},
        }
        answer = await self._client.call(account, CREATE_SUBSCRIPTION, path=_TYPE, body=body, patience=patience)
        return id_of_made(answer, CREATE_SUBSCRIPTION, account, "subscriptionId", within="payload")

    async def unsubscribe(self, account: str, subscription_id: str, *, patience: float = PATIENCE) -> None:
        """Ends a subscription; one that is not there any more is ended."""
        try:
            path = {**_TYPE, "subscriptionId": subscription_id}
            await self._client.call(account, DELETE_SUBSCRIPTION, path=path, patience=patience)
        except AmazonRefused as refused:
            if refused.status != 404:
                raise

    def _some(self, account: str) -> str:
        if account or not self._client.accounts:
            return account
        return self._client.accounts[0]


def _destination(facts: Fields) -> Destination:
    queue = facts.within("resource").within("sqs")
    return Destination(facts.required_text("destinationId"), facts.text("name"), queue.text("arn"))
