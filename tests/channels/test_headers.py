"""Header blocks, tidy and not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.channels.headers import MAX_HEADERS, MAX_VALUE, Headers, decode_words, message_ids, read_date
from msgbot.channels.mime import read_mime


@pytest.mark.parametrize(
    ("raw", "fields", "body"),
    [
        (b"A: 1\nB: 2\n\nbody", (("a", "1"), ("b", "2")), b"body"),
        (b"A: 1\r\n folded\r\n\tmore\r\n\r\nbody", (("a", "1 folded more"),), b"body"),
        (b"From me Mon Jan  1 10:00:00 2024\nA: 1\n\nbody", (("a", "1"),), b"body"),  # an mbox's envelope line
        (b"\xef\xbb\xbf\r\n\r\nA: 1\n\nbody", (("a", "1"),), b"body"),  # byte order mark, blank lines first
        (b"A: 1", (("a", "1"),), b""),
        (b"A: 1\nHello Jane\nB: 2\n", (("a", "1"),), b"Hello Jane\nB: 2\n"),  # no blank line before the body
        (b"A:\nA: 2\n\n", (("a", ""), ("a", "2")), b""),
        (b"X: f\xfcr\n\n", (("x", "für"),), b""),  # 8-bit bytes, which no header should have
        (b"X: f\xc3\xbcr\n\n", (("x", "für"),), b""),
        (b" folded\nA: 1\n\n", (("a", "1"),), b""),  # a fold of nothing
        (b"", (), b""),
    ],
)
def test_fields(raw: bytes, fields: tuple[tuple[str, str], ...], body: bytes) -> None:
    mail = read_mime(raw)
    assert mail.headers.fields == fields
    assert mail.text == body.decode()


def test_names_have_no_letter_case() -> None:
    headers = read_mime(b"X-One: a\nx-one: b\nTwo: =?utf-8?q?f=C3=BCr?=\n\n").headers
    assert headers.all("X-ONE") == ("a", "b")
    assert headers.first("x-One") == "a"
    assert headers.text("two") == "für"
    assert headers.first("three") == ""
    assert headers.names() == {"x-one", "two"}


@pytest.mark.parametrize(
    "raw", [b"A: " + b"x" * 20_000, b"A: 1\n" + b" xxxxxxxxx\n" * 3_000, b"A: 1\n" * 2_000, b"A: " + b"x" * 2_000_000]
)
def test_long_blocks_are_cut(raw: bytes) -> None:
    mail = read_mime(raw + b"\n\nbody")
    headers, body = mail.headers, mail.text.encode()
    assert body.strip() == b"body"
    assert len(headers.fields) <= MAX_HEADERS
    assert all(len(value) <= MAX_VALUE for _, value in headers.fields)
    assert headers.flaws == ("a header is cut",)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?B?5rOo5paH?=", "注文"),
        ("=?UTF-8?Q?f=C3=BCr_dich?= (x)", "für dich (x)"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),  # the blank between encoded words counts for nothing
        ("=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"),
        ("=?utf-8?B?5rOo5g==?= =?utf-8?B?lofjgpI=?=", "注文を"),  # cut in the middle of a letter
        ("=?iso-8859-1?q?=FC?= =?utf-8?q?=C3=BC?=", "üü"),
        ("=?utf-8*de?q?f=C3=BCr?=", "für"),  # with a language (RFC 2231)
        ("=?no-such?q?f=C3=BCr?=", "für"),
        ("=?utf-8?b?!!!?=", "!!!"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?q?open", "=?utf-8?q?open"),
        ("", ""),
    ],
)
def test_encoded_words(value: str, text: str) -> None:
    assert decode_words(value) == text


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("Mon, 28 Sep 2026 09:00:00 -0300", datetime(2026, 9, 28, 12, 0, tzinfo=UTC)),
        ("28 Sep 2026 09:00:00 GMT (comment)", datetime(2026, 9, 28, 9, 0, tzinfo=UTC)),
        ("Mon, 28 Sep 2026 09:00:00 -0000", datetime(2026, 9, 28, 9, 0, tzinfo=UTC)),  # a naive one to Python
        ("Mon, 28 Sep 2026 09:00:00 +9999", None),
        ("Mon, 99 Sep 2026 09:00:00 +0000", None),
        ("1 Jan 2020 1:2:3 +99999999999999999999", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(value: str, moment: datetime | None) -> None:
    assert read_date(value) == moment


def test_message_ids() -> None:
    assert message_ids("<a@b> (x) <c@d>\t<a@b> e@f <>") == ("<a@b>", "<c@d>")
    assert message_ids(" ".join(f"<{n}@x>" for n in range(300)))[0] == "<200@x>"
    assert message_ids(f"<{'x' * 600}@y>") == ()


@given(st.binary())
def test_any_bytes_have_headers(raw: bytes) -> None:
    headers = read_mime(raw).headers
    assert isinstance(headers, Headers)
    assert all(name == name.lower() for name in headers.names())


@given(st.text())
def test_any_value_can_be_read(value: str) -> None:
    decode_words(value).encode()
    read_date(value)
