"""A raw mail to a message, whole: every field, every kind, and any bytes at all."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.channels import mail as mail_module
from msgbot.channels.mail import MAX_WORDS, SUBJECT_NAMES, read_mail
from msgbot.domain.message import Kind, Message, Source

RELAY = "A1b2c3+1f2E@marketplace.amazon.de"
ORDER = "301-0000001-0000001"
WHOLE = f"""\
Return-Path: <20240101@bounces.amazon.de>
From: "Jane Doe - Amazon Marketplace" <{RELAY}>
To: Shop <Shop@seller.example>, second@seller.example
Subject: Inquiry from Amazon customer Jane (Order: 302-0000002-0000002)
Date: Mon, 28 Sep 2026 09:00:00 -0300
Message-ID: <0102@eu-west-1.amazonses.com>
In-Reply-To: <b@seller.example>
References: <a@seller.example> <b@seller.example>
X-Space-Notification-Type: BBC_MESSAGE_SENT_TO_MERCHANT
X-Marketplace-ID: A1PA6795UKMFR9
Content-Type: text/plain; charset=utf-8

# {ORDER}:
1 / Lamp [ASIN: B0TESTTEST]

------------- Begin message -------------
Please cancel 303-0000003-0000003.

On Mon, Jan 1, 2024 at 10:00 AM Shop <shop@seller.example> wrote:
> Request cancellation of 304-0000004-0000004
------------- End message -------------
"""


def read(raw: str | bytes, *own: str) -> Message:
    return read_mail(raw if isinstance(raw, bytes) else raw.encode(), account="main", own_addresses=frozenset(own), origin="x.eml")


def with_headers(*lines: str) -> Message:
    return read("\n".join(lines) + "\n\nwords\n")


def test_every_field_of_a_buyers_mail() -> None:
    assert read(WHOLE) == Message(
        account="main",
        id="<0102@eu-west-1.amazonses.com>",
        kind=Kind.BUYER,
        source=Source.MAIL,
        text="Please cancel 303-0000003-0000003.",
        sent_at=datetime(2026, 9, 28, 12, 0, tzinfo=UTC),
        order_ids=("302-0000002-0000002", ORDER, "303-0000003-0000003"),  # subject, frame, own words; not the quoted one
        buyer_address=RELAY,  # letter case and case part as they came
        buyer_name="Jane Doe",
        own_address="Shop@seller.example",
        subject="Inquiry from Amazon customer Jane (Order: 302-0000002-0000002)",
        references=("<a@seller.example>", "<b@seller.example>"),
        marketplace="A1PA6795UKMFR9",
        note="a buyer wrote through marketplace.amazon.de",
        origin="x.eml",
    )


def test_line_ends_do_not_matter() -> None:
    assert read(WHOLE.replace("\n", "\r\n")) == read(WHOLE)


def test_own_address_is_the_known_one_among_the_receivers() -> None:
    assert read(WHOLE, "SECOND@seller.example").own_address == "second@seller.example"
    assert with_headers(f"From: {RELAY}", "To: list@x.example", "Delivered-To: me@seller.example").own_address == "list@x.example"


def test_the_copy_of_the_sellers_answer() -> None:
    message = with_headers(
        "From: donotreply@amazon.de", "To: shop@seller.example", "X-Space-Notification-Type: BBC_MESSAGE_CONFIRMATION_TO_MERCHANT"
    )
    assert (message.kind, message.text, message.buyer_address, message.own_address) == (
        Kind.SELLER,
        "words",
        "",
        "shop@seller.example",
    )


def test_our_own_mail_coming_back() -> None:
    message = read(f"From: Shop <shop@seller.example>\nTo: {RELAY}\n\nwords", "shop@seller.example")
    assert (message.kind, message.buyer_address, message.own_address) == (Kind.SELLER, RELAY, "shop@seller.example")
    assert message.marketplace == "A1PA6795UKMFR9"


def test_a_strangers_address_is_nobodys_to_answer() -> None:
    message = with_headers("From: Jane <jane@private.example>", f"Reply-To: {RELAY}")
    assert (message.kind, message.buyer_address) == (Kind.STRANGER, "")


@pytest.mark.parametrize(
    ("marketplace", "sender", "expected"),
    [
        ("A1F83G8C2ARO7P", RELAY, "A1F83G8C2ARO7P"),  # the header knows best
        ("NOSUCHPLACE", RELAY, "A1PA6795UKMFR9"),
        ("", RELAY, "A1PA6795UKMFR9"),
        ("", "donotreply@amazon.co.jp", "A1VC38T7YXB528"),
        ("", "jane@private.example", ""),
    ],
)
def test_marketplace(marketplace: str, sender: str, expected: str) -> None:
    assert with_headers(f"From: {sender}", f"X-Marketplace-ID: {marketplace}").marketplace == expected


@pytest.mark.parametrize(
    ("sender", "subject", "name"),
    [
        (f"Jane <{RELAY}>", "x", "Jane"),
        (f"=?utf-8?q?J=C3=B6rg_via_Amazon?= <{RELAY}>", "x", "Jörg"),
        (RELAY, "Inquiry from Amazon customer Jane (Order: x)", "Jane"),
        (RELAY, "Frage von Amazon-Kunde Jörg Maier(Bestellung: x)", "Jörg Maier"),  # no blank before the bracket
        (RELAY, "Where is it?", ""),
    ],
)
def test_name(sender: str, subject: str, name: str) -> None:
    assert with_headers(f"From: {sender}", f"Subject: {subject}").buyer_name == name


@pytest.mark.parametrize("before", SUBJECT_NAMES)
def test_names_in_the_subjects_of_every_language(before: str) -> None:
    assert with_headers(f"From: {RELAY}", f"Subject: Re: {before.title()}Jane Doe （x）").buyer_name == "Jane Doe"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("Message-ID: <a@b>", "<a@b>"),
        ("Message-Id:   <a@b> (added by mx)", "<a@b>"),
        ("Message-ID: a.b.c", "a.b.c"),
        ("Message-ID:", ""),
        ("Message-ID: <>", ""),
        ("X-Other: y", ""),
        (f"Message-ID: <{'x' * 600}@y>", ""),  # longer than an index takes
    ],
)
def test_id(written: str, found: str) -> None:
    raw = f"From: {RELAY}\n{written}\n\nwords"
    hashed = f"sha256:{hashlib.sha256(raw.encode()).hexdigest()}"
    message = read(raw)
    assert message.id == (found or hashed)
    assert ("no message id" in message.flaws) == (not found)


def test_dates_that_are_none() -> None:
    assert with_headers(f"From: {RELAY}").sent_at is None
    assert "no date" in with_headers(f"From: {RELAY}").flaws
    assert "date not understood: yesterday" in with_headers(f"From: {RELAY}", "Date: yesterday").flaws


def test_flaws_of_charset_are_told() -> None:
    message = read(f"From: {RELAY}\nContent-Type: text/plain; charset=utf-8\n\n".encode() + "Größe".encode("cp1252"))
    assert message.text == "Größe"
    assert "charset utf-8 does not hold, read as cp1252" in message.flaws


def test_a_very_long_text_is_cut() -> None:
    message = read(f"From: {RELAY}\n\n" + "words " * MAX_WORDS)
    assert len(message.text) == MAX_WORDS


@pytest.mark.parametrize("raw", [b"", b"\n", b"just some words", b"\x89PNG\r\n\x1a\n", b"Note: this is\nno: mail\n\n", b"%PDF-1.4"])
def test_what_is_no_mail(raw: bytes) -> None:
    message = read(raw)
    assert message.kind is Kind.UNREADABLE
    assert message.id.startswith("sha256:")
    assert message.flaws == (message.note,) == ("not a mail: it has none of a mail's headers",)


def test_a_library_that_fails_loses_no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(raw: bytes) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(mail_module, "read_mime", fail)
    assert read(WHOLE).kind is Kind.UNREADABLE
    assert "too deep" in read(WHOLE).note


def strings(message: Message) -> list[str]:
    values = [getattr(message, name) for name in message.__dataclass_fields__]
    return [each for value in values for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, str)]


LINES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(WHOLE.encode().split(b"\n")),
    st.sampled_from(
        [
            b"Content-Type: multipart/mixed; boundary=b",
            b"--b",
            b"--b--",
            b"Content-Transfer-Encoding: base64",
            b"",
            b"\xff=?x?b?y?=",
        ]
    ),
    st.sampled_from(
        [b"Content-Type: text/html; charset=iso-2022-jp", b"<pre>", b"\x1b$B", b"Content-Transfer-Encoding: quoted-printable"]
    ),
)


@given(st.one_of(st.binary(), st.lists(LINES).map(b"\n".join)))
def test_any_bytes_give_a_message_that_can_be_stored(raw: bytes) -> None:
    message = read(raw)
    assert "reading it failed" not in message.note
    assert message.sent_at is None or message.sent_at.tzinfo is UTC
    for value in strings(message):
        value.encode()
        assert "\x00" not in value
