"""The client on the wire: what it sends, how it takes answers, and what it does when there is none."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import structlog
from aiohttp import web

from msgbot.errors import AmazonAway, AmazonDenied, AmazonError, AmazonRefused, AmazonUnclear, ConfigError, InputError
from msgbot.spapi.client import MOST, SpApi
from msgbot.spapi.operations import (
    CREATE_DESTINATION,
    CREATE_FEED,
    CREATE_REPORT,
    CREATE_SUBSCRIPTION,
    GET_DESTINATIONS,
    GET_FEED,
    GET_FEEDS,
    GET_ORDER,
    Operation,
)
from tests.spapi.amazon import ORDER, REFRESH, SECRET, Amazon, Ticks, application, calling, errors, serving

GOOD = {"feedId": "1", "feedType": "X", "createdTime": "2026-11-20T12:00:00Z", "processingStatus": "DONE"}
FEED = {"feedType": "X", "marketplaceIds": ["A1PA6795UKMFR9"], "inputFeedDocumentId": "d"}


async def get(client: SpApi, patience: float = 30.0) -> object:
    return (await client.call("main", GET_FEED, path={"feedId": "1"}, patience=patience)).body


async def make(client: SpApi, patience: float = 30.0) -> object:
    return (await client.call("main", CREATE_FEED, body=FEED, patience=patience)).body


async def cut_before(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.close()
    return web.Response()


async def cut_within(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=202 if request.method == "POST" else 200, headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"feedId": "4')
    assert request.transport
    request.transport.close()
    return response


async def slow(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(2)
    return web.json_response(GOOD)


async def test_a_call_carries_the_token_the_time_who_calls_and_nothing_else(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.json_response(GOOD, headers={"x-amzn-RequestId": "req-7"})]
    answer = await client.call("main", GET_FEED, path={"feedId": "1"})
    assert (answer.status, answer.body, answer.amazon_request_id) == (200, GOOD, "req-7")
    assert answer.raw.startswith(b'{"feedId"')
    headers = dict(amazon.asked[0].headers)
    agent = headers.pop("User-Agent")
    assert re.fullmatch(r"msgbot/[\w.]+ \(Language=Python/3\.\d+\.\d+; Platform=\w+\)", agent)
    assert headers == {
        "Host": amazon.base.removeprefix("http://"),
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "x-amz-access-token": "Atza|access-1",
        "x-amz-date": "20261120T120000Z",
    }


async def test_a_body_is_sent_as_json(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.json_response({"feedId": "4"}, status=202)]
    await make(client)
    assert amazon.asked[0].headers["Content-Type"] == "application/json; charset=utf-8"
    assert b'{"feedType":"X"' in amazon.asked[0].body


async def test_lists_are_joined_with_commas_and_everything_else_is_quoted(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.json_response({"feeds": []})]
    token = "a+b/c=&d,e %2C#?"
    await client.call("main", GET_FEEDS, query={"feedTypes": ["A", "B"], "pageSize": 10})
    await client.call("main", GET_FEEDS, query={"nextToken": token})
    assert amazon.asked[0].query == {"feedTypes": ["A,B"], "pageSize": ["10"]}
    assert amazon.asked[1].query == {"nextToken": [token]}


async def test_an_id_never_leads_to_another_path(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [errors(404)]
    with pytest.raises(AmazonRefused):
        await client.call("main", GET_ORDER, path={"orderId": "a/../b?c#d"})
    assert amazon.asked[0].raw == "/orders/2026-01-01/orders/a%2F..%2Fb%3Fc%23d"
    for name in ("", "..", ". ."):
        with pytest.raises(InputError, match="orderId"):
            await client.call("main", GET_ORDER, path={"orderId": name})
    assert len(amazon.asked) == 1
    amazon.asked.clear()


async def test_an_account_without_settings_is_named(client: SpApi) -> None:
    with pytest.raises(ConfigError, match=r"'nobody' .*there are: main, other"):
        await client.call("nobody", GET_FEED, path={"feedId": "1"})
    assert client.accounts == ("main", "other")


async def test_gzip_is_unpacked(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response(body=gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})]
    assert await get(client) == {"a": 1}


async def test_an_answer_that_unfolds_into_too_much_is_refused(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response(body=gzip.compress(b" " * (MOST + 1)), headers={"Content-Encoding": "gzip"})]
    with pytest.raises(AmazonRefused, match="more than 16 MB"):
        await get(client)
    with pytest.raises(AmazonUnclear, match="more than 16 MB"):
        await make(client)


async def test_an_answer_that_is_too_long_is_refused(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response(body=b" " * (MOST + 1))]
    with pytest.raises(AmazonRefused, match="more than 16 MB"):
        await get(client)


@pytest.mark.parametrize("trouble", [cut_before, cut_within])
async def test_a_cut_connection_is_tried_again_for_reads(
    trouble: Callable[[web.Request], Awaitable[web.StreamResponse]], amazon: Amazon, client: SpApi
) -> None:
    amazon.says = [trouble, trouble, web.json_response(GOOD)]
    assert await get(client) == GOOD
    assert len(amazon.asked) == 3


@pytest.mark.parametrize("trouble", [cut_before, cut_within])
@pytest.mark.parametrize(
    ("operation", "path", "body"),
    [
        (CREATE_FEED, {}, FEED),
        (CREATE_REPORT, {}, {"reportType": "X", "marketplaceIds": ["A1PA6795UKMFR9"]}),
        (CREATE_DESTINATION, {}, {"name": "n", "resourceSpecification": {"sqs": {"arn": "arn:aws:sqs:x:1:q"}}}),
        (CREATE_SUBSCRIPTION, {"notificationType": "ORDER_CHANGE"}, {"payloadVersion": "1.0", "destinationId": "d"}),
    ],
    ids=lambda value: value.name if isinstance(value, Operation) else "",
)
async def test_what_makes_something_is_sent_once_and_then_unclear(
    trouble: Callable[[web.Request], Awaitable[web.StreamResponse]],
    operation: Operation,
    path: dict[str, str],
    body: object,
    amazon: Amazon,
    client: SpApi,
) -> None:
    amazon.says = [trouble]
    with pytest.raises(AmazonUnclear, match="look it up before asking again"):
        await client.call("main", operation, path=path, body=body)
    assert len(amazon.asked) == 1


async def test_a_slow_answer_is_given_up_and_unclear_for_what_makes_something(amazon: Amazon, ticks: Ticks) -> None:
    amazon.says = [slow]
    async with calling(amazon.base, ticks=ticks, seconds=0.1) as client:
        with pytest.raises(AmazonAway, match=r"no answer within 0\.1 seconds"):
            await get(client, patience=0)
        with pytest.raises(AmazonUnclear, match=r"no answer within 0\.1 seconds"):
            await make(client)
    assert len(amazon.asked) == 2


async def test_a_connection_that_never_came_about_leaves_nothing_unclear(ticks: Ticks) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with serving() as lwa, calling(base, ticks=ticks) as client:
        client._tokens._application = application(lwa.base)
        for call in (get, make):
            with pytest.raises(AmazonAway, match=r"no connection to 127\.0\.0\.1: .*refused"):
                await call(client)
    assert ticks.slept, "a connection may come about later"


async def test_429_and_then_success(amazon: Amazon, client: SpApi, ticks: Ticks) -> None:
    amazon.says = [errors(429, "QuotaExceeded"), web.json_response(GOOD)]
    assert await get(client) == GOOD
    assert ticks.slept == [0.5], "the pause is as long as the half-second that the bucket takes"
    assert len(amazon.asked) == 2


async def test_429_of_what_makes_something_is_tried_again_when_there_is_time(amazon: Amazon, client: SpApi, ticks: Ticks) -> None:
    amazon.says = [errors(429, "QuotaExceeded"), web.json_response({"feedId": "4"}, status=202)]
    assert await make(client, patience=200) == {"feedId": "4"}
    assert sum(ticks.slept) == pytest.approx(1 / 0.0083)


async def test_429_without_time_says_when_the_next_turn_is(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [errors(429, "QuotaExceeded")]
    with pytest.raises(AmazonAway, match=r"no createFeed before 2026-11-20 12:01:59 UTC"):
        await make(client)
    assert len(amazon.asked) == 1


@pytest.mark.parametrize("asked", ["7", "Fri, 20 Nov 2026 12:00:07 GMT"])
async def test_retry_after_is_heeded(asked: str, amazon: Amazon, client: SpApi, ticks: Ticks) -> None:
    amazon.says = [errors(503, **{"Retry-After": asked}), web.json_response(GOOD)]
    await get(client)
    assert ticks.slept == [7.0]


async def test_retry_after_beyond_the_patience_ends_the_call_at_once(amazon: Amazon, client: SpApi, ticks: Ticks) -> None:
    amazon.says = [errors(503, **{"Retry-After": "3600"})]
    with pytest.raises(AmazonAway, match="503"):
        await get(client)
    assert ticks.slept == []


@pytest.mark.parametrize("status", [500, 503])
async def test_trouble_at_amazon_is_tried_again_until_patience_ends(
    status: int, amazon: Amazon, client: SpApi, ticks: Ticks
) -> None:
    amazon.says = [errors(status, "InternalFailure", "We are sorry")]
    with pytest.raises(
        AmazonAway, match=f"getFeed for account main: Amazon answered {status}, InternalFailure: We are sorry"
    ) as told:
        await get(client)
    assert told.value.amazon_request_id == "req-1"
    assert ticks.slept == [0.5, 1, 2, 4, 8], "twice as long each time, and never beyond the patience"


@pytest.mark.parametrize("status", [502, 504, 501])
async def test_other_trouble_is_told_at_once(status: int, amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response(status=status, text="<html>Bad gateway</html>", content_type="text/html")]
    with pytest.raises(AmazonAway, match=f"{status}.*web page"):
        await get(client)
    assert len(amazon.asked) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 302, 303])
async def test_after_these_nobody_knows_whether_a_feed_was_made(status: int, amazon: Amazon, client: SpApi) -> None:
    amazon.says = [errors(status, "InternalFailure", Location="/elsewhere")]
    with pytest.raises(AmazonUnclear) as told:
        await make(client)
    assert (told.value.operation, told.value.status, told.value.code) == ("createFeed", status, "InternalFailure")
    assert len(amazon.asked) == 1


@pytest.mark.parametrize("status", [400, 404, 409, 413, 415, 422])
async def test_after_these_a_feed_was_certainly_not_made(status: int, amazon: Amazon, client: SpApi) -> None:
    amazon.says = [errors(status, "InvalidInput", "No such thing", "feedType X")]
    with pytest.raises(AmazonRefused, match=r"InvalidInput: No such thing \(feedType X\).*request id req-1"):
        await make(client)
    assert len(amazon.asked) == 1


@pytest.mark.parametrize(
    "body", [b"", b"  ", b'{"feedId": "4', b"\xff\xfe{", b"<html></html>", b"NaN", b"[" * 100_000, b'{"errors": [{}]}']
)
async def test_success_that_cannot_be_read_is_unclear_or_away(body: bytes, amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response(status=202, body=body, content_type="application/json")]
    with pytest.raises(AmazonUnclear, match="may have been done"):
        await make(client)
    with pytest.raises(AmazonAway, match="Amazon answered 202, but"):
        await get(client)
    assert len(amazon.asked) == 2


async def test_a_redirect_is_not_followed(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response(status=307, headers={"Location": f"{amazon.base}/elsewhere"})]
    with pytest.raises(AmazonRefused, match=r"points elsewhere.*127\.0\.0\.1"):
        await get(client)
    assert len(amazon.asked) == 1


async def test_amazons_rate_is_learned(amazon: Amazon, client: SpApi, ticks: Ticks) -> None:
    amazon.says = [web.json_response(GOOD, headers={"x-amzn-RateLimit-Limit": "0.1"})]
    for _ in range(16):
        await get(client)
    assert sum(ticks.slept) == pytest.approx(10), "the sixteenth waits for the learned rate"


async def test_accounts_have_turns_of_their_own_and_grantless_calls_share_one(amazon: Amazon, client: SpApi, ticks: Ticks) -> None:
    amazon.says = [web.json_response({"payload": []})]
    for account in ("main", "other", "main"):
        for _ in range(2):
            await client.call(account, GET_DESTINATIONS, patience=0 if len(amazon.asked) < 5 else 30)
    assert ticks.slept == [pytest.approx(1)]
    assert [each.form["grant_type"] for each in amazon.tokens] == ["client_credentials"]
    assert amazon.tokens[0].form["scope"] == "sellingpartnerapi::notifications"


async def test_the_difference_to_amazons_clock_is_known(amazon: Amazon, client: SpApi) -> None:
    assert client.skew is None
    amazon.says = [
        web.json_response(GOOD, headers={"Date": "Fri, 20 Nov 2026 12:10:00 GMT"}),
        web.json_response(GOOD, headers={"Date": "no date"}),
    ]
    await get(client)
    await get(client)
    assert client.skew == timedelta(minutes=10)


@pytest.mark.parametrize(
    "trouble",
    [
        errors(400, "InvalidInput", f"Atza|access-1 {SECRET}"),
        errors(403, "AccessDenied", "token Atza|access-1"),
        errors(500, "X", "Atza|access-1"),
        cut_before,
        cut_within,
        web.Response(body=b"<html>Atza|access-1"),
    ],
)
async def test_no_secret_is_in_an_error_a_log_or_what_is_shown(
    trouble: web.Response | Callable[[web.Request], Awaitable[web.StreamResponse]], amazon: Amazon, client: SpApi
) -> None:
    amazon.says = [trouble]
    with structlog.testing.capture_logs() as logs, pytest.raises(AmazonError) as told:
        await client.call("main", GET_ORDER, path={"orderId": ORDER}, query={"includedData": ["CANCELLATION"]}, patience=0)
    shown = [repr(logs), repr(client), repr(vars(client)), repr(told.value), str(told.value), repr(told.value.__dict__)]
    seen: BaseException | None = told.value
    while seen is not None:
        shown.append(repr(seen) + str(seen) + repr(vars(seen)))
        seen = seen.__cause__ or seen.__context__
    whole = "".join(shown)
    assert "access-1" not in whole
    assert REFRESH not in whole
    assert logs[0]["event"] == "amazon call"
    assert logs[0]["query"] == ["includedData"]
    assert ORDER not in repr(logs)


async def test_denied_after_a_new_token_says_what_to_check(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [errors(403, "Unauthorized", "Access to requested resource is denied.")]
    with pytest.raises(AmazonDenied, match=r"role for this call.*region of 127\.0\.0\.1") as told:
        await get(client)
    assert (told.value.status, told.value.code) == (403, "Unauthorized")
    assert amazon.given == 2
    assert len(amazon.asked) == 2
