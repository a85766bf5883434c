"""A raw mail to headers and text: which part is the text, and what bounds the work."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.channels.mime import MAX_DEPTH, MAX_PARTS, MAX_RAW, MAX_TEXT, read_mime


def multipart(kind: str, *parts: str, boundary: str = "=_b") -> str:
    """A multipart entity; each part is written with its own headers."""
    body = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\npreamble\n{body}--{boundary}--\nepilogue\n'


PLAIN = "Content-Type: text/plain; charset=utf-8\n\nplain words"
HTML = "Content-Type: text/html; charset=utf-8\n\n<p>html <b>words</b></p>"
PDF = "Content-Type: application/pdf\nContent-Disposition: attachment; filename=a.pdf\n\n%PDF cancel"
NOTES = "Content-Type: text/plain\nContent-Disposition: attachment; filename=notes.txt\n\nattached words"
INLINE = "Content-Type: text/plain; name=notes.txt\nContent-Disposition: inline\n\nattached words"
INVITE = "Content-Type: text/calendar\n\nBEGIN:VCALENDAR"
ATTACHED = "Content-Type: message/rfc822\n\nSubject: x\n\nolder words"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (PLAIN, "plain words"),
        (HTML, "html words"),
        ("Subject: x\n\nbare words", "bare words"),  # no type is plain text
        ("Content-Type: nonsense\n\nbare words", "bare words"),
        ("Content-Type: application/pdf\n\n%PDF", ""),
        (multipart("alternative", PLAIN, HTML), "plain words"),
        (multipart("alternative", HTML, PLAIN), "plain words"),
        (multipart("alternative", "Content-Type: text/plain\n\n \n", HTML), "html words"),  # a plain part without words
        (multipart("alternative", PLAIN, multipart("related", HTML, boundary="inner")), "plain words"),
        (multipart("alternative", "Content-Type: text/plain\n\n", multipart("related", HTML, boundary="inner")), "html words"),
        (multipart("mixed", PLAIN, PDF, NOTES, INLINE, INVITE, ATTACHED), "plain words"),
        (multipart("mixed", PLAIN, HTML), "plain words\n\nhtml words"),
        (
            multipart("mixed", multipart("alternative", PLAIN, HTML, boundary="=_b2"), PDF),
            "plain words",
        ),  # one boundary begins as the other
        (multipart("mixed", PLAIN).replace("--=_b--", ""), "plain words\n\nepilogue"),  # never closed
        (multipart("mixed", PLAIN).replace("\n", "\r\n"), "plain words"),
        ("Content-Type: multipart/mixed\n\njust words", "just words"),  # no boundary
        ("Content-Type: multipart/mixed; boundary=x\n\njust words", "just words"),  # a boundary that never comes
        ("Content-Type: text/html\n\n<meta charset=iso-8859-1>f\xfcr", "für"),
        ("Content-Type: text/plain\n\na=20b=C3=BC=\nc", "a büc"),  # quoted-printable that no header tells of
        ("Content-Type: text/plain\n\nsize=42 qty=10", "size=42 qty=10"),  # and what only looks like it
    ],
)
def test_text(raw: str, text: str) -> None:
    assert read_mime(raw.encode("latin-1")).text.strip() == text


def test_transfer_encoding_and_charset_work_together() -> None:
    body = base64.encodebytes("注文をキャンセル".encode("cp932")).decode()
    mail = read_mime(f"Content-Type: text/plain; charset=Shift_JIS\nContent-Transfer-Encoding: BASE64\n\n{body}".encode())
    assert mail.text == "注文をキャンセル"
    assert mail.flaws == ()


def test_the_preformatted_block_is_kept_beside_the_plain_text() -> None:
    mail = read_mime(multipart("alternative", PLAIN, "Content-Type: text/html\n\n<p>x</p><pre>block</pre>").encode())
    assert (mail.text.strip(), mail.preformatted) == ("plain words", "block")


def test_a_deeply_nested_mail_is_read_to_a_depth() -> None:
    raw = PLAIN
    for depth in range(MAX_DEPTH + 5):
        raw = multipart("mixed", raw, boundary=f"b{depth}.")
    mail = read_mime(raw.encode())
    assert mail.text == ""
    assert mail.flaws == (f"parts nested more than {MAX_DEPTH} deep were not read",)


def test_a_mail_of_many_parts_is_read_to_a_number() -> None:
    mail = read_mime(multipart("mixed", *[PLAIN] * (MAX_PARTS + 50)).encode())
    assert mail.text.count("plain words") == MAX_PARTS
    assert mail.flaws == (f"more than {MAX_PARTS} parts, the rest was not read",)


def test_a_huge_mail_is_read_to_a_length() -> None:
    mail = read_mime(b"Subject: x\n\n" + b"x" * MAX_RAW)
    assert len(mail.text) == MAX_TEXT
    assert len(mail.flaws) == 2


@given(
    st.binary(),
    st.sampled_from(["text/plain", "text/html", "multipart/mixed; boundary=b", 'multipart/x; boundary="', "message/rfc822"]),
)
def test_any_body_can_be_read(body: bytes, kind: str) -> None:
    read_mime(f"Content-Type: {kind}\n\n--b\n".encode() + body).text.encode()


@given(st.text())
def test_any_content_type_can_be_read(value: str) -> None:
    read_mime(f"Content-Type: {value}\n\nbody".encode("utf-8", "replace"))
