"""The marketplace table and the three ways to look a marketplace up (domain.md sections 1, 6 and 7)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from msgbot.amazon.marketplaces import MARKETPLACES, Marketplace, by_domain, by_id, by_relay_address

# section 7, in its order: region, id, domain, main language
SECTION_7 = [
    ("na", "ATVPDKIKX0DER", "amazon.com", "en"),
    ("na", "A2EUQ1WTGCTBG2", "amazon.ca", "en"),
    ("na", "A1AM78C64UM0Y8", "amazon.com.mx", "es"),
    ("na", "A2Q3Y263D00KWC", "amazon.com.br", "pt"),
    ("eu", "A1F83G8C2ARO7P", "amazon.co.uk", "en"),
    ("eu", "A1PA6795UKMFR9", "amazon.de", "de"),
    ("eu", "A13V1IB3VIYZZH", "amazon.fr", "fr"),
    ("eu", "APJ6JRA9NG5V4", "amazon.it", "it"),
    ("eu", "A1RKKUPIHCS9HS", "amazon.es", "es"),
    ("eu", "A1805IZSGTT6HS", "amazon.nl", "nl"),
    ("eu", "AMEN7PMS3EDWL", "amazon.com.be", "fr"),
    ("eu", "A2NODRKZP88ZB9", "amazon.se", "sv"),
    ("eu", "A1C3SOZRARQ6R3", "amazon.pl", "pl"),
    ("eu", "A28R8C7NBKEWEA", "amazon.ie", "en"),
    ("eu", "A33AVAJ2PDY3EV", "amazon.com.tr", "tr"),
    ("eu", "A2VIGQ35RCS4UG", "amazon.ae", "en"),
    ("eu", "A17E79C6D8DWNP", "amazon.sa", "ar"),
    ("eu", "ARBP9OOSHTCHU", "amazon.eg", "ar"),
    ("eu", "AE08WJ6YKNBMC", "amazon.co.za", "en"),
    ("eu", "A21TJRUUN4KGV", "amazon.in", "en"),
    ("fe", "A1VC38T7YXB528", "amazon.co.jp", "ja"),
    ("fe", "A39IBJ37TRP1C6", "amazon.com.au", "en"),
    ("fe", "A19VAU5U5O7RUS", "amazon.sg", "en"),
]

# section 6: what follows `marketplace.amazon.` in relay addresses, in its order
SECTION_6 = "com ca com.mx com.br co.uk de fr it es nl se pl com.be ie com.tr ae sa eg in sg com.au co.jp"


def test_the_table_is_the_one_of_section_7() -> None:
    assert [(place.region, place.id, place.domain, place.languages[0]) for place in MARKETPLACES] == SECTION_7


def test_mail_is_relayed_exactly_for_the_domains_of_section_6() -> None:
    relaying = {place.domain.removeprefix("amazon.") for place in MARKETPLACES if place.relays_mail}
    assert relaying == set(SECTION_6.split())


@pytest.mark.parametrize("place", MARKETPLACES, ids=lambda place: place.domain)
def test_every_marketplace_is_found_by_id_and_domain(place: Marketplace) -> None:
    assert by_id(place.id) is place
    assert by_domain(place.domain) is place
    assert by_relay_address(f"seller@marketplace.{place.domain}") is (place if place.relays_mail else None)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Amazon.de", "amazon.de"),  # the report's spelling
        ("Amazon.co.jp", "amazon.co.jp"),
        ("www.amazon.de", "amazon.de"),
        (" WWW.AMAZON.COM ", "amazon.com"),
        ("Non-Amazon", None),  # a multi-channel order
        ("amazon.com.evil.example", None),
        ("marketplace.amazon.de", None),  # a relay domain is not a sales channel
        ("", None),
    ],
)
def test_by_domain(text: str, domain: str | None) -> None:
    place = by_domain(text)
    assert (place.domain if place else None) == domain


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("abc123@marketplace.amazon.de", "amazon.de"),
        ("abc123+0f1e2d3c@marketplace.amazon.co.jp", "amazon.co.jp"),  # with its case
        ("ABC123@MARKETPLACE.AMAZON.COM", "amazon.com"),
        ("abc123@marketplace.amazon.de ", "amazon.de"),
        ("abc123@amazon.de", None),  # Amazon itself, not the relay
        ("abc123@marketplace.amazon.de.evil.example", None),
        ("marketplace.amazon.de@evil.example", None),
        ("abc123@marketplace.amazon.co.za", None),  # no relay address has been seen there
        ("marketplace.amazon.de", None),  # no address
        ("", None),
    ],
)
def test_by_relay_address(address: str, domain: str | None) -> None:
    place = by_relay_address(address)
    assert (place.domain if place else None) == domain


def test_by_id_knows_no_other_ids() -> None:
    assert by_id(" A1PA6795UKMFR9 ") is by_domain("amazon.de")
    assert by_id("a1pa6795ukmfr9") is None
    assert by_id("") is None


def test_only_japan_has_the_short_window_in_which_a_buyer_cancels_alone() -> None:
    short = {place.domain for place in MARKETPLACES if place.own_cancel_window == timedelta(minutes=5)}
    assert short == {"amazon.co.jp"}
    assert {place.own_cancel_window for place in MARKETPLACES} == {timedelta(minutes=5), timedelta(minutes=30)}
