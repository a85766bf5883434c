"""Documents on the wire: what the store is sent, and what comes back."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aioresponses import aioresponses

from msgbot.errors import AmazonAway, AmazonError, AmazonRefused, InputError
from msgbot.spapi import documents
from msgbot.spapi.client import SpApi
from msgbot.spapi.feeds import Feeds
from msgbot.spapi.reports import Reports
from tests.spapi.amazon import Amazon, Ticks, calling

XML = "text/xml; charset=UTF-8"
SIGNED = "/store/doc?X-Amz-Signature=s%2Fg+n&X-Amz-Expires=300"
ENTITY = b"order-id\torder-item-id\r\n"


def document(amazon: Amazon, **facts: str) -> web.Response:
    return web.json_response({"reportDocumentId": "d", "url": amazon.base + SIGNED, **facts})


async def test_an_upload_has_its_content_type_and_nothing_of_the_api(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response()]
    await Feeds(client).upload(amazon.base + SIGNED, b"<xml/>", XML)
    put = amazon.asked[0]
    assert (put.method, put.raw, put.body) == ("PUT", SIGNED, b"<xml/>")
    assert {name: value for name, value in put.headers.items() if name not in {"Host", "User-Agent"}} == {
        "Accept": "*/*",
        "Accept-Encoding": "gzip",
        "Content-Type": XML,
        "Content-Length": "6",
    }
    assert amazon.tokens == []


async def test_an_expired_address_is_told_to_the_caller_of_an_upload(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")]
    with pytest.raises(AmazonAway, match="address has expired") as told:
        await Feeds(client).upload(amazon.base + SIGNED, b"<xml/>", XML)
    assert "Signature" not in str(told.value)
    assert len(amazon.asked) == 1


async def test_an_upload_is_tried_again_while_the_store_is_in_trouble(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response(status=503), web.Response()]
    await Feeds(client).upload(amazon.base + SIGNED, b"<xml/>", XML)
    assert [each.body for each in amazon.asked] == [b"<xml/>"] * 2


@pytest.mark.parametrize(
    ("status", "kind"), [(400, AmazonRefused), (404, AmazonRefused), (301, AmazonRefused), (501, AmazonAway), (500, AmazonAway)]
)
async def test_the_stores_refusals_are_errors(status: int, kind: type[AmazonError], amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.Response(status=status)]
    with pytest.raises(kind, match=f"the store answered {status}"):
        await Feeds(client).upload(amazon.base + SIGNED, b"<xml/>", XML)


@pytest.mark.parametrize("packed", [False, True])
async def test_a_download_is_unpacked_and_tells_its_charset(packed: bool, amazon: Amazon, client: SpApi) -> None:
    facts = {"compressionAlgorithm": "GZIP"} if packed else {}
    stored = gzip.compress(ENTITY) if packed else ENTITY
    amazon.says = [document(amazon, **facts), web.Response(body=stored, headers={"Content-Type": 'text/plain; charset="Cp1252"'})]
    found = await Reports(client).download("main", "d")
    assert (found.data, found.charset) == (ENTITY, "Cp1252")
    assert amazon.asked[1].raw == SIGNED
    assert not [name for name in amazon.asked[1].headers if name.lower().startswith("x-amz")]


async def test_a_store_that_packs_on_the_way_is_not_unpacked_twice(amazon: Amazon, client: SpApi) -> None:
    stored = web.Response(body=gzip.compress(ENTITY), headers={"Content-Encoding": "gzip"})
    amazon.says = [document(amazon, compressionAlgorithm="GZIP"), stored]
    found = await Reports(client).download("main", "d")
    assert (found.data, found.charset) == (ENTITY, None)


async def test_several_packed_parts_are_one_document(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [
        document(amazon, compressionAlgorithm="GZIP"),
        web.Response(body=gzip.compress(b"one,") + gzip.compress(b"two") + b"\0\0"),
    ]
    assert (await Reports(client).download("main", "d")).data == b"one,two"


@pytest.mark.parametrize("body", [gzip.compress(ENTITY * 100)[:-9], b"no gzip at all"])
async def test_a_damaged_document_is_told(body: bytes, amazon: Amazon, client: SpApi) -> None:
    amazon.says = [document(amazon, compressionAlgorithm="GZIP"), web.Response(body=body)]
    with pytest.raises(AmazonAway, match="damaged or was cut off"):
        await Reports(client).download("main", "d")


async def test_a_document_that_unfolds_into_too_much_is_refused(
    amazon: Amazon, client: SpApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST", 1024 * 1024)
    bomb = gzip.compress(b"\0" * (1024 * 1024 + 1))
    amazon.says = [document(amazon, compressionAlgorithm="GZIP"), web.Response(body=bomb)]
    with pytest.raises(AmazonRefused, match="more than 1 MB"):
        await Reports(client).download("main", "d")


async def test_an_unknown_packing_is_told(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [document(amazon, compressionAlgorithm="ZSTD")]
    with pytest.raises(InputError, match="'ZSTD', which msgbot cannot unpack"):
        await Reports(client).download("main", "d")


async def test_an_expired_address_is_asked_for_anew_once(amazon: Amazon, client: SpApi) -> None:
    expired = web.Response(status=403)
    amazon.says = [document(amazon), expired, document(amazon), web.Response(body=ENTITY)]
    assert (await Reports(client).download("main", "d")).data == ENTITY
    amazon.asked.clear()
    amazon.says = [document(amazon), expired, document(amazon), expired]
    with pytest.raises(AmazonAway, match="address has expired"):
        await Reports(client).download("main", "d")
    assert len(amazon.asked) == 4


@pytest.fixture
async def real(answers: aioresponses, ticks: Ticks) -> AsyncIterator[SpApi]:
    """A client of the real API, which is spoken with over https."""
    async with calling("https://sellingpartnerapi-eu.amazon.com", ticks=ticks) as opened:
        yield opened


@pytest.mark.parametrize("url", ["http://store.example/d", "file:///etc/passwd", "ftp://x/y", "//x/y", "", "https://[", "x"])
async def test_only_https_addresses_are_followed(url: str, real: SpApi) -> None:
    with pytest.raises(AmazonRefused, match="no https address"):
        await Feeds(real).upload(url, b"", XML)


async def test_an_address_is_called_as_it_is_signed(real: SpApi, answers: aioresponses) -> None:
    answers.put("https://store.example/a%2Fb?X=1%2B2", status=200)
    await Feeds(real).upload("https://store.example/a%2Fb?X=1%2B2", b"", XML)
