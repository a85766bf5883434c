"""Feeds as a caller makes them: the XML, and the way from a document to the report."""

from __future__ import annotations

import gzip
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from msgbot.fake_amazon import ACKNOWLEDGEMENT
from msgbot.fake_amazon.world import FIRST_SELLER
from tests.fake_amazon.conftest import Caller, Told

FEEDS = "/feeds/2021-06-30/feeds"
DOCUMENTS = "/feeds/2021-06-30/documents"
XML = "text/xml; charset=UTF-8"
US = "ATVPDKIKX0DER"


def cancellation(order_id: str, *item_ids: str, reason: str = "BuyerCanceled", status: str = "Failure") -> str:
    """An acknowledgement of one order."""
    items = "".join(
        f"<Item><AmazonOrderItemCode>{each}</AmazonOrderItemCode><CancelReason>{reason}</CancelReason></Item>" for each in item_ids
    )
    return f"<AmazonOrderID>{order_id}</AmazonOrderID><StatusCode>{status}</StatusCode>{items}"


def refund(
    order_id: str, item_id: str, principal: str, *, reason: str = "CustomerCancel", currency: str = "USD", cancelled: int = 1
) -> str:
    """An adjustment of one item."""
    return (
        f"<AmazonOrderID>{order_id}</AmazonOrderID><ActionType>Refund</ActionType><AdjustedItem>"
        f"<AmazonOrderItemCode>{item_id}</AmazonOrderItemCode><AdjustmentReason>{reason}</AdjustmentReason><ItemPriceAdjustments>"
        f'<Component><Type>Principal</Type><Amount currency="{currency}">{principal}</Amount></Component></ItemPriceAdjustments>'
        f"<QuantityCancelled>{cancelled}</QuantityCancelled></AdjustedItem>"
    )


def envelope(kind: str, *bodies: str, seller: str = FIRST_SELLER) -> bytes:
    """A feed of `kind` (`OrderAcknowledgement`) with a message for each body."""
    messages = "".join(
        f"<Message><MessageID>{number}</MessageID><{kind}>{body}</{kind}></Message>" for number, body in enumerate(bodies, 1)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><AmazonEnvelope><Header><DocumentVersion>1.01</DocumentVersion><MerchantIdentifier>'
        f"{seller}</MerchantIdentifier></Header><MessageType>{kind}</MessageType>{messages}</AmazonEnvelope>"
    ).encode()


def acknowledgements(*bodies: str, seller: str = FIRST_SELLER) -> bytes:
    """An acknowledgement feed."""
    return envelope("OrderAcknowledgement", *bodies, seller=seller)


async def upload(call: Caller, data: bytes) -> str:
    """Puts `data` into a new document and gives its id."""
    made = (await call("POST", DOCUMENTS, {"contentType": XML})).value
    async with call.session.put(made["url"], data=data, headers={"Content-Type": XML}) as answer:
        assert answer.status == 200
    document_id: str = made["feedDocumentId"]
    return document_id


async def submit(call: Caller, data: bytes, feed_type: str = ACKNOWLEDGEMENT) -> Told:
    """Uploads `data` and makes a feed of it."""
    document_id = await upload(call, data)
    return await call("POST", FEEDS, {"feedType": feed_type, "marketplaceIds": [US], "inputFeedDocumentId": document_id})


async def follow(call: Caller, feed_id: str) -> list[dict[str, Any]]:
    """The feed as it was told each time, until its end."""
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["processingStatus"] in {"IN_QUEUE", "IN_PROGRESS"}:
        seen.append((await call("GET", f"{FEEDS}/{feed_id}")).value)
        assert len(seen) < 20, seen
    return seen


async def report(call: Caller, document_id: str) -> Element:
    """The processing report."""
    told = (await call("GET", f"{DOCUMENTS}/{document_id}")).value
    status, data, _ = await call.bytes_at(told["url"])
    assert status == 200
    found = fromstring(gzip.decompress(data) if "compressionAlgorithm" in told else data).find("Message/ProcessingReport")
    assert found is not None
    return found


async def outcome(call: Caller, data: bytes, feed_type: str = ACKNOWLEDGEMENT) -> list[tuple[str, str]]:
    """What the report says of each message that was not done: its id and Amazon's words."""
    feed = await submit(call, data, feed_type)
    end = (await follow(call, feed.value["feedId"]))[-1]
    assert end["processingStatus"] == "DONE", end
    found = await report(call, end["resultFeedDocumentId"])
    assert int(found.findtext("ProcessingSummary/MessagesWithError") or "") == len(found.findall("Result"))
    return [(each.findtext("MessageID") or "", each.findtext("ResultDescription") or "") for each in found.findall("Result")]
