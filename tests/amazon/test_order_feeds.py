"""Order feeds in XML (domain.md section 4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from msgbot.amazon.order_feeds import AMOUNT_KINDS, Acknowledgement, write_acknowledgements, write_adjustments
from msgbot.domain.cancellation import Adjustment, AdjustReason, Amount, CancelReason
from msgbot.errors import InputError
from tests.amazon.answers import A, B
from tests.amazon_models import models_folder

SELLER, ITEM = "A1EXAMPLESELLER", "05015851154158"
CANCEL = Acknowledgement(A, (ITEM,), CancelReason.BUYER_CANCELED)
PRICE, TAX = Amount("Principal", Decimal(10), "USD"), Amount("Tax", Decimal("1.01"), "USD")
REFUND = Adjustment(A, ITEM, AdjustReason.CUSTOMER_CANCEL, 1, (PRICE, TAX))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("order_acknowledgement_cancel", write_acknowledgements(SELLER, [CANCEL])),
        ("order_adjustment_partial_cancel", write_adjustments(SELLER, [REFUND])),
    ],
)
def test_what_is_written_is_amazons_example_to_the_byte(name: str, written: bytes) -> None:
    example = (models_folder() / "examples" / f"{name}.xml").read_bytes()
    assert written.rstrip() == example.rstrip()


def test_orders_are_numbered_in_the_order_given() -> None:
    other = Acknowledgement(B, ("1", "2"), CancelReason.NO_INVENTORY)
    root = fromstring(write_acknowledgements(SELLER, [other, CANCEL]))
    messages = root.findall("Message")
    assert [(each.findtext("MessageID"), each.findtext("OrderAcknowledgement/AmazonOrderID")) for each in messages] == [
        ("1", B),
        ("2", A),
    ]
    items = messages[0].findall("OrderAcknowledgement/Item")
    assert [(item.findtext("AmazonOrderItemCode"), item.findtext("CancelReason")) for item in items] == [
        ("1", "NoInventory"),
        ("2", "NoInventory"),
    ]


@pytest.mark.parametrize("reason", CancelReason)
def test_every_reason_for_cancelling_is_written_as_amazon_spells_it(reason: CancelReason) -> None:
    root = fromstring(write_acknowledgements(SELLER, [Acknowledgement(A, ("1",), reason)]))
    assert root.findtext("Message/OrderAcknowledgement/Item/CancelReason") == reason.value


@pytest.mark.parametrize("reason", AdjustReason)
@pytest.mark.parametrize("kind", AMOUNT_KINDS)
def test_every_reason_and_kind_of_refund(reason: AdjustReason, kind: str) -> None:
    root = fromstring(write_adjustments(SELLER, [Adjustment(A, ITEM, reason, 3, (Amount(kind, Decimal("0.5"), "EUR"),))]))
    item = root.find("Message/OrderAdjustment/AdjustedItem")
    assert item is not None
    assert [each.tag for each in item] == [
        "AmazonOrderItemCode",
        "AdjustmentReason",
        "ItemPriceAdjustments",
        "QuantityCancelled",
    ]
    assert (item.findtext("AdjustmentReason"), item.findtext("QuantityCancelled")) == (reason, "3")
    amount = item.find("ItemPriceAdjustments/Component/Amount")
    assert amount is not None
    assert (amount.text, amount.get("currency")) == ("0.50", "EUR")


def test_yen_have_no_smaller_coin() -> None:
    yen = (Amount("Principal", Decimal("1980.0"), "JPY"),)
    written = write_adjustments(SELLER, [Adjustment(A, ITEM, AdjustReason.NO_INVENTORY, 1, yen)])
    assert b'<Amount currency="JPY">1980</Amount>' in written


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"order_id": "123"}, "is not an order id"),
        ({"order_id": f"{A}\n"}, "is not an order id"),
        ({"item_ids": ()}, "names no item codes"),
        ({"item_ids": ("",)}, "is not all digits"),
        ({"item_ids": ("1.4E+13",)}, "is not all digits"),
        ({"item_ids": ("１２",)}, "is not all digits"),
        ({"item_ids": ("1", "1")}, "twice"),
    ],
)
def test_cancellations_that_amazon_would_refuse_are_not_written(changes: dict[str, Any], fault: str) -> None:
    given = {"order_id": A, "item_ids": ("1",), "reason": CancelReason.NO_INVENTORY, **changes}
    with pytest.raises(InputError, match=fault):
        write_acknowledgements(SELLER, [Acknowledgement(**given)])


def money(amount: str, currency: str = "USD", kind: str = "Principal") -> tuple[Amount, ...]:
    return (Amount(kind, Decimal(amount), currency),)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"order_id": ""}, "is not an order id"),
        ({"item_id": "OIID1"}, "is not all digits"),
        ({"quantity": 0}, "1 at least"),
        ({"quantity": -1}, "1 at least"),
        ({"amounts": ()}, "no amount"),
        ({"amounts": money("0")}, "no sum"),
        ({"amounts": money("-1")}, "no sum"),
        ({"amounts": money("NaN")}, "no sum"),
        ({"amounts": money("Infinity")}, "no sum"),
        ({"amounts": money("1E+30")}, "no sum"),
        ({"amounts": money("1.001")}, "smallest coin"),
        ({"amounts": money("1.5", "JPY")}, "smallest coin"),
        ({"amounts": money("1", "usd")}, "is not a currency"),
        ({"amounts": money("1", "")}, "is not a currency"),
        ({"amounts": money("1", kind="Bribe")}, "is not a kind of amount"),
        ({"amounts": money("1") + money("1", "EUR", "Tax")}, "more than one currency"),
        ({"amounts": money("1") + money("2")}, "twice"),
    ],
)
def test_refunds_that_amazon_would_refuse_are_not_written(changes: dict[str, Any], fault: str) -> None:
    given = {"order_id": A, "item_id": "1", "reason": AdjustReason.NO_INVENTORY, "quantity": 1, "amounts": money("1"), **changes}
    with pytest.raises(InputError, match=fault):
        write_adjustments(SELLER, [Adjustment(**given)])


def test_nothing_is_cancelled_or_refunded_twice_in_one_feed() -> None:
    with pytest.raises(InputError, match="twice"):
        write_acknowledgements(SELLER, [CANCEL, CANCEL])
    with pytest.raises(InputError, match="twice"):
        write_adjustments(SELLER, [REFUND, REFUND])


@pytest.mark.parametrize("seller", ["", "A1 B", "<x>", "Ä1"])
def test_a_feed_needs_a_seller_and_messages(seller: str) -> None:
    with pytest.raises(InputError, match="seller id"):
        write_acknowledgements(seller, [CANCEL])
    with pytest.raises(InputError, match="nothing to write"):
        write_adjustments(SELLER, [])
