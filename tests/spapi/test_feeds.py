"""Feeds and reports: made, looked up and followed."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from msgbot.errors import AmazonAway, AmazonUnclear, InputError
from msgbot.spapi.client import SpApi
from msgbot.spapi.feeds import Feeds, FeedState
from msgbot.spapi.reports import Reports, ReportState
from tests.spapi.amazon import NOW, Amazon

FEED = {"feedId": "f1", "feedType": "T", "createdTime": "2026-11-20T12:00:00+00:00", "processingStatus": "IN_QUEUE"}
REPORT = {"reportId": "r1", "reportType": "T", "createdTime": "2026-11-20T12:00:00+00:00", "processingStatus": "NEW_ONE"}
EARLIER = "2026-11-20T10:00:00Z"


async def test_a_feed_is_made_uploaded_and_followed(amazon: Amazon, client: SpApi) -> None:
    feeds = Feeds(client)
    done = FEED | {"processingStatus": "DONE", "resultFeedDocumentId": "d2"}
    amazon.says = [
        web.json_response({"feedDocumentId": "d1", "url": f"{amazon.base}/store/1"}, status=201),
        web.Response(),
        web.json_response({"feedId": "f1"}, status=202),
        web.json_response(FEED),
        web.json_response(done),
        web.json_response({"feedDocumentId": "d2", "url": f"{amazon.base}/store/2", "compressionAlgorithm": "GZIP"}),
        web.Response(body=gzip.compress(b"<report/>")),
    ]
    document, url = await feeds.create_document("main", "text/xml; charset=UTF-8")
    await feeds.upload(url, b"<feed/>", "text/xml; charset=UTF-8")
    feed_id = await feeds.create("main", "POST_ORDER_ACKNOWLEDGEMENT_DATA", document)
    assert await feeds.get("main", feed_id) == FeedState("f1", "T", "IN_QUEUE", NOW, "")
    state = await feeds.get("main", feed_id)
    assert (state.ended, state.result_document_id) == (True, "d2")
    assert await feeds.result("main", "d2") == b"<report/>"
    assert b'"marketplaceIds":["A1PA6795UKMFR9","A13V1IB3VIYZZH"],"inputFeedDocumentId":"d1"' in amazon.asked[2].body


async def test_a_feed_is_not_made_later_than_it_may_be(amazon: Amazon, client: SpApi) -> None:
    """As when the machine slept between two lines."""
    with pytest.raises(AmazonAway, match="stood still"):
        await Feeds(client).create("main", "T", "d1", not_after=client.clock() - timedelta(seconds=1))
    assert amazon.asked == []


async def test_feeds_are_found_page_by_page_the_oldest_first(amazon: Amazon, client: SpApi) -> None:
    earlier = FEED | {"feedId": "f0", "createdTime": EARLIER}
    amazon.says = [
        web.json_response({"feeds": [FEED], "nextToken": "n"}),
        web.json_response({"feeds": [FEED, earlier]}),
    ]
    found = await Feeds(client).find("main", "T", datetime(2026, 11, 20, 9, tzinfo=UTC))
    assert [feed.id for feed in found] == ["f0", "f1"]
    assert [each.query for each in amazon.asked] == [
        {"feedTypes": ["T"], "createdSince": ["2026-11-20T09:00:00Z"], "pageSize": ["100"]},
        {"nextToken": ["n"]},
    ]


async def test_lists_without_end_are_given_up(amazon: Amazon, client: SpApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msgbot.spapi.feeds._MOST_PAGES", 2)
    amazon.says = [web.json_response({"feeds": [FEED], "nextToken": "again"})]
    with pytest.raises(InputError, match="does not end after 2 pages"):
        await Feeds(client).find("main", "T", NOW)


async def test_success_without_an_id_is_unclear(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.json_response({"feedID": "1"}, status=202)]
    with pytest.raises(AmazonUnclear, match=r"feedId is missing; look it up"):
        await Feeds(client).create("main", "T", "d")
    with pytest.raises(AmazonUnclear, match=r"reportId is missing; look it up"):
        await Reports(client).create("main", "T")


async def test_a_missing_fact_is_told_with_its_path(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.json_response({"feeds": [FEED, {"feedId": "2"}]})]
    with pytest.raises(InputError, match=r"feeds\[1\]\.feedType is missing"):
        await Feeds(client).find("main", "T", NOW)


async def test_a_report_is_asked_for_with_and_without_dates(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.json_response({"reportId": "r1"}, status=202)]
    assert await Reports(client).create("main", "GET_V2_SELLER_PERFORMANCE_REPORT") == "r1"
    assert await Reports(client).create("main", "T", datetime(2026, 11, 1, tzinfo=UTC), NOW) == "r1"
    assert b"dataStartTime" not in amazon.asked[0].body
    assert b'"dataStartTime":"2026-11-01T00:00:00Z","dataEndTime":"2026-11-20T12:00:00Z"' in amazon.asked[1].body


async def test_a_state_that_is_new_to_us_is_kept(amazon: Amazon, client: SpApi) -> None:
    amazon.says = [web.json_response(REPORT | {"reportDocumentId": "d"})]
    state = await Reports(client).get("main", "r1")
    assert state == ReportState("r1", "T", "NEW_ONE", NOW, "d")
    assert not state.ended
