"""What holds for every call: throttling, headers, trouble on demand, and a door that opens in a thread too."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from typing import cast

import aiohttp
import pytest

from msgbot.fake_amazon import FakeAmazon, FakeItem, Trouble
from msgbot.fake_amazon.operations import OPERATIONS, Operation
from tests.amazon_models import judged, operation_of
from tests.fake_amazon.conftest import START, Caller, Watch
from tests.fake_amazon.feeds import FEEDS, acknowledgements, cancellation, submit

ID = "114-1234567-1234567"
ORDER = f"/orders/2026-01-01/orders/{ID}"
LIMIT = "x-amzn-RateLimit-Limit"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.key)
def test_the_rates_are_those_of_the_models(operation: Operation) -> None:
    model = operation_of(operation.method, re.sub(r"\{\w+\}", "1", operation.path))
    found = re.search(r"\|\s*([\d.]+)\s*\|\s*([\d.]+)\s*\|", model.description["description"])
    assert found, model
    assert (model.id, float(found[1]), int(found[2])) == (operation.name, operation.rate, operation.burst)


async def test_a_bucket_empties_and_fills_for_each_seller_and_operation(call: Caller, fake: FakeAmazon, watch: Watch) -> None:
    fake.throttled = True
    fake.add_order(ID)
    fake.buckets.rates["getOrder@2026"] = (0.5, 2)
    told = [await call("GET", ORDER) for _ in range(3)]
    assert [each.status for each in told] == [200, 200, 429]
    assert [each.headers.get(LIMIT) for each in told] == ["0.5", "0.5", None]
    assert told[2].code == "QuotaExceeded"
    assert (await call("GET", f"/orders/v0/orders/{ID}")).status == 200
    watch.wait(seconds=2)
    assert [(await call("GET", ORDER)).status for _ in range(2)] == [200, 429]
    await call.get_token(fake.add_seller("A2OTHER"))
    assert (await call("GET", ORDER)).status == 404


async def test_every_answer_has_amazon_s_headers(call: Caller, fake: FakeAmazon, watch: Watch) -> None:
    fake.add_order(ID)
    watch.wait(hours=5)
    await call.get_token()
    for path, status, limited in [
        (ORDER, 200, True),
        ("/orders/2026-01-01/orders", 400, True),
        ("/orders/2026-01-01/orders/114-0000000-0000000", 404, True),
        ("/notifications/v1/destinations", 403, False),
        ("/nowhere", 404, False),
    ]:
        told = await call("GET", path)
        assert told.status == status
        assert told.headers["x-amzn-RequestId"]
        assert told.headers["Content-Type"] == "application/json"
        assert parsedate_to_datetime(told.headers["Date"]) == START + timedelta(hours=5)
        assert (LIMIT in told.headers) == limited


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (Trouble.SERVER_ERROR, 500, "InternalFailure"),
        (Trouble.UNAVAILABLE, 503, "ServiceUnavailable"),
        (Trouble.QUOTA, 429, "QuotaExceeded"),
        (Trouble.EXPIRED_TOKEN, 403, "Unauthorized"),
        (Trouble.DENIED, 403, "Unauthorized"),
    ],
)
async def test_trouble_comes_as_often_as_it_was_ordered_and_nothing_is_done(
    call: Caller, fake: FakeAmazon, kind: Trouble, status: int, code: str
) -> None:
    fake.trouble("createFeed", kind, times=2)
    told = [await submit(call, acknowledgements(cancellation(ID))) for _ in range(3)]
    assert [each.status for each in told] == [status, status, 202]
    assert told[0].code == code
    assert LIMIT not in told[0].headers
    assert fake.cancellations[ID] == 1


@pytest.mark.parametrize(("kind", "made"), [(Trouble.CUT_BEFORE, 0), (Trouble.CUT_AFTER, 1)])
async def test_a_connection_can_be_cut_before_or_after_the_work(call: Caller, fake: FakeAmazon, kind: Trouble, made: int) -> None:
    fake.trouble("createFeed", kind)
    with pytest.raises(aiohttp.ClientConnectionError):
        await submit(call, acknowledgements(cancellation(ID)))
    assert len(fake.feeds.feeds) == fake.cancellations[ID] == made
    assert len(fake.calls_of("createFeed")) == 1
    found = (await call("GET", FEEDS, feedTypes="POST_ORDER_ACKNOWLEDGEMENT_DATA")).value["feeds"]
    assert len(found) == made


async def test_an_error_can_hide_that_the_work_was_done(call: Caller, fake: FakeAmazon) -> None:
    fake.trouble("createFeed", Trouble.ERROR_AFTER)
    assert (await submit(call, acknowledgements(cancellation(ID)))).status == 500
    assert fake.cancellations[ID] == 1


async def test_an_answer_can_be_a_page_or_half_an_answer_or_late(call: Caller, fake: FakeAmazon) -> None:
    fake.add_order(ID)
    headers = {"x-amz-access-token": call.token}
    bodies = []
    for kind in (Trouble.HTML, Trouble.TRUNCATED):
        fake.trouble("getOrder", kind)
        async with call.session.get(fake.base + ORDER, headers=headers) as answer:
            bodies.append((answer.status, answer.content_type, await answer.text()))
    assert bodies[0][:2] == (503, "text/html")
    assert bodies[1][:2] == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(bodies[1][2])
    fake.trouble("getOrder", Trouble.SLOW, seconds=60)
    with pytest.raises(TimeoutError):
        await call.session.get(fake.base + ORDER, headers=headers, timeout=aiohttp.ClientTimeout(total=0.05))


async def test_trouble_can_be_for_any_call_and_for_tokens_and_documents(nobody: Caller, fake: FakeAmazon) -> None:
    fake.trouble("*", Trouble.UNAVAILABLE)
    assert (await nobody.get_token()).status == 503
    fake.trouble("token", Trouble.QUOTA)
    assert (await nobody.get_token()).status == 429
    await nobody.get_token()
    made = (await nobody("POST", "/feeds/2021-06-30/documents", {"contentType": "text/xml"})).value
    fake.trouble("upload", Trouble.SERVER_ERROR)
    for status in (500, 200):
        async with nobody.session.put(made["url"], data=b"<a/>", headers={"Content-Type": "text/xml"}) as answer:
            assert answer.status == status
    assert [call.operation for call in fake.calls] == ["token"] * 3 + ["createFeedDocument", "upload", "upload"]


async def test_amazon_can_be_down_for_a_while(call: Caller, fake: FakeAmazon, watch: Watch) -> None:
    fake.add_order(ID)
    fake.go_down(timedelta(minutes=30))
    assert (await call("GET", ORDER)).status == 503
    watch.wait(minutes=30)
    assert (await call("GET", ORDER)).status == 200
    fake.go_down()
    watch.wait(days=400)
    assert (await call("GET", ORDER)).status == 503
    fake.come_back()
    await call.get_token()
    assert (await call("GET", ORDER)).status == 200


async def test_each_call_is_on_record_with_who_made_it(call: Caller, fake: FakeAmazon) -> None:
    await call("GET", ORDER, includedData="CANCELLATION")
    last = fake.calls[-1]
    assert (last.operation, last.method, last.path, last.seller_id) == ("getOrder", "GET", ORDER, fake.seller.id)
    assert last.query == {"includedData": ["CANCELLATION"]}
    assert last.at == START


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"text"'])
async def test_a_body_that_is_no_object_is_refused(call: Caller, fake: FakeAmazon, body: bytes) -> None:
    headers = {"x-amz-access-token": call.token, "Content-Type": "application/json"}
    async with call.session.post(fake.base + FEEDS, data=body, headers=headers) as answer:
        assert answer.status == 400


def status_at(base: str, path: str) -> int:
    """The status of a plain GET, without an event loop."""
    connection = HTTPConnection(base.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_door_opens_in_a_thread_and_the_world_outlives_it() -> None:
    fake = FakeAmazon()
    with fake.in_thread() as base:
        assert status_at(base, ORDER) == 403
    with pytest.raises(ConnectionError):
        status_at(base, ORDER)
    with fake.in_thread(int(base.rpartition(":")[2])) as again:
        assert again == base
        assert status_at(base, ORDER) == 403
    assert [call.operation for call in fake.calls] == ["getOrder"] * 2


async def exchange(path: str, body: object = None) -> None:
    """One call to a judged fake, with an order that no model would allow."""
    async with judged(FakeAmazon()) as fake, aiohttp.ClientSession() as session:
        caller = Caller(fake, session)
        await caller.get_token()
        fake.add_order(ID, FakeItem("1", title=cast(str, 7)))
        assert (await caller("POST" if body else "GET", path, body)).status < 300


async def test_an_answer_that_is_not_as_the_models_say_fails_the_test_that_got_it() -> None:
    with pytest.raises(AssertionError, match=r"getOrder: answer 200.*title"):
        await exchange(ORDER)


async def test_a_request_that_is_not_as_the_models_say_fails_the_test_that_sent_it() -> None:
    with pytest.raises(AssertionError, match=r"createFeedDocument: body.*surprise"):
        await exchange("/feeds/2021-06-30/documents", {"contentType": "text/xml", "surprise": 1})


async def test_the_shared_fixture_is_a_running_fake(fake_amazon: FakeAmazon) -> None:
    async with aiohttp.ClientSession() as session:
        assert (await Caller(fake_amazon, session).get_token()).status == 200
