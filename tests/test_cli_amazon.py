"""`msgbot amazon`, `cancel` and `adjust` of a connected account as their users meet them: real processes beside a fake Amazon."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from msgbot.clock import system_clock
from msgbot.fake_amazon import FakeAmazon, Trouble
from msgbot.fake_amazon.orders import FakeItem
from tests.amazon_shop import Shop, open_shop
from tests.mails import unshipped_report
from tests.queues import SqsQueue

UNSHIPPED = "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING"
CANCEL = ("--reason", "Buyer Canceled")
NO_STOCK = ("--reason", "No Inventory")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop") as made:
        yield made


def queue_settings(queue: SqsQueue) -> dict[str, object]:
    """The settings that lead to the queue."""
    return {"queue_url": queue.url, "queue_region": queue.region, "queue_endpoint": queue.endpoint}


@dataclass(frozen=True)
class Case:
    """What is wrong, and what `msgbot amazon check` must say of it. `tried` is how many things it tries before it stops."""

    says: tuple[str, ...]
    account: dict[str, object] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)
    trouble: Callable[[FakeAmazon], object] = lambda fake: None
    code: int = 1
    tried: int = 1


def revoke(fake: FakeAmazon) -> None:
    """The seller takes the authorisation back."""
    fake.seller.revoked = True


def go_ahead(fake: FakeAmazon) -> None:
    """Amazon's clock is ten minutes ahead of this machine's."""
    fake.clock = lambda: system_clock() + timedelta(minutes=10)


def deny(fake: FakeAmazon) -> None:
    """Amazon answers as it does in another region than the seller's."""
    for operation in ("getMarketplaceParticipations", "searchOrders"):
        fake.trouble(operation, Trouble.DENIED, 9)


def fall_silent(fake: FakeAmazon) -> None:
    """Amazon is down, all but its tokens."""
    fake.trouble("getMarketplaceParticipations", Trouble.UNAVAILABLE, 1_000)


CHECKS = {
    "wrong secret": Case(
        ("the client id or client secret is wrong", "invalid_client", "amazon.client_secret (or client_secret_file)"),
        settings={"client_secret": "amzn1.oa2-cs.v1.of-another-application"},
    ),
    "no secret": Case(("MSGBOT_AMAZON__CLIENT_SECRET", "client_secret_file"), settings={"client_secret": None}, code=2, tried=0),
    "revoked": Case(("authorise the application again", "the new refresh token", "invalid_grant"), trouble=revoke),
    "wrong region": Case(
        ("getMarketplaceParticipations for account main: Amazon answered 403", "belong to the region of 127.0.0.1"),
        trouble=deny,
        tried=4,
    ),
    "marketplace without participation": Case(
        (
            "the seller does not sell in amazon.ca; in this region these are the seller's marketplaces: amazon.com",
            "correct the setting amazon.accounts.main.marketplaces",
            "The seller has no access to marketplace A2EUQ1WTGCTBG2",
        ),
        account={"marketplaces": ["amazon.com", "amazon.ca"]},
        tried=4,
    ),
    "clock": Case(("s behind Amazon's", "set the clock, and keep it right (NTP)"), trouble=go_ahead, tried=5),
    "down": Case(("ServiceUnavailable", "it is in trouble: try again later"), trouble=fall_silent),
    "nobody there": Case(
        ("no connection to 127.0.0.1: Connection refused", "see whether this machine may connect", "amazon.token_endpoint"),
        settings={"token_endpoint": "http://127.0.0.1:9/auth/o2/token"},
    ),
    "no address": Case(("the address is none that can be called", "amazon.endpoint"), settings={"endpoint": "sellingpartner"}),
    "no seller id": Case(("the seller id is missing", "Merchant Token"), account={"seller_id": ""}, tried=4),
    "no queue there": Case(
        ("the setting amazon.queue_url is no address of an SQS queue",), settings={"queue_url": "https://example.com/x"}, tried=4
    ),
    "all well": Case(("the seller sells in amazon.com", "0 changed in the last hour", "no queue is set"), code=0, tried=4),
}


@pytest.mark.parametrize("name", CHECKS)
def test_check_says_what_is_wrong_and_what_to_do(shop: Shop, name: str) -> None:
    case = CHECKS[name]
    shop.connect(case.settings, case.account)
    case.trouble(shop.fake)
    printed = shop.msgbot("amazon", "check", code=case.code)
    assert [words for words in case.says if words not in printed] == [], printed
    lines = [line.split() for line in printed.splitlines()]
    assert len([line for line in lines if line[0] in {"works", "FAILS"}]) == case.tried, printed
    assert any(line[0] == "FAILS" for line in lines) is (case.code == 1)


def test_subscribing_is_done_once_and_never_takes_somebody_elses_away_unasked(shop: Shop, sqs: SqsQueue) -> None:
    assert "the setting amazon.queue_url is empty" in shop.msgbot("amazon", "subscribe", code=2)
    shop.connect(queue_settings(sqs))
    assert "run `msgbot amazon subscribe`" in shop.msgbot("amazon", "check", code=1)
    assert "was made" in shop.msgbot("amazon", "subscribe")
    assert "is there already" in shop.msgbot("amazon", "subscribe")
    sqs.send("one", "two")
    found = json.loads(shop.msgbot("amazon", "check", "--format", "json"))["main"]
    assert [(each["what"], each["works"]) for each in found][-1] == ("notifications", True)
    assert found[-1]["text"] == "the seller's order changes come to the queue; messages waiting there: 2"
    assert sqs.received() == [1, 1]
    other = sqs.url.replace("notices", "others")
    shop.connect({**queue_settings(sqs), "queue_url": other})
    assert "--replace ends that subscription" in shop.msgbot("amazon", "subscribe", code=1)
    assert "was made" in shop.msgbot("amazon", "subscribe", "--replace")
    printed = shop.msgbot("amazon", "check", code=1)
    assert "there is no such queue" in printed
    assert "see the settings amazon.queue_url" in printed
    assert len(shop.fake.notifications.subscriptions) == 1


def test_what_the_guard_stops_never_comes_to_amazon(shop: Shop) -> None:
    quiet, asked, unread = (shop.fake.add_order() for _ in range(3))
    shop.fake.file_request(asked.id)
    shop.fake.file_request(unread.id)
    part = shop.fake.add_order("", FakeItem("00000000000009", quantity=2, shipped=1))
    item = ("--item", "00000000000009", "--quantity", "1", "--reason", "Customer Cancel", "--refund")
    printed = shop.msgbot("cancel", quiet.id, *CANCEL, "--wait", code=1)
    assert "the buyer asked for nothing: Buyer Canceled would be a wrong reason" in printed
    printed = shop.msgbot("cancel", "114-9999999-9999999", *CANCEL, code=1)
    assert "check the order id, and that it is of this account" in printed
    printed = shop.msgbot("cancel", asked.id, *NO_STOCK, "--wait", code=1)
    assert "to go on all the same: --confirm request_would_be_free" in printed
    assert "'Buyer cancelled it' is no reason" in shop.msgbot("cancel", quiet.id, "--reason", "Buyer cancelled it", code=2)
    assert "Customer Cancel would be a wrong reason" in shop.msgbot("adjust", part.id, *item, "Principal=10.00 USD", code=1)
    assert "write it like 'Principal=10.00 EUR'" in shop.msgbot("adjust", part.id, *item, "10", code=2)
    shop.fake.go_down()
    printed = shop.msgbot("cancel", unread.id, *CANCEL, "--wait", code=1)
    assert "not allowed" in printed
    assert "could not be re-read from Amazon (no access token: Login with Amazon answered 503" in printed
    assert "`msgbot amazon status` shows it" in printed
    printed = shop.msgbot("amazon", "status", code=1)
    assert "FAILS  orders since" in printed
    assert "Login with Amazon answered 503" in printed
    assert shop.fake.calls_of("createFeed") == []
    assert shop.fake.cancellations.total() == 0


def test_who_waits_goes_on_with_the_work_of_another_who_has_ended(shop: Shop) -> None:
    order = shop.fake.add_order()
    shop.fake.file_request(order.id)
    shop.fake.write_report(UNSHIPPED, unshipped_report((order.id, order.items[0].id, "TRUE")))
    with shop.begin("amazon", "report", "--wait") as report:
        report.says("wanted")
        cancel = ("cancel", order.id, *NO_STOCK, "--confirm", "request_would_be_free", "--wait", "--format", "json")
        printed = shop.msgbot(*cancel)
        assert "read: 1 orders, " in report.ends()
    assert "confirmed" in printed
    assert "Another msgbot works on this database and does it." in printed
    assert "done: it is done" in printed
    assert json.loads(printed[printed.index("{") : printed.rindex("}") + 1])["cancellation"]["state"] == "done"
    assert shop.fake.cancellations == {order.id: 1}
    printed = shop.msgbot("amazon", "status")
    assert "cancellations: 1 done" in printed
    assert "orders are read up to" in printed
    assert "works  reports" in printed
    hour_ago = (system_clock() - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    change(shop, "UPDATE amazon_sync SET poll_at = ?", hour_ago)
    printed = shop.msgbot("amazon", "status", code=1)
    assert "the next reading was due 60 min ago: is `msgbot serve` running?" in " ".join(printed.split())


def test_a_person_takes_back_what_waits_and_settles_what_is_unsure(shop: Shop) -> None:
    order = shop.fake.add_order()
    shop.fake.file_request(order.id)
    back = ("cancel", order.id, "--withdraw")
    assert "there is nothing to take back" in shop.msgbot(*back, code=1)
    shop.msgbot("cancel", order.id, *CANCEL)
    printed = shop.msgbot(*back)
    assert f"of {order.id} it was ready" in " ".join(printed.split())
    assert "Seller Central" not in printed

    shop.msgbot("cancel", order.id, *CANCEL)
    change(shop, "UPDATE cancellations SET state = 'unsure', note = 'no answer came' WHERE state = 'ready'")
    assert f"msgbot cancel {order.id} --withdraw" in shop.msgbot("amazon", "status", code=1)
    other = shop.msgbot("cancel", order.id, *NO_STOCK, "--confirm", "request_would_be_free", code=2)
    assert "is on its way already; withdraw it first" in other
    printed = shop.msgbot(*back)
    assert "it was unsure: no answer came" in printed
    assert "Before you ask for it again, see in Seller Central" in printed
    assert "cancellations: 2 lapsed" in shop.msgbot("amazon", "status")

    shop.msgbot("cancel", order.id, *CANCEL)
    change(shop, "UPDATE cancellations SET state = 'submitted' WHERE state = 'ready'")
    printed = shop.msgbot(*back, "--format", "json", code=1)
    told = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])
    assert ([each["state"] for each in told["too_late"]], told["withdrawn"]) == (["submitted"], [])
    assert "too late" in printed
    assert "--withdraw goes with no --item" in shop.msgbot(*back, *CANCEL, code=2)
    assert "give a --reason, or --withdraw" in shop.msgbot("cancel", order.id, code=2)


def change(shop: Shop, statement: str, *values: str) -> None:
    """Changes what is on file."""
    with closing(sqlite3.connect(shop.folder / "msgbot-data" / "msgbot.db")) as database, database:
        database.execute(statement, values)
