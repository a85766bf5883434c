"""What people and programs do over HTTP with an account that is connected to Amazon, on SQLite and PostgreSQL: from asking for a
cancellation to seeing the order cancelled, and what they are told when Amazon is away."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from msgbot import cancel
from msgbot.errors import AmazonRefused
from msgbot.fake_amazon import FakeAmazon
from msgbot.fake_amazon.orders import FakeItem
from msgbot.fake_amazon.trouble import Trouble
from msgbot.feed_ledger import FeedTimes
from msgbot.fetch_reports import PERFORMANCE
from msgbot.refresh import REFRESH
from msgbot.store import cancellations, notices
from msgbot.store.cancellations import CancellationState
from msgbot.store.notices import Aside
from msgbot.web import orders as order_routes
from tests.receiver import receiving
from tests.web.conftest import Answered, Doors, Front, connected, message, order

FREE = {"reason": "BuyerCanceled"}
EURO = {"kind": "Tax", "amount": "1", "currency": "EUR"}
RATE = {
    "reportingDateRange": {"reportingDateFrom": "2026-11-12T00:00:00.000Z", "reportingDateTo": "2026-11-18T23:59:59.999Z"},
    "orderCount": 250,
    "cancellationCount": 3,
    "status": "GOOD",
    "rate": 0.012,
    "targetValue": 0.025,
    "targetCondition": "LESS_THAN",
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long where Amazon is down."""
    monkeypatch.setattr(cancel, "_PATIENCE", 1.0)
    monkeypatch.setattr(order_routes, "_PATIENCE", 1.0)


async def opened(doors: Doors, fake: FakeAmazon, **changes: Any) -> Front:
    """A service whose account `main` is connected."""
    front = await doors.open(amazon=connected(fake), **changes)
    if front.service.link is not None:
        front.service.link.follow._ledger.times = FeedTimes(soon=0.1, first_look=0.2, seen=(0.1, 2.0))
    return front


async def ends(front: Front, path: str, *states: str) -> Any:
    """The cancellation when it is in one of these states."""
    shown: list[Answered] = []

    async def there() -> bool:
        shown.append(await front.call("GET", path))
        return shown[-1].data["state"] in states

    await front.until(there)
    return shown[-1].data


async def test_an_allowed_cancellation_goes_to_amazon_by_itself_until_it_is_done(doors: Doors, fake_amazon: FakeAmazon) -> None:
    front = await opened(doors, fake_amazon)
    placed = fake_amazon.add_order()
    fake_amazon.file_request(placed.id, reason="Found it cheaper")
    async with receiving() as receiver:
        await front.call("POST", "/v1/webhooks", {"url": receiver.url, "events": ["cancellation.done"]})
        asked = await front.call("POST", f"/v1/orders/{placed.id}/cancellations", FREE, by="agent")
        assert (asked.status, asked.data["ruling"]["code"], asked.data["ruling"]["counts"]) == (202, "formal_request", False)
        again = await front.call("POST", f"/v1/orders/{placed.id}/cancellations", FREE, by="agent")
        assert (again.status, again.data["cancellation"]["id"]) == (202, asked.data["cancellation"]["id"])
        done = await ends(front, asked.headers["Location"], "done", "refused", "lapsed", "unsure")
        assert (done["state"], bool(done["feed"]), done["adjustment"]) == ("done", True, None)
        assert "SP-API" in done["note"]

        async def told() -> bool:
            return bool(receiver.received)

        await front.until(told)
    event = json.loads(receiver.received[0][1])
    assert (event["type"], event["data"]["order"]) == ("cancellation.done", placed.id)
    assert fake_amazon.cancellations[placed.id] == 1
    shown = (await front.call("GET", f"/v1/orders/{placed.id}")).data
    assert (shown["order"]["status"], shown["order"]["cancelled_by"]) == ("cancelled", "seller")
    assert [(item["cancelled_by"], item["quantity_shipped"]) for item in shown["order"]["items"]] == [("seller", 0)]
    [request] = shown["formal_requests"]
    assert (request["reason"], len(request["evidence"]), request["denied_at"]) == ("Found it cheaper", 64, None)
    for state, count in (("done", 1), ("submitted", 0), ("refused", 0), ("unsure", 0)):
        listed = await front.call("GET", f"/v1/cancellations?state={state}")
        assert (listed.status, len(listed.data["cancellations"])) == (200, count)
    late = await front.call("POST", f"{asked.headers['Location']}/withdraw", by="agent")
    assert (late.status, "the cancellation is done" in late.data["detail"]) == (409, True)


async def refuse(*_: object, **__: object) -> str:
    """As `Feeds.create` when Amazon refuses the feed."""
    raise AmazonRefused("Amazon answered 400: InvalidInput", operation="createFeed", status=400, code="InvalidInput")


async def test_what_amazon_refuses_is_told_with_amazons_words(
    doors: Doors, fake_amazon: FakeAmazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = await opened(doors, fake_amazon)
    assert front.service.link is not None
    monkeypatch.setattr(front.service.link.submit._amazon, "create", refuse)
    placed = fake_amazon.add_order()
    async with receiving() as receiver:
        await front.call("POST", "/v1/webhooks", {"url": receiver.url, "events": ["cancellation.refused"]})
        asked = await front.call("POST", f"/v1/orders/{placed.id}/cancellations", {"reason": "NoInventory"})
        assert (asked.status, asked.data["ruling"]["counts"]) == (202, True)
        refused = await ends(front, asked.headers["Location"], "refused", "done", "unsure", "lapsed")
        assert (refused["state"], "Amazon" in refused["note"]) == ("refused", True)

        async def told() -> bool:
            return bool(receiver.received)

        await front.until(told)
    event = json.loads(receiver.received[0][1])
    assert (event["type"], event["data"]["cancellation"]) == ("cancellation.refused", refused["id"])


async def test_nothing_is_cancelled_while_amazon_is_down(doors: Doors, fake_amazon: FakeAmazon) -> None:
    front = await opened(doors, fake_amazon)
    placed = fake_amazon.add_order()
    fake_amazon.file_request(placed.id)
    path = f"/v1/orders/{placed.id}"
    # A service that has worked before it goes wrong: it holds an access token.
    assert (await front.call("POST", f"/v1/orders/{fake_amazon.add_order().id}/refresh")).status == 200
    fake_amazon.go_down()
    blocked = await front.call("POST", f"{path}/cancellations", FREE, by="agent")
    assert (blocked.status, blocked.data["ruling"]["code"]) == (409, "unverified")
    assert blocked.data["type"] == "urn:msgbot:problem:cancellation_blocked"
    away = await front.call("POST", f"{path}/refresh", by="agent")
    assert (away.status, away.data["type"], int(away.headers["Retry-After"]) > 0) == (503, "urn:msgbot:problem:amazon_away", True)
    assert "Amazon" in away.data["detail"]
    status = (await front.call("GET", "/v1/amazon")).data
    [orders] = [each for each in status["aspects"] if each["aspect"] == "orders"]
    assert (status["works"], orders["works"], orders["failing_since"] is None, bool(orders["error"])) == (False, False, False, True)
    assert (await front.call("GET", "/readyz", by="")).status == 200
    assert fake_amazon.cancellations[placed.id] == 0
    fake_amazon.come_back()
    asked = await front.call("POST", f"{path}/cancellations", FREE, by="agent")
    assert (asked.status, asked.data["ruling"]["code"]) == (202, "formal_request")
    assert (await ends(front, asked.headers["Location"], "done", "refused", "unsure"))["state"] == "done"
    [orders] = [each for each in (await front.call("GET", "/v1/amazon")).data["aspects"] if each["aspect"] == "orders"]
    assert (orders["works"], orders["failing_since"], orders["error"]) == (True, None, "")


def adjustment(item_id: str, **changes: Any) -> dict[str, Any]:
    """One of the item is taken off and paid back."""
    amounts = [{"kind": "Principal", "amount": "10.00", "currency": "USD"}]
    return {"item_id": item_id, "quantity": 1, "reason": "CustomerCancel", "amounts": amounts, **changes}


async def test_what_was_not_shipped_is_taken_off_and_paid_back(doors: Doors, fake_amazon: FakeAmazon) -> None:
    front = await opened(doors, fake_amazon)
    placed = fake_amazon.add_order("", FakeItem("11111111111111", quantity=2))
    fake_amazon.ship(placed.id, quantity=1)
    path = f"/v1/orders/{placed.id}/adjustments"
    given = adjustment("11111111111111")
    blocked = await front.call("POST", path, given, by="supervisor")
    assert (blocked.status, blocked.data["ruling"]["code"]) == (409, "wrong_reason")
    fake_amazon.file_request(placed.id)
    await front.call("POST", f"/v1/orders/{placed.id}/refresh", by="supervisor")
    too_many = await front.call("POST", path, adjustment("11111111111111", quantity=2), by="supervisor")
    assert (too_many.status, too_many.data["ruling"]["code"]) == (409, "wrong_quantity")
    asked = await front.call("POST", path, given, by="supervisor")
    assert (asked.status, asked.data["ruling"]["code"]) == (202, "formal_request")
    assert asked.data["cancellation"]["reason"] == "CustomerCancel"
    assert asked.data["cancellation"]["adjustment"] == {"quantity": 1, "amounts": given["amounts"]}
    upload = await front.call("GET", f"{asked.headers['Location']}/file")
    assert (upload.status, "no file for it" in upload.data["detail"]) == (409, True)
    assert (await ends(front, asked.headers["Location"], "done", "refused", "unsure"))["state"] == "done"
    [refund] = fake_amazon.refunds
    assert (refund.order_id, refund.quantity_cancelled, refund.amounts) == (placed.id, 1, {"Principal": Decimal("10.00")})
    [*_, ruled] = (await front.call("GET", f"/v1/orders/{placed.id}")).data["rulings"]
    assert ruled["adjustment"] == asked.data["cancellation"]["adjustment"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"quantity": 0}, "/quantity"),
        ({"quantity": "1"}, "/quantity"),
        ({"reason": "BuyerCanceled"}, "/reason"),
        ({"amounts": []}, "/amounts"),
        ({"amounts": [{"kind": "Principal", "amount": "0.00", "currency": "EUR"}]}, "/amounts/0/amount"),
        ({"amounts": [{"kind": "Principal", "amount": "-1", "currency": "EUR"}]}, "/amounts/0/amount"),
        ({"amounts": [{"kind": "Principal", "amount": "1.005", "currency": "EUR"}]}, "/amounts/0/amount"),
        ({"amounts": [{"kind": "Principal", "amount": "1e2", "currency": "EUR"}]}, "/amounts/0/amount"),
        ({"amounts": [{"kind": "Principal", "amount": 10, "currency": "EUR"}]}, "/amounts/0/amount"),
        ({"amounts": [{"kind": "Gratitude", "amount": "1", "currency": "EUR"}]}, "/amounts/0/kind"),
        ({"amounts": [{"kind": "Tax", "amount": "1", "currency": "euro"}]}, "/amounts/0/currency"),
        ({"amounts": [EURO, {"kind": "Shipping", "amount": "1", "currency": "USD"}]}, "/amounts"),
        ({"amounts": [EURO] * 2}, "/amounts"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_an_adjustment_that_makes_no_sense_is_refused_with_its_place(lone: Front, changes: dict[str, Any], path: str) -> None:
    refused = await lone.call("POST", "/v1/orders/114-0000001-0000001/adjustments", adjustment("1", **changes))
    assert (refused.status, [each["path"] for each in refused.data["errors"]]) == (422, [path])


async def test_what_amazon_would_refuse_of_an_adjustment_is_refused_at_once(doors: Doors, fake_amazon: FakeAmazon) -> None:
    """Yen have no smaller coin, and item codes are all digits."""
    front = await opened(doors, fake_amazon, work=False)
    placed = fake_amazon.add_order()
    fake_amazon.ship(placed.id)
    for changes in ({"amounts": [{"kind": "Tax", "amount": "1.50", "currency": "JPY"}]}, {"item_id": "a"}):
        refused = await front.call("POST", f"/v1/orders/{placed.id}/adjustments", {**adjustment("1"), **changes})
        assert (refused.status, placed.id in refused.data["detail"]) == (422, True)
    assert (await front.call("GET", "/v1/cancellations")).data["cancellations"] == []


async def test_an_order_is_read_from_amazon_when_asked(doors: Doors, fake_amazon: FakeAmazon) -> None:
    front = await opened(doors, fake_amazon, work=False)
    placed = fake_amazon.add_order()
    path = f"/v1/orders/{placed.id}"
    assert (await front.call("GET", path)).status == 404
    read = await front.call("POST", f"{path}/refresh", by="agent")
    assert (read.status, read.data["order"]["status"], read.data["formal_requests"]) == (200, "unshipped", [])
    fake_amazon.file_request(placed.id)
    # At once: what was read a moment ago is not good enough for who asks for it.
    read = await front.call("POST", f"{path}/refresh", by="agent")
    assert [each["source"] for each in read.data["formal_requests"]] == ["SP-API orders 2026-01-01"]
    assert read.data == (await front.call("GET", path, by="agent")).data
    fake_amazon.withdraw_request(placed.id)
    read = await front.call("POST", f"{path}/refresh", by="agent")
    [denied] = read.data["formal_requests"]
    assert (denied["denied_by"], denied["denied_at"]) == ("SP-API orders 2026-01-01", read.data["order"]["as_of"])
    unknown = await front.call("POST", "/v1/orders/999-0000001-0000001/refresh", by="agent")
    assert (unknown.status, unknown.data["type"]) == (404, "urn:msgbot:problem:not_found")
    assert (await front.call("POST", f"{path}/refresh", by="auditor")).status == 403
    fake_amazon.trouble("getOrder", Trouble.DENIED, 2)
    denied_us = await front.call("POST", f"{path}/refresh", by="agent")
    assert (denied_us.status, denied_us.data["type"]) == (503, "urn:msgbot:problem:amazon_denied")
    assert "Retry-After" not in denied_us.headers


@pytest.mark.parametrize("status", ["cancelled", "shipped"])
async def test_what_another_program_says_of_a_waiting_cancellation_is_asked_of_amazon(
    doors: Doors, fake_amazon: FakeAmazon, status: str
) -> None:
    front = await opened(doors, fake_amazon, work=False)
    engine = front.service.engine
    placed, other = fake_amazon.add_order(), fake_amazon.add_order()
    fake_amazon.file_request(placed.id)
    asked = await front.call("POST", f"/v1/orders/{placed.id}/cancellations", FREE, by="agent")
    assert asked.data["cancellation"]["state"] == "ready"
    before = await engine.under_way(REFRESH, "main")
    for each in (placed, other):
        await front.call("PUT", f"/v1/orders/{each.id}", order(status, "unknown"), by="integrator")
    assert (await front.call("GET", asked.headers["Location"], by="agent")).data["state"] == "ready"
    assert await engine.under_way(REFRESH, "main") - before == {placed.id}


async def test_an_account_that_is_not_connected_is_told_so(lone: Front) -> None:
    await lone.call("PUT", "/v1/orders/114-0000001-0000001", order("shipped"))
    for path, body in (
        ("/v1/orders/114-0000001-0000001/refresh", None),
        ("/v1/orders/114-0000001-0000001/adjustments", adjustment("1")),
        ("/v1/amazon/reports", {"type": PERFORMANCE}),
    ):
        refused = await lone.call("POST", path, body)
        assert (refused.status, "not connected to Amazon" in refused.data["detail"]) == (409, True)
    status = await lone.call("GET", "/v1/amazon", by="agent")
    assert (status.status, status.data["connected"], status.data["works"], status.data["aspects"]) == (200, False, False, [])
    assert (await lone.call("GET", "/v1/audit")).data["amazon_rates"] == []


async def test_a_report_comes_in_and_its_rate_stands_beside_ours(doors: Doors, fake_amazon: FakeAmazon) -> None:
    front = await opened(doors, fake_amazon)
    metrics = [{"marketplaceId": "ATVPDKIKX0DER", "preFulfillmentCancellationRate": RATE}]
    fake_amazon.write_report(PERFORMANCE, json.dumps({"accountStatuses": [], "performanceMetrics": metrics}).encode())
    fake_amazon.reports.pace.looks = 0
    asked = await front.call("POST", "/v1/amazon/reports", {"type": PERFORMANCE}, by="integrator")
    assert (asked.status, asked.data["state"], asked.data["type"]) == (202, "wanted", PERFORMANCE)
    read = await ends(front, asked.headers["Location"], "read", "empty", "failed")
    assert (read["state"], read["note"]) == ("read", "Amazon's own rate of 1 marketplaces")
    rate = {
        "marketplace": "ATVPDKIKX0DER",
        "since": "2026-11-12",
        "until": "2026-11-18",
        "orders": 250,
        "cancelled": 3,
        "rate": "0.012",
        "target": "0.025",
        "condition": "LESS_THAN",
        "status": "GOOD",
    }
    assert (await front.call("GET", "/v1/audit")).data["amazon_rates"] == [rate]
    status = (await front.call("GET", "/v1/amazon")).data
    assert (status["connected"], status["works"], status["amazon_rates"]) == (True, True, [rate])
    refused = await front.call("POST", "/v1/amazon/reports", {"type": "GET_EVERYTHING"})
    assert (refused.status, refused.data["errors"][0]["path"]) == (422, "/type")
    assert (await front.call("POST", "/v1/amazon/reports", {"type": PERFORMANCE}, by="agent")).status == 403


async def test_what_goes_to_amazon_by_itself_is_not_uploaded_as_well(doors: Doors, fake_amazon: FakeAmazon) -> None:
    front = await opened(doors, fake_amazon, work=False)
    whole = fake_amazon.add_order()
    asked = await front.call("POST", f"/v1/orders/{whole.id}/cancellations", {"reason": "NoInventory"}, by="agent")
    file = f"{asked.headers['Location']}/file"
    refused = await front.call("GET", file, by="agent")
    assert (refused.status, "goes there by itself" in refused.data["detail"]) == (409, True)
    for state, says in ((CancellationState.SUBMITTED, "went to Amazon by itself (feed f1)"), (CancellationState.UNSURE, "look at")):
        async with front.service.database.transaction() as connection:
            found = await front.service.cancel.get("main", asked.data["cancellation"]["id"])
            await cancellations.move(connection, found, state, "lost", front.service.clock(), feed="f1")
        refused = await front.call("GET", file, by="agent")
        assert (refused.status, says in refused.data["detail"]) == (409, True), refused.data


async def test_a_part_of_an_order_is_for_a_person_to_upload(doors: Doors, fake_amazon: FakeAmazon) -> None:
    """No feed cancels a part; the file is given out after another look at the order."""
    front = await opened(doors, fake_amazon)
    placed = fake_amazon.add_order("", FakeItem("1"), FakeItem("2", sku="SKU-2"))
    body = {"reason": "NoInventory", "item_ids": ["2"]}
    asked = await front.call("POST", f"/v1/orders/{placed.id}/cancellations", body, by="agent")
    assert (await ends(front, asked.headers["Location"], "by_hand", "submitted", "lapsed"))["state"] == "by_hand"
    file = f"{asked.headers['Location']}/file"
    upload = await front.call("GET", file, by="agent")
    assert (upload.status, f"{placed.id}\tNoInventory\t2" in upload.raw.decode()) == (200, True)
    assert fake_amazon.cancellations[placed.id] == 0


async def test_what_nobody_knows_of_is_settled_by_a_person(doors: Doors, fake_amazon: FakeAmazon) -> None:
    front = await opened(doors, fake_amazon, work=False)
    placed = fake_amazon.add_order()
    path = f"/v1/orders/{placed.id}/cancellations"
    asked = await front.call("POST", path, {"reason": "NoInventory"}, by="agent")
    found = await front.service.cancel.get("main", asked.data["cancellation"]["id"])
    async with front.service.database.transaction() as connection:
        await cancellations.move(connection, found, CancellationState.SUBMITTED, "", front.service.clock(), feed="f1")
    late = await front.call("POST", f"{asked.headers['Location']}/withdraw", by="agent")
    assert (late.status, late.data["detail"]) == (409, "the cancellation is submitted")
    async with front.service.database.transaction() as connection:
        found = await front.service.cancel.get("main", found.id)
        await cancellations.move(connection, found, CancellationState.UNSURE, "lost", front.service.clock())
    assert (await front.call("GET", "/v1/amazon")).data["works"] is False
    settled = await front.call("POST", f"{asked.headers['Location']}/withdraw", by="agent")
    assert (settled.status, settled.data["state"], settled.data["note"]) == (200, "lapsed", "withdrawn by token:agent")
    again = await front.call("POST", path, {"reason": "NoInventory"}, by="agent")
    assert (again.status, again.data["cancellation"]["id"] == found.id) == (202, False)


async def test_another_accounts_token_sees_nothing(doors: Doors, fake_amazon: FakeAmazon) -> None:
    front = await opened(doors, fake_amazon)
    await front.call("PUT", "/v1/accounts/b", {"store": "B's"})
    placed = fake_amazon.add_order()
    fake_amazon.file_request(placed.id)
    asked = await front.call("POST", f"/v1/orders/{placed.id}/cancellations", FREE)
    await ends(front, asked.headers["Location"], "done")
    report = await front.call("POST", "/v1/amazon/reports", {"type": PERFORMANCE})
    await front.token("administrator", accounts=frozenset({"b"}), name="b")
    calls = len(fake_amazon.calls_of("getOrder"))
    for path in (asked.headers["Location"], report.headers["Location"], f"/v1/orders/{placed.id}"):
        assert (await front.call("GET", path, by="b")).status == 404
        assert (await front.call("GET", path, by="b", Msgbot_Account="main")).status == 404
    for path in (f"/v1/orders/{placed.id}/refresh", f"/v1/orders/{placed.id}/adjustments"):
        body = adjustment("1") if path.endswith("adjustments") else None
        assert (await front.call("POST", path, body, by="b")).status == 409
        assert (await front.call("POST", path, body, by="b", Msgbot_Account="main")).status == 404
    status = (await front.call("GET", "/v1/amazon", by="b")).data
    assert (status["connected"], status["aspects"], status["cancellations"]) == (False, [], {})
    assert (await front.call("GET", "/v1/amazon", by="b", Msgbot_Account="main")).status == 404
    assert (await front.call("GET", "/v1/amazon/aside", by="b")).status == 403
    assert len(fake_amazon.calls_of("getOrder")) == calls


async def test_administrators_see_what_was_moved_aside(lone: Front) -> None:
    at = lone.service.clock()
    async with lone.service.database.transaction() as connection:
        await notices.set_aside(connection, Aside("", "1", at, "no seller here has this id", "0" * 64))
    shown = await lone.call("GET", "/v1/amazon/aside")
    newest = [{"at": at.isoformat(), "account": "", "reason": "no seller here has this id"}]
    assert (shown.status, shown.data) == (200, {"works": False, "count": 1, "newest": newest})
    for role in ("integrator", "supervisor", "auditor"):
        assert (await lone.call("GET", "/v1/amazon/aside", by=role)).status == 403


async def test_old_facts_of_a_connected_account_are_not_for_a_report_to_renew(doors: Doors, fake_amazon: FakeAmazon) -> None:
    front = await opened(doors, fake_amazon, work=False)
    placed = fake_amazon.add_order()
    await front.call("POST", f"/v1/orders/{placed.id}/refresh")
    doors.now = doors.clock() + timedelta(hours=25)
    shown = await front.call("POST", "/v1/replies/preview", message(order_id=placed.id))
    reasons = "; ".join(shown.data["decision"]["reasons"])
    assert (shown.data["decision"]["action"], "report" in reasons) == ("suggest", False)
