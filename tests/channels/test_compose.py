"""Replies on the wire: threaded, marked as automatic, to relay addresses only, and nothing can be smuggled into a header."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.channels.compose import OutgoingReply, compose_reply, reply_subject
from msgbot.channels.mail import read_mail
from msgbot.domain.message import Kind
from msgbot.errors import InputError

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=timezone(timedelta(hours=2)))
RELAY = "a1b2+1f2E@marketplace.amazon.de"
LONG_ID = "<0102018d9f2e4f3a-1b2c3d4e-5f60-4a1b-9c2d-3e4f5a6b7c8d-000000@eu-west-1.amazonses.com>"
REPLY = OutgoingReply(
    id="1f2e3d4c",
    message_id="<1f2e3d4c@seller.example>",
    order_id="301-0000001-0000001",
    to=RELAY,
    sender="shop@seller.example",
    sender_name="Läden & Söhne",
    subject="Frage von Amazon-Kunde Jörg (Bestellung: 301-0000001-0000001)",
    body="Guten Tag,\nMein Konto > Meine Bestellungen > Stornierung anfordern\n",
    in_reply_to=LONG_ID,
    references=("<a@b.example>",),
)


def test_the_whole_mail() -> None:
    assert compose_reply(replace(REPLY, sender_name="Shop", subject="Inquiry (Order: x)"), now=NOW).decode() == (
        "From: Shop <shop@seller.example>\r\n"
        f"To: {RELAY}\r\n"
        "Subject: Re: Inquiry (Order: x)\r\n"
        "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\n"
        "Message-ID: <1f2e3d4c@seller.example>\r\n"
        f"In-Reply-To: {LONG_ID}\r\n"
        "References: <a@b.example>\r\n"
        f" {LONG_ID}\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "X-Auto-Response-Suppress: All\r\n"
        "X-Msgbot-Reply: 1f2e3d4c\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: text/plain; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
        "Guten Tag,\r\n"
        "Mein Konto > Meine Bestellungen > Stornierung anfordern\r\n"
    )


def test_another_program_reads_it_the_same() -> None:
    raw = compose_reply(replace(REPLY, subject="注文に関するお問い合わせ" * 9, body="Größe – ありがとう\n\n" + "x" * 200), now=NOW)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 100  # the message id is the longest line
    assert b"\n" not in raw.replace(b"\r\n", b"")
    found = message_from_bytes(raw, policy=policy.default)
    assert found["From"].addresses[0].display_name == "Läden & Söhne"
    assert found["To"].addresses[0].addr_spec == RELAY
    assert found["Subject"] == "Re: " + "注文に関するお問い合わせ" * 9
    assert found["References"].split() == ["<a@b.example>", LONG_ID]
    assert found["In-Reply-To"].strip() == LONG_ID
    assert found.get_content().replace("\r\n", "\n") == "Größe – ありがとう\n\n" + "x" * 200 + "\n"


def test_it_is_known_when_it_comes_back() -> None:
    back = read_mail(compose_reply(REPLY, now=NOW), account="main")
    assert (back.kind, back.id, back.buyer_address) == (Kind.SELLER, REPLY.message_id, RELAY)
    assert back.sent_at == NOW.astimezone(UTC)


def test_a_person_is_no_machine() -> None:
    raw = compose_reply(replace(REPLY, automatic=False), now=NOW)
    assert b"Auto-Submitted" not in raw
    assert b"X-Auto-Response-Suppress" not in raw
    assert b"X-Msgbot-Reply: 1f2e3d4c\r\n" in raw


def test_what_is_not_known_is_left_out() -> None:
    raw = compose_reply(replace(REPLY, sender="", in_reply_to="", references=()), now=NOW)
    assert not [name for name in (b"From:", b"In-Reply-To:", b"References:") if name in raw]


def test_a_long_thread_keeps_its_first_and_newest_ids() -> None:
    raw = compose_reply(replace(REPLY, references=tuple(f"<{n}@b.example>" for n in range(100))), now=NOW)
    ids = message_from_bytes(raw, policy=policy.default)["References"].split()
    assert (len(ids), ids[0], ids[-2:]) == (20, "<0@b.example>", ["<99@b.example>", LONG_ID])


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Inquiry", "Re: Inquiry"),
        ("Re: Inquiry", "Re: Inquiry"),
        ("RE: re:Re : Inquiry", "Re: Inquiry"),
        ("Re：お問い合わせ", "Re: お問い合わせ"),
        ("Request", "Re: Request"),
        ("AW: Frage", "Re: AW: Frage"),
        ("", "Re:"),
    ],
)
def test_subject(subject: str, answer: str) -> None:
    assert reply_subject(subject) == answer


BREAKS = ["\r\nBcc: evil@evil.example", "\nx", "\rx", "\x00", "\u2028x", "\x85"]


@pytest.mark.parametrize("broken", BREAKS)
@pytest.mark.parametrize("field", ["id", "message_id", "to", "sender", "sender_name"])
def test_no_line_end_of_ours_gets_into_a_header(field: str, broken: str) -> None:
    with pytest.raises(InputError):
        compose_reply(replace(REPLY, **{field: getattr(REPLY, field) + broken}), now=NOW)


@pytest.mark.parametrize("broken", BREAKS)
def test_nor_one_of_theirs_but_their_mail_is_answered(broken: str) -> None:
    """Whatever a buyer's mail has in its subject or ids, it must neither smuggle nor stop the answer."""
    reply = replace(
        REPLY, subject=f"Inquiry{broken}", in_reply_to=f"<a@b{broken}>", references=(f"<c@d{broken}>", "<e@f>", "<ü@g>")
    )
    found = message_from_bytes(compose_reply(reply, now=NOW), policy=policy.default)
    assert found["Bcc"] is None
    assert found["Subject"].startswith("Re: Inquiry")
    assert found["In-Reply-To"] is None
    assert found["References"] == "<e@f>"


@pytest.mark.parametrize(
    "changed",
    [
        {"to": "jane@private.example"},
        {"to": "a@marketplace.amazon.de.evil.example"},
        {"to": "evil@evil.example, a@marketplace.amazon.de"},
        {"to": "a@marketplace.amazon.co.za"},
        {"to": ""},
        {"sender": "shop"},
        {"message_id": "no brackets"},
        {"id": "a b"},
    ],
)
def test_what_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(InputError):
        compose_reply(replace(REPLY, **changed), now=NOW)  # type: ignore[arg-type]


@given(st.text(max_size=300), st.text(max_size=80), st.text(max_size=80))
def test_any_words_stay_in_their_place(body: str, subject: str, name: str) -> None:
    """Headers are what they are meant to be, or the mail is refused."""
    try:
        raw = compose_reply(replace(REPLY, body=body, subject=subject, sender_name=name), now=NOW)
    except InputError:
        return
    head, _, _ = raw.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert len(names) == len(set(names)) == 13
    assert raw.isascii()
