"""What a mail is, by its headers: the table that keeps msgbot from answering machines, lists, bounces, strangers and itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.amazon.marketplaces import MARKETPLACES
from msgbot.channels.envelope import classify
from msgbot.channels.headers import Headers
from msgbot.channels.mime import read_mime
from msgbot.domain.message import Kind

RELAY = "a1b2c3+1f2e@marketplace.amazon.de"
FROM_BUYER = f"From: Jane <{RELAY}>"
FROM_AMAZON = "From: Amazon <donotreply@amazon.com>"
BUYER_WROTE = "X-Space-Notification-Type: BBC_MESSAGE_SENT_TO_MERCHANT"
COPY = "X-Space-Notification-Type: BBC_MESSAGE_CONFIRMATION_TO_MERCHANT"
FORMAL = "X-Space-Notification-Type: BRC_SELLER_NOTIFICATION"
OWN = frozenset({"shop@seller.example"})


def headers(*lines: str) -> Headers:
    return read_mime("\n".join(lines).encode()).headers


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        # buyers
        ((FROM_BUYER,), Kind.BUYER),
        ((FROM_BUYER, BUYER_WROTE), Kind.BUYER),
        (("FROM: " + RELAY.upper(), BUYER_WROTE.upper()), Kind.BUYER),  # letter case counts nowhere
        ((FROM_BUYER, "Reply-To: Jane <jane@private.example>"), Kind.BUYER),
        # bounces
        ((FROM_BUYER, "Content-Type: multipart/report; report-type=delivery-status"), Kind.BOUNCE),
        ((FROM_BUYER, "Content-Type: Multipart/Report"), Kind.BOUNCE),
        ((FROM_BUYER, "Return-Path: <>"), Kind.BOUNCE),
        ((FROM_BUYER, "X-Failed-Recipients: a@b.example"), Kind.BOUNCE),
        (("From: MAILER-DAEMON@mx.example",), Kind.BOUNCE),
        (("From: Mail Delivery <postmaster@mx.example>",), Kind.BOUNCE),
        (("From: shop@seller.example", "Return-Path: <>"), Kind.BOUNCE),  # before anything else
        # our own mail
        (("From: Shop <Shop@Seller.example>",), Kind.SELLER),
        (("From: Shop <shop@seller.example>", "Auto-Submitted: auto-replied"), Kind.SELLER),
        (("From: other@seller.example", "X-Msgbot-Reply: 1f2e"), Kind.SELLER),
        # Amazon's notices
        ((FROM_AMAZON, COPY), Kind.SELLER),
        ((FROM_BUYER, COPY), Kind.SELLER),
        (("From: evil@evil.example", COPY), Kind.STRANGER),
        ((FROM_AMAZON, FORMAL), Kind.FORMAL_REQUEST_NOTICE),
        (("From: donotreply@amazon.co.jp", FORMAL.lower()), Kind.FORMAL_REQUEST_NOTICE),
        (("From: donotreply@amazon.evil.example", FORMAL), Kind.STRANGER),
        (("From: donotreply@amazon.com.evil.example", FORMAL), Kind.STRANGER),
        (("From: donotreply@evil-amazon.com", FORMAL), Kind.STRANGER),
        (("From: seller-notices@amazon.com", FORMAL), Kind.STRANGER),
        ((FROM_BUYER, FORMAL), Kind.STRANGER),  # a buyer's address carries no notices of this kind
        (("From: donotreply@amazon.com <evil@evil.example>", FORMAL), Kind.STRANGER),  # the name is not the address
        ((FROM_AMAZON, "X-Space-Notification-Type: RETURN_REQUEST"), Kind.NOTICE),
        ((FROM_AMAZON, FORMAL, "X-Space-Notification-Type: RETURN_REQUEST"), Kind.NOTICE),  # which is it?
        (("From: evil@evil.example", "X-Space-Notification-Type: RETURN_REQUEST"), Kind.STRANGER),
        (
            (FROM_AMAZON, "Subject: Order cancellation request for Order ID: 702-0000001-0000001"),
            Kind.NOTICE,
        ),  # the header is lacking
        (("From: order-update@amazon.de", "Precedence: bulk"), Kind.NOTICE),
        ((FROM_AMAZON, BUYER_WROTE), Kind.STRANGER),  # a buyer's message comes from a relay address
        (("From: evil@evil.example", BUYER_WROTE), Kind.STRANGER),
        # machines, from a relay address too
        ((FROM_BUYER, "Auto-Submitted: auto-replied"), Kind.AUTOMATIC),
        ((FROM_BUYER, BUYER_WROTE, "Auto-Submitted: Auto-Generated; owner-email=x"), Kind.AUTOMATIC),
        ((FROM_BUYER, "Auto-Submitted: (an answer) auto-replied"), Kind.AUTOMATIC),
        ((FROM_BUYER, "Auto-Submitted: no", "auto-submitted: auto-notified"), Kind.AUTOMATIC),  # any one of them
        ((FROM_BUYER, "Auto-Submitted: no"), Kind.BUYER),
        ((FROM_BUYER, "Auto-Submitted:  NO (a person) ; x=y"), Kind.BUYER),
        ((FROM_BUYER, "Auto-Submitted:"), Kind.BUYER),
        ((FROM_BUYER, "Precedence: Bulk"), Kind.AUTOMATIC),
        ((FROM_BUYER, "Precedence: list"), Kind.AUTOMATIC),
        ((FROM_BUYER, "Precedence: JUNK"), Kind.AUTOMATIC),
        ((FROM_BUYER, "Precedence: first-class"), Kind.BUYER),
        ((FROM_BUYER, "List-Id: <x>"), Kind.AUTOMATIC),
        ((FROM_BUYER, "LIST-UNSUBSCRIBE: <x>"), Kind.AUTOMATIC),
        ((FROM_BUYER, "Listen: x"), Kind.BUYER),
        ((FROM_BUYER, "X-Auto-Response-Suppress: DR, OOF"), Kind.AUTOMATIC),
        ((FROM_BUYER, "X-Auto-Response-Suppress: all"), Kind.AUTOMATIC),
        ((FROM_BUYER, "X-Auto-Response-Suppress: DR; NDR"), Kind.BUYER),  # wants no delivery reports: nothing to do with us
        ((FROM_BUYER, "X-Autoreply: yes"), Kind.AUTOMATIC),
        ((FROM_BUYER, "X-Autorespond:"), Kind.AUTOMATIC),
        (("From: no-reply@marketplace.amazon.de",), Kind.AUTOMATIC),
        (("From: Do_Not.Reply+x@shop.example",), Kind.AUTOMATIC),
        # strangers
        (("From: jane@private.example",), Kind.STRANGER),
        (("From: a@marketplace.amazon.co.za",), Kind.STRANGER),  # no relay was ever seen there
        ((f"From: {RELAY} <evil@evil.example>",), Kind.STRANGER),
        ((f"From: {RELAY}, evil@evil.example",), Kind.STRANGER),  # two senders are none
        ((FROM_BUYER, "From: evil@evil.example"), Kind.STRANGER),
        (("From: evil@evil.example", f"Reply-To: {RELAY}"), Kind.STRANGER),
        (("From: Jane",), Kind.STRANGER),
        (("Subject: x",), Kind.STRANGER),
    ],
)
def test_kinds(lines: tuple[str, ...], kind: Kind) -> None:
    found, note = classify(headers(*lines), OWN)
    assert found is kind, note
    assert note


@pytest.mark.parametrize("place", [place for place in MARKETPLACES if place.relays_mail], ids=lambda place: place.domain)
def test_every_marketplace(place: object) -> None:
    relay = getattr(place, "relay_domain")  # noqa: B009
    assert classify(headers(f"From: x@{relay}"))[0] is Kind.BUYER


def test_notes_tell_what_a_person_would_ask() -> None:
    assert "jane@private.example" in classify(headers(FROM_BUYER, "Reply-To: jane@private.example"))[1]
    assert "asks for answers" not in classify(headers(FROM_BUYER, f"Reply-To: {RELAY}"))[1]
    assert "asks for answers" not in classify(headers(FROM_BUYER, "Reply-To: other@marketplace.amazon.de"))[1]
    assert "forged" in classify(headers("From: evil@evil.example", FORMAL))[1]


NAMES = st.sampled_from(
    ["From", "Reply-To", "Auto-Submitted", "Precedence", "X-Space-Notification-Type", "Return-Path", "List-Id", "Content-Type"]
)
VALUES = st.one_of(
    st.text(max_size=30), st.sampled_from([RELAY, "no", "bulk", "<>", "BBC_MESSAGE_SENT_TO_MERCHANT", "donotreply@amazon.com"])
)


@given(st.lists(st.tuples(NAMES, VALUES)))
def test_only_one_single_relay_address_makes_a_buyer(fields: list[tuple[str, str]]) -> None:
    kind, _ = classify(Headers(tuple((name.lower(), value) for name, value in fields)))
    if kind is Kind.BUYER:
        assert [value for name, value in fields if name == "From"] == [RELAY]
