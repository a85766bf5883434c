"""Amazon's rules for what a seller may write to a buyer."""

from __future__ import annotations

import pytest

from msgbot.domain.reply import outbound_faults
from msgbot.domain.solicitation import asks_to_file, last_steps

CLEAN = "Hello,\n\nplease go to My Account > My Orders > Request cancellation for order 114-0000001-0000001.\n"


def test_a_plain_answer_may_go_out() -> None:
    assert outbound_faults(CLEAN) == []


@pytest.mark.parametrize(
    ("addition", "fault"),
    [
        ("see https://shop.example/returns", "a link"),
        ("see www.example.com", "a link"),
        ("write to help@example.com", "an e-mail address"),
        ("call +49 30 1234567", "a phone number"),
        ("call (212) 555-0123 now", "a phone number"),
        ("and leave a review", "marketing"),
        ("mit 10 % Rabatt", "marketing"),
        ("クーポンをどうぞ", "marketing"),
        ("欢迎给我们好评", "marketing"),
        ("thanks \U0001f600", "emoji"),
        ("thanks ☺", "emoji"),
        ("x" * 2000, "2000"),
    ],
)
def test_what_amazon_forbids_is_named(addition: str, fault: str) -> None:
    assert any(fault in each for each in outbound_faults(f"{CLEAN}\n{addition}"))


def test_an_empty_answer_is_a_fault() -> None:
    assert outbound_faults(" \n ") == ["it is empty"]


@pytest.mark.parametrize("text", ["order 114-0000001-0000001", "in 3-5 business days", "item 40261137335390 of 2026-11-20"])
def test_order_ids_and_dates_are_no_phone_numbers(text: str) -> None:
    assert not [fault for fault in outbound_faults(text) if "phone" in fault and "40261" not in fault]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Please open My Orders and choose REQUEST  Cancellation.", True),
        ("Bitte „Stornierung anfordern“ wählen", True),
        ("We had to cancel your order.", False),
    ],
)
def test_a_seller_who_names_the_button_asks_to_file(text: str, asks: bool) -> None:
    buttons = last_steps(
        ["My Account > My Orders > Request cancellation", "Mein Konto > Meine Bestellungen > Stornierung anfordern"]
    )
    assert asks_to_file(text, buttons) is asks
