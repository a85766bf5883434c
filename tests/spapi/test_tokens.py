"""Access tokens on the wire: when they are asked for, shared, renewed and refused."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from msgbot.errors import AmazonAway, AmazonDenied
from msgbot.spapi.client import SpApi
from msgbot.spapi.operations import CREATE_FEED, GET_FEED
from tests.spapi.amazon import REFRESH, SECRET, Amazon, Ticks, calling, errors, seller

GOOD = web.json_response({"feedId": "1"})


async def get(client: SpApi, account: str = "main") -> object:
    return (await client.call(account, GET_FEED, path={"feedId": "1"})).body


async def test_a_token_is_asked_for_once_and_kept(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [GOOD]
    for account in ("main", "main", "other"):
        await get(client, account)
    assert [each.form for each in amazon.tokens] == [
        {
            "client_id": "amzn1.application-oa2-client.1",
            "client_secret": SECRET,
            "grant_type": "refresh_token",
            "refresh_token": REFRESH,
        }
    ] * 2
    assert amazon.tokens[0].headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert [each.headers["x-amz-access-token"] for each in amazon.asked] == ["Atza|access-1", "Atza|access-1", "Atza|access-2"]


async def test_callers_at_one_time_share_one_renewal(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [GOOD]
    await asyncio.gather(*(get(client) for _ in range(10)))
    assert amazon.given == 1
    assert len(amazon.asked) == 10


async def test_callers_at_one_time_share_one_failure(amazon: Amazon, client: SpApi) -> None:
    amazon.lwa = [web.json_response({"error": "invalid_grant"}, status=400)]
    told = await asyncio.gather(*(get(client) for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in told] == [AmazonDenied] * 5
    assert amazon.given == 1


async def test_a_caller_that_gives_up_does_not_end_the_renewal_of_the_others(amazon: Amazon, client: SpApi) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def late(request: web.Request) -> web.StreamResponse:
        begun.set()
        await go.wait()
        return web.json_response({"access_token": "Atza|late", "expires_in": 3600})

    amazon.lwa, amazon.says = [late], [GOOD]
    first, second = asyncio.create_task(get(client)), asyncio.create_task(get(client))
    await begun.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    go.set()
    assert await second == {"feedId": "1"}
    assert amazon.given == 1


async def test_a_token_is_renewed_early_while_the_old_one_still_serves(amazon: Amazon, client: SpApi, ticks: Ticks) -> None:
    amazon.says = [GOOD]
    await get(client)
    ticks.now += 3600 - 301
    await get(client)
    assert amazon.given == 1
    ticks.now += 2
    await get(client)
    await asyncio.gather(*client._tokens._renewals.values())
    await get(client)
    assert amazon.given == 2
    assert [each.headers["x-amz-access-token"][-1] for each in amazon.asked] == ["1", "1", "1", "2"]


async def test_a_token_about_to_end_is_not_used(amazon: Amazon, client: SpApi, ticks: Ticks) -> None:
    amazon.says = [GOOD]
    await get(client)
    ticks.now += 3600 - 59
    await get(client)
    assert amazon.asked[-1].headers["x-amz-access-token"] == "Atza|access-2"


@pytest.mark.parametrize(
    "refusal",
    [
        errors(401, "Unauthorized", "Access to requested resource is denied."),
        errors(403, "Unauthorized", "Access to requested resource is denied.", "The access token you provided has expired."),
        errors(403, "ExpiredToken", "The security token included in the request is expired"),
        errors(403, "InvalidToken", "no"),
        web.Response(status=401, text="<html>", content_type="text/html"),
    ],
    ids=["401", "expired in details", "ExpiredToken", "InvalidToken", "401 page"],
)
async def test_a_token_that_is_not_taken_is_renewed_once(refusal: web.Response, amazon: Amazon, client: SpApi) -> None:
    amazon.says = [refusal, GOOD]
    assert await get(client) == {"feedId": "1"}
    assert [each.headers["x-amz-access-token"] for each in amazon.asked] == ["Atza|access-1", "Atza|access-2"]
    amazon.says = [refusal]
    with pytest.raises(AmazonDenied):
        await get(client)
    assert amazon.given == 3


async def test_a_feed_refused_for_its_token_is_sent_again_because_it_was_not_made(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [
        errors(403, "Unauthorized", details="The access token you provided has expired."),
        web.json_response({"feedId": "4"}, status=202),
    ]
    body = {"feedType": "X", "marketplaceIds": ["A"], "inputFeedDocumentId": "d"}
    assert (await client.call("main", CREATE_FEED, body=body)).body == {"feedId": "4"}


async def test_403_for_another_reason_does_not_cost_a_token(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [errors(403, "AccessDenied", "Marketplace is not of this region")]
    with pytest.raises(AmazonDenied, match="Marketplace is not of this region"):
        await get(client)
    assert amazon.given == 1


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (401, "invalid_client", "client secret is wrong"),
        (400, "invalid_grant", "authorise the application again"),
        (400, "unauthorized_client", "belong together"),
        (400, "invalid_scope", "check its registration"),
        (400, "something_new", "check the client id"),
        (400, "", "check the client id"),
    ],
)
async def test_a_refusal_says_what_to_do(status: int, code: str, says: str, amazon: Amazon, client: SpApi) -> None:
    words = f"The request has {REFRESH} and {SECRET} and Atza|other"
    amazon.lwa = [web.json_response({"error": code, "error_description": words}, status=status)]
    with pytest.raises(AmazonDenied, match=says) as told:
        await get(client)
    assert "account main" in str(told.value)
    for secret in (REFRESH, SECRET, "Atza|other"):
        assert secret not in repr(told.value) + str(told.value)
    assert amazon.asked == []


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_is_tried_again(status: int, amazon: Amazon, client: SpApi) -> None:
    amazon.says = [GOOD]
    amazon.lwa = [web.Response(status=status), web.json_response({"access_token": "Atza|x", "expires_in": "soon"})]
    assert await get(client) == {"feedId": "1"}


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=500),
        web.Response(status=502, text="<html>"),
        web.Response(text="<html>"),
        web.json_response({}),
        web.json_response([]),
        web.json_response({"access_token": "with\nline end"}),
    ],
)
async def test_lasting_trouble_is_away(answer: web.Response, amazon: Amazon, client: SpApi) -> None:
    amazon.lwa = [answer]
    with pytest.raises(AmazonAway, match=r"no access token.*try again later"):
        await get(client)


async def test_without_a_connection_it_is_away(ticks: Ticks) -> None:
    async with calling("http://127.0.0.1:1", ticks=ticks) as client:
        with pytest.raises(AmazonAway, match="no access token: no connection"):
            await get(client)


async def test_an_account_without_refresh_token_is_told(amazon: Amazon, client: SpApi) -> None:
    bare = seller(amazon.base)
    client._sellers["main"] = type(bare)(bare.account, bare.seller_id, bare.marketplaces, bare.orders_api, bare.base, "")
    with pytest.raises(AmazonDenied, match="account main has no refresh token"):
        await get(client)
    assert amazon.given == 0
