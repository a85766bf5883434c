"""Amazon's stranger answers, without a server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from aioresponses import aioresponses

from msgbot.errors import AmazonAway, AmazonDenied, AmazonError, AmazonRefused
from msgbot.spapi.client import SpApi
from msgbot.spapi.operations import GET_FEED
from tests.spapi.amazon import Ticks, calling

BASE = "https://sellingpartnerapi-eu.amazon.com"
FEED = f"{BASE}/feeds/2021-06-30/feeds/1"


@pytest.fixture
async def client(answers: aioresponses, ticks: Ticks) -> AsyncIterator[SpApi]:
    answers.post(f"{BASE}/auth/o2/token", payload={"access_token": "Atza|1", "expires_in": 3600}, repeat=True)
    async with calling(BASE, ticks=ticks) as opened:
        yield opened


async def ask(client: SpApi) -> object:
    return (await client.call("main", GET_FEED, path={"feedId": "1"}, patience=3)).body


async def test_429_without_a_header_waits_for_a_turn(answers: aioresponses, client: SpApi, ticks: Ticks) -> None:
    answers.get(FEED, status=429)
    answers.get(FEED, payload={"a": 1})
    assert await ask(client) == {"a": 1}
    assert ticks.slept


@pytest.mark.parametrize(
    ("body", "content_type", "read"),
    [
        ('{"a": "ü"}'.encode(), "application/json; charset=iso-8859-1", {"a": "ü"}),
        ('{"a": "ü"}'.encode(), "application/json; charset=no-such-charset", {"a": "ü"}),
        ('{"a": "ü"}'.encode("latin-1"), "application/json; charset=ISO-8859-1", {"a": "ü"}),
        (b'\xef\xbb\xbf{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": 1}', "text/html", {"a": 1}),
    ],
    ids=["wrong charset", "unknown charset", "another charset", "byte order mark", "wrong type"],
)
async def test_json_is_read_whatever_the_header_says(
    body: bytes, content_type: str, read: object, answers: aioresponses, client: SpApi
) -> None:
    answers.get(FEED, body=body, headers={"Content-Type": content_type}, content_type=content_type)
    assert await ask(client) == read


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><h1>Hello", "web page"),
        (b'{"a": [1, 2', "cut off"),
        ('{"a": "ü"}'.encode("latin-1"), "letters cannot be read (charset not given)"),
        (b"1" * 10_000, "no JSON"),
    ],
)
async def test_what_is_no_json_is_told_in_words(body: bytes, says: str, answers: aioresponses, client: SpApi) -> None:
    answers.get(FEED, body=body, headers={"x-amz-request-id": "r9"})
    with pytest.raises(AmazonAway, match=re.escape(says)) as told:
        await ask(client)
    assert told.value.amazon_request_id == "r9"
    assert "Traceback" not in str(told.value)


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (403, b"<html>Forbidden</html>", AmazonDenied, "web page.*role for this call"),
        (403, b"", AmazonDenied, "the answer is empty"),
        (
            403,
            b'{"errors": [{"code": "AccessDenied", "message": "Seller is not of this region"}]}',
            AmazonDenied,
            "not of this region",
        ),
        (403, b'{"message": "Missing Authentication Token"}', AmazonDenied, "Missing Authentication Token"),
        (404, b'{"errors": [{"code": "NotFound", "message": "no order"}]}', AmazonRefused, "NotFound: no order.*check the id"),
        (400, b'{"errors": []}', AmazonRefused, "Amazon answered 400; asked the same way"),
        (400, b'{"errors": [7]}', AmazonRefused, "Amazon answered 400;"),
        (400, b'{"errors": [{"code": 7, "message": null}]}', AmazonRefused, "Amazon answered 400;"),
        (400, b'[{"code": "A", "message": "B", "details": "B"}]', AmazonRefused, "400, A: B;"),
        (418, b"short and stout", AmazonRefused, "no JSON"),
    ],
)
async def test_a_refusal_is_told_in_words(
    status: int, body: bytes, kind: type[AmazonError], says: str, answers: aioresponses, client: SpApi
) -> None:
    answers.get(FEED, status=status, body=body, repeat=True)
    with pytest.raises(kind, match=says) as told:
        await ask(client)
    assert (told.value.status, told.value.operation) == (status, "getFeed")


async def test_long_words_are_cut_and_put_on_one_line(answers: aioresponses, client: SpApi) -> None:
    answers.get(FEED, status=400, payload={"errors": [{"code": "A\r\nB", "message": "word\n" * 1000}]})
    with pytest.raises(AmazonRefused) as told:
        await ask(client)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 1000
