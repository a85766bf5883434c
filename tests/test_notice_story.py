"""A formal request from the buyer's click to the file: a service with a queue hears of it, once, and keeps nobody's secrets."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from msgbot.fake_amazon.call import Call, Reply
from msgbot.fake_amazon.orders import FakeOrder
from tests.amazon_shop import SECRETS, Shop, open_shop
from tests.queues import SqsQueue
from tests.serving import serve

UNSHIPPED = "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING"
BUYER = ("Jane Quillfeather", "17 Marzipan Lane", "quillfeather@example.com", "+1 555 0100 777")
"""Name, street, address and telephone of a buyer, as Amazon may tell them unasked."""
SECONDS = 60


def tell_of_buyers(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on Amazon's answers hold personal data, though nobody asked for it."""
    name, street, address, telephone = BUYER
    place = {"name": name, "addressLine1": street, "phone": telephone}
    unasked = {"buyer": {"buyerName": name, "buyerEmail": address}, "recipient": {"deliveryAddress": place}}

    def telling(answer: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
        def told(call: Call) -> Reply:
            reply = answer(call)
            value: Any = json.loads(reply.data())
            for order in [value["order"]] if "order" in value else value["orders"]:
                order |= unasked
            return replace(reply, value=value)

        return told

    for key in ("getOrder@2026", "searchOrders"):
        monkeypatch.setitem(shop.fake._handlers, key, telling(shop.fake._handlers[key]))


def report_with_buyers(order: FakeOrder) -> bytes:
    """An Unshipped Orders report as Amazon writes it: with the buyer's name, address and telephone."""
    columns = {
        "order-id": order.id,
        "order-item-id": order.items[0].id,
        "purchase-date": "2026-11-18T08:00:00+00:00",
        "buyer-email": BUYER[2],
        "buyer-name": BUYER[0],
        "buyer-phone-number": BUYER[3],
        "sku": "SKU-1",
        "product-name": "A thing",
        "quantity-purchased": "1",
        "quantity-shipped": "0",
        "quantity-to-ship": "1",
        "recipient-name": BUYER[0],
        "ship-address-1": BUYER[1],
        "is-buyer-requested-cancellation": "TRUE",
    }
    return ("\t".join(columns) + "\r\n" + "\t".join(columns.values()) + "\r\n").encode()


def test_a_formal_request_is_on_file_within_moments_and_nobodys_secrets_are(
    tmp_path: Path, sqs: SqsQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_shop(tmp_path / "shop") as shop:
        tell_of_buyers(shop, monkeypatch)
        order, other = shop.fake.add_order(), shop.fake.add_order()
        shop.fake.write_report(UNSHIPPED, report_with_buyers(other))
        # Read once at the start, and not again in the time of this test.
        shop.connect({"poll_seconds": 3_600, "queue_url": sqs.url, "queue_region": sqs.region, "queue_endpoint": sqs.endpoint})
        shop.msgbot("amazon", "subscribe")
        with serve(shop.folder, log_level="debug") as service:
            service.ready()
            until(lambda: shop.fake.calls_of("searchOrders"))
            shop.msgbot("amazon", "report")
            before = shop.fake.order_change(order.id, "before")
            shop.fake.file_request(order.id, reason="Ordered twice")
            filed = json.dumps(shop.fake.order_change(order.id, "filed"))
            stranger = filed.replace(shop.fake.seller.id, "A0STRANGER").replace('"filed"', '"strange"')
            foreign = filed.replace("ORDER_CHANGE", "ANY_OFFER_CHANGED").replace('"filed"', '"foreign"')
            sqs.send(filed, filed[:200], stranger, foreign, json.dumps(before), filed)
            until(lambda: sqs.left() == (0, 0))
            assert [source for (source,) in on_file(shop, order.id)] == ["ORDER_CHANGE notification"]
            printed = shop.msgbot("cancel", order.id, "--reason", "Buyer Canceled")
            assert "formal request on file: it does not count" in printed
            until(lambda: shop.fake.cancellations[order.id] == 1)
            until(lambda: on_file(shop, other.id))
            assert service.stop() == 0
        printed = shop.msgbot("amazon", "status", code=1)
        assert "works  notifications" in printed
        assert "3 messages of the queue were moved aside" in printed
        for reason in ("is no JSON", "no account here is for the seller 'A0STRANGER'", "'ANY_OFFER_CHANGED'; only ORDER_CHANGE is"):
            assert reason in printed
        assert len(shop.fake.calls_of("searchOrders")) == 1
        kept = {path: path.read_bytes() for path in (shop.folder / "msgbot-data").rglob("*") if path.is_file()}
        kept |= {Path("what was printed"): shop.printed.encode(), Path("the log"): service.log.encode()}
        assert order.id.encode() in b"".join(kept.values())
        assert [(path, words) for path, data in kept.items() for words in (*SECRETS, *BUYER) if words.encode() in data] == []


def on_file(shop: Shop, order_id: str) -> list[tuple[str]]:
    """The sources of the formal requests for an order that are on file."""
    with closing(sqlite3.connect(shop.folder / "msgbot-data" / "msgbot.db")) as database:
        return database.execute("SELECT source FROM formal_requests WHERE order_id = ?", [order_id]).fetchall()


def until(come: Callable[[], object]) -> None:
    """Waits until `come()` is true."""
    end = time.monotonic() + SECONDS
    while not come():
        assert time.monotonic() < end
        time.sleep(0.1)
