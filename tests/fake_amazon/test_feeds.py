"""Feeds: they take their time, really cancel, say per message what went wrong, and are counted."""

from __future__ import annotations

import gzip
from datetime import timedelta
from decimal import Decimal

import pytest

from msgbot.fake_amazon import ADJUSTMENT, FakeAmazon, FakeItem, Refund, Trouble
from tests.amazon_models import models_folder
from tests.fake_amazon.conftest import START, Caller, Watch
from tests.fake_amazon.feeds import (
    DOCUMENTS,
    FEEDS,
    US,
    XML,
    acknowledgements,
    cancellation,
    envelope,
    follow,
    outcome,
    refund,
    submit,
    upload,
)

ONE, TWO = "114-1111111-1111111", "114-2222222-2222222"


async def test_a_cancellation_goes_the_whole_way(call: Caller, fake: FakeAmazon, watch: Watch) -> None:
    fake.add_order(ONE, FakeItem("1"), FakeItem("2"))
    watch.wait(minutes=1)
    feed = await submit(call, acknowledgements(cancellation(ONE, "1", "2")))
    assert feed.status == 202
    assert fake.cancellations == {ONE: 1}
    assert fake.orders[ONE].status == "UNSHIPPED"
    watch.wait(minutes=1)
    seen = await follow(call, feed.value["feedId"])
    assert [each["processingStatus"] for each in seen] == ["IN_PROGRESS", "DONE"]
    order = (await call("GET", f"/orders/2026-01-01/orders/{ONE}", includedData="CANCELLATION,FULFILLMENT")).value["order"]
    assert order["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    assert order["lastUpdatedTime"] == "2026-11-20T12:02:00.000Z"
    assert [item["cancellation"]["cancellationExecution"] for item in order["orderItems"]] == [
        {"cancelledBy": "MERCHANT", "cancelReason": "BuyerCanceled"}
    ] * 2


async def test_amazon_s_own_sample_is_understood(nobody: Caller, fake: FakeAmazon) -> None:
    item = FakeItem("05015851154158")
    fake.add_order("902-1845936-5435065", item)
    await nobody.get_token()
    samples = models_folder() / "examples"
    assert await outcome(nobody, (samples / "order_acknowledgement_cancel.xml").read_bytes()) == []
    assert item.cancelled
    item.cancelled, item.shipped = None, 1
    assert await outcome(nobody, (samples / "order_adjustment_partial_cancel.xml").read_bytes(), ADJUSTMENT) == []
    amounts = {"Principal": Decimal("10.00"), "Tax": Decimal("1.01")}
    assert fake.refunds == [Refund("902-1845936-5435065", item.id, "CustomerCancel", 1, amounts, "USD")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (cancellation(TWO, "1"), ""),
        # No item named: the whole order.
        (cancellation(TWO), ""),
        (cancellation(TWO, "1", status="Success"), ""),
        (cancellation("114-9999999-9999999", "1"), "not found"),
        (cancellation(TWO, "9"), "no item"),
        (cancellation(TWO, "1", reason="BuyerCancelled"), "CancelReason"),
        (cancellation(TWO, "1", status="Cancelled"), "StatusCode"),
    ],
)
async def test_the_report_says_what_was_wrong_with_one_message_and_does_the_others(
    call: Caller, fake: FakeAmazon, body: str, words: str
) -> None:
    fake.add_order(ONE, FakeItem("7"))
    fake.add_order(TWO, FakeItem("1"))
    told = await outcome(call, acknowledgements(body, cancellation(ONE, "7")))
    assert [number for number, _ in told] == (["1"] if words else [])
    assert not words or words in told[0][1]
    assert fake.orders[ONE].status == "CANCELLED"
    assert (fake.orders[TWO].status == "CANCELLED") == (not words and "Failure" in body)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("shipped", "already shipped"),
        ("part", "already shipped"),
        ("cancelled", "already cancelled"),
        ("amazon", "fulfilled by Amazon"),
        ("theirs", "not found"),
        ("pending", ""),
    ],
)
async def test_only_the_seller_s_own_unshipped_orders_are_cancelled(call: Caller, fake: FakeAmazon, state: str, words: str) -> None:
    fake.add_order(
        ONE,
        FakeItem("1", quantity=2),
        pending=state == "pending",
        fulfilled_by="AMAZON" if state == "amazon" else "MERCHANT",
        seller=fake.add_seller("A2OTHER") if state == "theirs" else None,
    )
    if state in {"shipped", "part"}:
        fake.ship(ONE, quantity=1 if state == "part" else None)
    if state == "cancelled":
        fake.cancel_by_buyer(ONE)
    before = fake.orders[ONE].status
    told = await outcome(call, acknowledgements(cancellation(ONE, "1")))
    assert [words in text for _, text in told] == ([True] if words else [])
    assert fake.orders[ONE].status == (before if words else "CANCELLED")


async def test_a_part_of_an_order_is_only_cancelled_where_that_is_switched_on(call: Caller, fake: FakeAmazon) -> None:
    fake.add_order(ONE, FakeItem("1"), FakeItem("2"))
    assert "in part" in (await outcome(call, acknowledgements(cancellation(ONE, "2"))))[0][1]
    fake.partial_cancellation = True
    assert await outcome(call, acknowledgements(cancellation(ONE, "2"))) == []
    assert [bool(item.cancelled) for item in fake.orders[ONE].items] == [False, True]


async def test_a_cancellation_that_was_submitted_twice_is_counted_twice(call: Caller, fake: FakeAmazon) -> None:
    fake.add_order(ONE, FakeItem("1"))
    data = acknowledgements(cancellation(ONE, "1"))
    await submit(call, data)
    await submit(call, data)
    assert fake.cancellations[ONE] == 2
    assert fake.cancellations[TWO] == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        acknowledgements(cancellation(ONE, "1"))[:-5],
        acknowledgements(cancellation(ONE, "1"), seller="A2OTHER"),
        envelope("OrderAdjustment", refund(ONE, "1", "1.00")),
        acknowledgements(),
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + acknowledgements(cancellation(ONE, "1")).partition(b"?>")[2],
    ],
)
async def test_a_feed_that_cannot_be_read_is_fatal_and_does_nothing(call: Caller, fake: FakeAmazon, data: bytes) -> None:
    fake.add_order(ONE, FakeItem("1"))
    feed = await submit(call, data)
    end = (await follow(call, feed.value["feedId"]))[-1]
    assert end["processingStatus"] == "FATAL"
    assert "resultFeedDocumentId" not in end
    assert fake.orders[ONE].status == "UNSHIPPED"
    assert not fake.cancellations


@pytest.mark.parametrize(
    ("shipped", "body", "words"),
    [
        (1, refund(ONE, "1", "10.00"), ""),
        (0, refund(ONE, "1", "10.00"), "not shipped"),
        (1, refund(ONE, "9", "10.00"), "no item"),
        (1, refund(ONE, "1", "20.01"), "more than what was paid"),
        (1, refund(ONE, "1", "10.00", currency="EUR"), "currency"),
        (1, refund(ONE, "1", "ten"), "no number"),
        (1, refund(ONE, "1", "10.00", reason="BuyerCanceled"), "AdjustmentReason"),
        (1, refund(ONE, "1", "10.00", cancelled=3), "QuantityCancelled"),
        (1, refund(TWO, "1", "10.00"), "not found"),
    ],
)
async def test_an_adjustment_is_recorded_or_refused(call: Caller, fake: FakeAmazon, shipped: int, body: str, words: str) -> None:
    fake.add_order(ONE, FakeItem("1", quantity=2, shipped=shipped))
    told = await outcome(call, envelope("OrderAdjustment", body), ADJUSTMENT)
    assert [words in text for _, text in told] == ([True] if words else [])
    assert fake.refunded(ONE, "1") == (Decimal(0) if words else Decimal("10.00"))


async def test_a_feed_can_take_a_number_of_seconds(call: Caller, fake: FakeAmazon, watch: Watch) -> None:
    fake.add_order(ONE, FakeItem("1"))
    fake.feeds.pace.seconds = 60
    feed_id = (await submit(call, acknowledgements(cancellation(ONE, "1")))).value["feedId"]
    watch.wait(seconds=59)
    assert (await call("GET", f"{FEEDS}/{feed_id}")).value["processingStatus"] == "IN_PROGRESS"
    watch.wait(seconds=1)
    # Any call shows that time has passed, not only one for the feed.
    order = (await call("GET", f"/orders/v0/orders/{ONE}")).value["payload"]
    assert order["OrderStatus"] == "Canceled"


async def test_feeds_can_be_finished_at_once(call: Caller, fake: FakeAmazon) -> None:
    fake.add_order(ONE, FakeItem("1"))
    await submit(call, acknowledgements(cancellation(ONE, "1")))
    fake.feeds.finish()
    assert fake.orders[ONE].status == "CANCELLED"


@pytest.mark.parametrize("fate", [Trouble.FATAL, Trouble.CANCELLED])
async def test_a_feed_can_be_made_to_end_badly(call: Caller, fake: FakeAmazon, fate: Trouble) -> None:
    fake.add_order(ONE, FakeItem("1"))
    fake.trouble("createFeed", fate)
    feed_id = (await submit(call, acknowledgements(cancellation(ONE, "1")))).value["feedId"]
    assert (await follow(call, feed_id))[-1]["processingStatus"] == fate.name
    assert fake.orders[ONE].status == "UNSHIPPED"


async def test_a_feed_can_be_cancelled_while_it_is_in_the_queue(call: Caller, fake: FakeAmazon) -> None:
    fake.add_order(ONE, FakeItem("1"))
    data = acknowledgements(cancellation(ONE, "1"))
    waiting, begun = [(await submit(call, data)).value["feedId"] for _ in range(2)]
    await call("GET", f"{FEEDS}/{begun}")
    assert (await call("DELETE", f"{FEEDS}/{waiting}")).status == 200
    assert (await call("DELETE", f"{FEEDS}/{begun}")).status == 400
    assert (await call("GET", f"{FEEDS}/{waiting}")).value["processingStatus"] == "CANCELLED"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 202),
        ({"feedType": "POST_SOMETHING"}, 400),
        ({"marketplaceIds": []}, 400),
        ({"marketplaceIds": US}, 400),
        ({"marketplaceIds": ["A1PA6795UKMFR9"]}, 403),
        ({"inputFeedDocumentId": "unknown"}, 404),
        ({"inputFeedDocumentId": None}, 400),
    ],
)
async def test_a_feed_is_made_of_what_amazon_wants(call: Caller, fake: FakeAmazon, change: dict[str, object], status: int) -> None:
    body = {"feedType": "POST_ORDER_ACKNOWLEDGEMENT_DATA", "marketplaceIds": [US], "inputFeedDocumentId": await upload(call, b"")}
    assert (await call("POST", FEEDS, {**body, **change})).status == status


async def test_feeds_are_found_by_type_and_time_and_page_by_page(call: Caller, fake: FakeAmazon, watch: Watch) -> None:
    made = []
    for _ in range(3):
        made.append((await submit(call, acknowledgements(cancellation(ONE)))).value["feedId"])
        watch.wait(minutes=10)
    query = {"feedTypes": "POST_ORDER_ACKNOWLEDGEMENT_DATA"}
    first = (await call("GET", FEEDS, **query, pageSize="2")).value
    last = (await call("GET", FEEDS, nextToken=first["nextToken"])).value
    assert [feed["feedId"] for feed in first["feeds"] + last["feeds"]] == made[::-1]
    since = (START + timedelta(minutes=10)).isoformat().replace("+00:00", "Z")
    found = (await call("GET", FEEDS, **query, createdSince=since, processingStatuses="IN_QUEUE,IN_PROGRESS")).value["feeds"]
    assert [feed["feedId"] for feed in found] == made[:0:-1]
    assert (await call("GET", FEEDS, feedTypes="POST_PAYMENT_ADJUSTMENT_DATA")).value == {"feeds": []}
    for wrong in ({}, {**query, "nextToken": first["nextToken"]}, {**query, "processingStatuses": "READY"}):
        assert (await call("GET", FEEDS, **wrong)).status == 400


async def test_feeds_of_others_are_not_found(call: Caller, fake: FakeAmazon) -> None:
    feed_id = (await submit(call, acknowledgements(cancellation(ONE)))).value["feedId"]
    await call.get_token(fake.add_seller("A2OTHER"))
    assert (await call("GET", f"{FEEDS}/{feed_id}")).status == 404
    assert (await call("GET", FEEDS, feedTypes="POST_ORDER_ACKNOWLEDGEMENT_DATA")).value == {"feeds": []}


@pytest.mark.parametrize(
    ("headers", "wait", "status"),
    [
        ({"Content-Type": XML}, 299, 200),
        ({"Content-Type": XML}, 300, 403),
        ({"Content-Type": "text/xml"}, 0, 403),
        ({"Content-Type": XML, "x-amz-access-token": "Atza|x"}, 0, 400),
        ({"Content-Type": XML, "x-amz-date": "20261120T120000Z"}, 0, 400),
    ],
)
async def test_an_upload_address_lives_five_minutes_and_wants_its_type_and_no_headers_of_the_api(
    call: Caller, watch: Watch, headers: dict[str, str], wait: float, status: int
) -> None:
    url = (await call("POST", DOCUMENTS, {"contentType": XML})).value["url"]
    watch.wait(seconds=wait)
    async with call.session.put(url, data=b"<a/>", headers=headers) as answer:
        assert answer.status == status


async def test_a_report_is_zipped_unless_told_otherwise_and_its_address_dies_too(
    call: Caller, fake: FakeAmazon, watch: Watch
) -> None:
    for zipped in (True, False):
        fake.feeds.zipped = zipped
        feed_id = (await submit(call, acknowledgements(cancellation(ONE)))).value["feedId"]
        document_id = (await follow(call, feed_id))[-1]["resultFeedDocumentId"]
        told = (await call("GET", f"{DOCUMENTS}/{document_id}")).value
        assert told.get("compressionAlgorithm") == ("GZIP" if zipped else None)
        _, data, _ = await call.bytes_at(told["url"])
        assert (gzip.decompress(data) if zipped else data).startswith(b"<?xml")
        watch.wait(minutes=5)
        assert (await call.bytes_at(told["url"]))[0] == 403
