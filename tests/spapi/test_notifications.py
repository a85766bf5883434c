"""Destinations, subscriptions and participations."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from msgbot.errors import AmazonRefused, AmazonUnclear, ConfigError
from msgbot.spapi.client import SpApi, open_spapi
from msgbot.spapi.notifications import Destination, Notifications, Subscription
from msgbot.spapi.sellers import Participation, Sellers
from tests.spapi.amazon import NOW, Amazon, application, errors

ARN = "arn:aws:sqs:eu-west-1:123456789012:msgbot"


async def test_destinations_are_listed_and_made_by_the_application(amazon: Amazon, client: SpApi) -> None:
    queue = {"destinationId": "d1", "name": "msgbot", "resource": {"sqs": {"arn": ARN}}}
    bus = {"destinationId": "d2", "name": "x", "resource": {"eventBridge": {"name": "x", "region": "r", "accountId": "1"}}}
    amazon.says = [
        web.json_response({"payload": [queue, bus]}),
        web.json_response({}),
        web.json_response({"payload": queue}),
    ]
    notifications = Notifications(client)
    assert await notifications.destinations() == (Destination("d1", "msgbot", ARN), Destination("d2", "x", ""))
    assert await notifications.destinations("other") == ()
    assert await notifications.create_destination(ARN) == "d1"
    assert json.loads(amazon.asked[2].body) == {"name": "msgbot", "resourceSpecification": {"sqs": {"arn": ARN}}}
    assert {each.form["grant_type"] for each in amazon.tokens} == {"client_credentials"}


async def test_a_subscription_is_made_for_formal_requests_only(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.json_response({"payload": {"subscriptionId": "s1", "destinationId": "d1", "payloadVersion": "1.0"}})]
    assert await Notifications(client).subscribe("main", "d1") == "s1"
    assert amazon.asked[0].path == "/notifications/v1/subscriptions/ORDER_CHANGE"
    assert json.loads(amazon.asked[0].body) == {
        "payloadVersion": "1.0",
        "destinationId": "d1",
        "processingDirective": {"eventFilter": {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["BuyerRequestedChange"]}},
    }


@pytest.mark.parametrize(
    ("directive", "types", "tells"),
    [
        ({}, (), True),
        ({"eventFilter": {"eventFilterType": "ORDER_CHANGE"}}, (), True),
        (
            {"eventFilter": {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["OrderStatusChange"]}},
            ("OrderStatusChange",),
            False,
        ),
        (
            {"eventFilter": {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["BuyerRequestedChange"]}},
            ("BuyerRequestedChange",),
            True,
        ),
    ],
)
async def test_a_subscription_says_what_it_tells(
    directive: dict[str, object], types: tuple[str, ...], tells: bool, amazon: Amazon, client: SpApi
) -> None:
    payload = {"subscriptionId": "s1", "destinationId": "d1", "payloadVersion": "1.0", "processingDirective": directive}
    amazon.says = [web.json_response({"payload": payload})]
    found = await Notifications(client).subscription("main")
    assert found == Subscription("s1", "d1", types)
    assert found.tells_requests is tells
    assert amazon.asked[0].query == {"payloadVersion": ["1.0"]}


async def test_no_subscription_is_none_and_other_refusals_are_errors(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [errors(404, "NotFound"), errors(400)]
    assert await Notifications(client).subscription("main") is None
    with pytest.raises(AmazonRefused):
        await Notifications(client).subscription("main")


async def test_a_second_subscription_is_refused_and_one_without_id_unclear(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [errors(409, "Conflict", "exists"), web.json_response({"payload": {}})]
    with pytest.raises(AmazonRefused) as told:
        await Notifications(client).subscribe("main", "d1")
    assert told.value.status == 409
    with pytest.raises(AmazonUnclear, match=r"payload\.subscriptionId is missing"):
        await Notifications(client).subscribe("main", "d1")


async def test_a_subscription_is_ended_and_may_be_gone_already(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response(status=200), errors(404), errors(400)]
    await Notifications(client).unsubscribe("main", "s1")
    await Notifications(client).unsubscribe("main", "s1")
    with pytest.raises(AmazonRefused):
        await Notifications(client).unsubscribe("main", "s1")
    assert amazon.asked[0].path == "/notifications/v1/subscriptions/ORDER_CHANGE/s1"


async def test_without_accounts_there_is_no_region() -> None:
    async with open_spapi(application("http://127.0.0.1:1"), {}, lambda: NOW) as client:
        with pytest.raises(ConfigError, match="there are: none"):
            await Notifications(client).destinations()


async def test_participations_are_told(amazon: Amazon, client: SpApi) -> None:
    place = {"id": "A1PA6795UKMFR9", "name": "Amazon.de", "countryCode": "DE", "domainName": "www.amazon.de"}
    amazon.says = [
        web.json_response(
            {
                "payload": [
                    {
                        "marketplace": place,
                        "participation": {"isParticipating": True, "hasSuspendedListings": False},
                        "storeName": "S",
                    }
                ]
            }
        )
    ]
    assert await Sellers(client).participations("main") == (Participation("A1PA6795UKMFR9", "www.amazon.de", True, False),)
