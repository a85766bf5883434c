"""Destinations and subscriptions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_amazon.conftest import Caller

DESTINATIONS = "/notifications/v1/destinations"
SUBSCRIPTIONS = "/notifications/v1/subscriptions"
ARN = "arn:aws:sqs:us-east-1:123456789012:orders"
WANTED = {"name": "msgbot", "resourceSpecification": {"sqs": {"arn": ARN}}}
DIRECTIVE = {"eventFilter": {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["BuyerRequestedChange"]}}


async def subscribed(call: Caller) -> tuple[str, dict[str, Any]]:
    """A destination's id and the subscription that leads there."""
    await call.be_grantless()
    destination: str = (await call("POST", DESTINATIONS, WANTED)).value["payload"]["destinationId"]
    await call.get_token()
    body = {"payloadVersion": "1.0", "destinationId": destination, "processingDirective": DIRECTIVE}
    subscription: dict[str, Any] = (await call("POST", f"{SUBSCRIPTIONS}/ORDER_CHANGE", body)).value["payload"]
    return destination, subscription


async def test_a_subscription_is_set_up_and_taken_down(call: Caller) -> None:
    destination, subscription = await subscribed(call)
    assert (await call("GET", f"{SUBSCRIPTIONS}/ORDER_CHANGE")).value["payload"] == subscription
    assert subscription["processingDirective"] == DIRECTIVE
    again = {"payloadVersion": "1.0", "destinationId": destination}
    assert (await call("POST", f"{SUBSCRIPTIONS}/ORDER_CHANGE", again)).status == 409
    await call.be_grantless()
    assert [each["destinationId"] for each in (await call("GET", DESTINATIONS)).value["payload"]] == [destination]
    assert (await call("DELETE", f"{DESTINATIONS}/{destination}")).status == 409
    path = f"{SUBSCRIPTIONS}/ORDER_CHANGE/{subscription['subscriptionId']}"
    assert (await call("GET", path)).value["payload"] == subscription
    assert (await call("DELETE", path)).status == 200
    assert (await call("DELETE", f"{DESTINATIONS}/{destination}")).status == 200
    assert (await call("GET", f"{DESTINATIONS}/{destination}")).status == 404
    await call.get_token()
    assert (await call("GET", f"{SUBSCRIPTIONS}/ORDER_CHANGE")).status == 404


async def test_a_queue_has_one_destination(call: Caller) -> None:
    await call.be_grantless()
    assert (await call("POST", DESTINATIONS, WANTED)).status == 200
    assert (await call("POST", DESTINATIONS, {**WANTED, "name": "another"})).status == 409


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"resourceSpecification": {}}, {"resourceSpecification": {"sqs": {"arn": "queue"}}}]
)
async def test_a_destination_needs_a_name_and_a_queue(call: Caller, change: dict[str, object]) -> None:
    await call.be_grantless()
    assert (await call("POST", DESTINATIONS, {**WANTED, **change})).status == 400


@pytest.mark.parametrize(
    ("kind", "change", "status"),
    [
        ("ORDER_CHANGE", {"destinationId": "unknown"}, 404),
        ("ORDER_CHANGE", {"payloadVersion": ""}, 400),
        ("ORDER_CHANGE", {"processingDirective": {"eventFilter": {"eventFilterType": "ANY_OFFER_CHANGED"}}}, 400),
        ("SOMETHING", {}, 400),
    ],
)
async def test_a_subscription_is_asked_for_as_amazon_wants(call: Caller, kind: str, change: dict[str, object], status: int) -> None:
    destination, _ = await subscribed(call)
    body = {"payloadVersion": "1.0", "destinationId": destination, **change}
    assert (await call("POST", f"{SUBSCRIPTIONS}/{kind}", body)).status == status
