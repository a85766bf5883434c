"""The consumer against a server that speaks the protocol of SQS, and against one that gives all kinds of wrong answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from msgbot.errors import AmazonAway, AmazonDenied, AmazonError, AmazonRefused, ConfigError
from msgbot.spapi.queue import Queue, open_queue, region_of
from tests.queues import REGION, SqsQueue, give_credentials

ROOT = Path(__file__).parent.parent.parent
AWS = "https://sqs.eu-west-1.amazonaws.com/123456789012/notices"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def queue(sqs: SqsQueue) -> AsyncIterator[Queue]:
    """The queue as msgbot sees it."""
    async with open_queue(sqs.url, sqs.region, sqs.endpoint) as opened:
        yield opened


async def test_a_message_is_received_with_what_the_queue_knows_of_it(sqs: SqsQueue, queue: Queue) -> None:
    sqs.send('{"größe": 1}')
    [notice] = await queue.receive()
    assert notice.body == '{"größe": 1}'.encode()
    assert notice.id
    assert notice.sent_at is not None
    assert abs(notice.sent_at - datetime.now(UTC)).total_seconds() < 3600
    assert notice.received_count == 1


async def test_nothing_is_received_from_an_empty_queue(queue: Queue) -> None:
    assert await queue.receive(0) == []


async def test_up_to_ten_come_together_and_none_of_them_twice(sqs: SqsQueue, queue: Queue) -> None:
    sqs.send(*(str(number) for number in range(12)))
    first, second = await queue.receive(), await queue.receive()
    assert (len(first), len(second)) == (10, 2)
    assert {notice.body for notice in first + second} == {str(number).encode() for number in range(12)}


async def test_what_is_deleted_does_not_come_again_and_the_rest_does(sqs: SqsQueue, queue: Queue) -> None:
    sqs.send(*(str(number) for number in range(12)))
    notices = [*await queue.receive(), *await queue.receive()]
    kept = notices.pop()
    assert await queue.delete(notices) == []
    assert await queue.extend([kept], 0) == []
    [again] = await queue.receive()
    assert (again.id, again.body, again.received_count) == (kept.id, kept.body, 2)
    assert await queue.delete([again]) == []
    assert sqs.left() == (0, 0)


async def test_a_batch_that_fails_in_part_tells_which_and_why(sqs: SqsQueue, queue: Queue) -> None:
    sqs.send("a", "b")
    good, bad = await queue.receive()
    bad = replace(bad, receipt="no such receipt")
    [left] = await queue.delete([good, bad])
    assert left.notice == bad
    assert left.reason.startswith("ReceiptHandleIsInvalid")
    assert sqs.left() == (0, 1)
    [left] = await queue.extend([bad], 5)
    assert left.notice == bad


async def test_asking_how_many_wait_takes_none_of_them(sqs: SqsQueue, queue: Queue) -> None:
    sqs.send(*(str(number) for number in range(12)))
    for _ in range(3):
        assert await queue.waiting() == 12
    received = [*await queue.receive(), *await queue.receive()]
    assert {notice.received_count for notice in received} == {1}
    assert await queue.waiting() == 0


async def test_what_is_shown_of_a_notice_holds_neither_body_nor_receipt(sqs: SqsQueue, queue: Queue) -> None:
    sqs.send("SW1A 1AA")
    [notice] = await queue.receive()
    assert "SW1A" not in repr(notice)
    assert notice.receipt not in repr(notice)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        (AWS, "eu-west-1"),
        ("https://sqs.us-gov-west-1.amazonaws.com/1/q", "us-gov-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1"),
        ("https://sqs-fips.us-east-2.amazonaws.com/1/q", "us-east-2"),
        ("https://sqs.us-west-2.api.aws/1/q", "us-west-2"),
        ("https://vpce-0ab-cd.sqs.eu-central-1.vpce.amazonaws.com/1/q", "eu-central-1"),
        ("https://ap-northeast-1.queue.amazonaws.com/1/q", "ap-northeast-1"),
        ("https://queue.amazonaws.com/1/q", ""),
        ("http://localhost:4566/1/sqs.eu-west-1.q", ""),
    ],
)
def test_the_region_is_read_from_the_address(url: str, region: str) -> None:
    assert region_of(url) == region


@pytest.mark.parametrize(
    ("url", "region", "endpoint", "text"),
    [
        ("", "", "", "'queue_url' is no address"),
        ("arn:aws:sqs:eu-west-1:1:q", "", "", "'queue_url' is no address"),
        ("http://localhost:1/1/q", "", "", "does not tell its AWS region"),
        (AWS, "Ireland", "", "'queue_region' is no AWS region: 'Ireland'"),
        (AWS, "", "localhost:4566", "'queue_endpoint' is no address"),
    ],
)
async def test_wrong_settings_are_named(url: str, region: str, endpoint: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        async with open_queue(url, region, endpoint):
            pass


async def test_without_credentials_it_is_denied_and_works_when_they_come(sqs: SqsQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    sqs.send("a")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    async with open_queue(sqs.url, sqs.region, sqs.endpoint) as queue:
        for call in (partial(queue.receive, 0), queue.waiting):
            with pytest.raises(AmazonDenied, match="there are no AWS credentials: set AWS_ACCESS_KEY_ID"):
                await call()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        assert len(await queue.receive(0)) == 1


async def test_a_profile_that_is_not_there_is_denied(sqs: SqsQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    async with open_queue(sqs.url, sqs.region, sqs.endpoint) as queue:
        with pytest.raises(AmazonDenied, match="nobody"):
            await queue.receive(0)


async def test_a_queue_that_is_not_there_is_denied(sqs: SqsQueue) -> None:
    async with open_queue(f"{sqs.url}-not", sqs.region, sqs.endpoint) as queue:
        for call in (partial(queue.receive, 0), queue.waiting):
            with pytest.raises(AmazonDenied, match="there is no such queue: check the settings"):
                await call()


async def test_a_queue_that_cannot_be_reached_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    give_credentials(monkeypatch)
    async with open_queue(AWS, "", f"http://127.0.0.1:{unused_port()}") as queue:
        with pytest.raises(AmazonAway, match="cannot be used now"):
            await queue.receive(0)


def error(status: int, code: str, text: str = "so it is") -> Answer:
    """An answer as SQS gives it when something is wrong."""

    async def answer(request: web.Request) -> web.Response:
        body = json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": text})
        headers = {"x-amzn-RequestId": "r-1"}
        return web.Response(status=status, text=body, content_type="application/x-amz-json-1.0", headers=headers)

    return answer


async def gibberish(request: web.Request) -> web.Response:
    return web.Response(text="<html>Sign in to the hotel's network</html>", content_type="text/html")


async def hang_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "InvalidClientTokenId"), AmazonDenied),
        (error(400, "ExpiredTokenException"), AmazonDenied),
        (error(403, "AccessDenied"), AmazonDenied),
        (error(403, "SomethingNew"), AmazonDenied),
        (error(400, "QueueDoesNotExist"), AmazonDenied),
        (error(403, "OverLimit"), AmazonAway),
        (error(400, "ThrottlingException"), AmazonAway),
        (error(429, "TooMany"), AmazonAway),
        (error(500, "InternalFailure"), AmazonAway),
        (error(503, "ServiceUnavailable"), AmazonAway),
        (error(400, "InvalidParameterValue"), AmazonRefused),
        (gibberish, AmazonAway),
        (hang_up, AmazonAway),
    ],
)
async def test_wrong_answers_become_errors_of_ours(
    answer: Answer, kind: type[AmazonError], monkeypatch: pytest.MonkeyPatch
) -> None:
    give_credentials(monkeypatch)
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    async with TestServer(app) as server, open_queue(AWS, REGION, str(server.make_url("/"))) as queue:
        for operation, call in (("ReceiveMessage", partial(queue.receive, 0)), ("GetQueueAttributes", queue.waiting)):
            with pytest.raises(AmazonError) as raised:
                await call()
            assert type(raised.value) is kind
            assert raised.value.operation == operation
            assert AWS in str(raised.value)


async def test_an_error_names_amazons_request_and_not_what_was_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    give_credentials(monkeypatch)
    app = web.Application()
    text = "The signature does not match.\nThe canonical string should have been x-amz-security-token:secret-token"
    app.router.add_route("*", "/{any:.*}", error(403, "SignatureDoesNotMatch", text))
    async with TestServer(app) as server, open_queue(AWS, REGION, str(server.make_url("/"))) as queue:
        with pytest.raises(AmazonDenied, match="SignatureDoesNotMatch: The signature does not match") as raised:
            await queue.delete(await queue.receive(0))
    assert (raised.value.status, raised.value.code, raised.value.amazon_request_id) == (403, "SignatureDoesNotMatch", "r-1")
    assert "secret-token" not in str(raised.value)
    assert "made-up-secret" not in str(raised.value)


def test_the_library_is_loaded_only_when_a_queue_is_used() -> None:
    script = "import sys, msgbot.notices; sys.exit(any(name.startswith(('aiobotocore', 'botocore')) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0
