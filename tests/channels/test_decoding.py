"""Charsets and transfer encodings as mail really carries them: bytes in, text and a flaw out."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.channels.decoding import decode_text, decode_transfer, likeliest_charset, storable

CANCEL_JA = "注文をキャンセルしてください。お願いします"


@pytest.mark.parametrize(
    ("data", "declared", "text", "flawed"),
    [
        (b"hello", "", "hello", False),
        ("für".encode(), "utf-8", "für", False),
        ("für".encode(), "UTF8", "für", False),
        ("für".encode("cp1252"), "iso-8859-1", "für", False),
        ("„für“ – 5 €".encode("cp1252"), "iso-8859-1", "„für“ – 5 €", True),  # Windows letters under Latin-1's name
        ("für".encode("cp1252"), "utf-8", "für", True),  # not UTF-8 at all
        ("für".encode("cp1252"), "us-ascii", "für", True),
        ("Größe".encode("cp1252"), "", "Größe", True),  # short words mislead statistics
        ("für".encode(), "us-ascii", "für", True),
        ("für".encode(), "", "für", True),
        ("für".encode(), "x-unknown", "für", True),  # no such charset
        ("für".encode(), "\x00", "für", True),  # Python's lookup raises ValueError for this one
        ("schöne größe, böse".encode()[:-1] + b"\xc3", "utf-8", "schöne größe, bös\ufffd", True),  # cut in mid-letter
        (CANCEL_JA.encode("iso2022_jp"), "iso-2022-jp", CANCEL_JA, False),
        (b"\x1b$B-!$r\x1b(B \x1b(I7\x1b(B", "ISO-2022-JP", "①を ｷ", True),  # NEC row 13 and half-width kana
        (b"\x1b$B|b\x1b(B", "cp50220", "髙", True),  # an IBM letter in a family name
        (CANCEL_JA.encode("cp932"), "shift_jis", CANCEL_JA, False),
        ("髙島①".encode("cp932"), "Shift_JIS", "髙島①", True),
        ("髙島①".encode("cp932"), "x-sjis", "髙島①", False),
        (CANCEL_JA.encode("euc_jp"), "", CANCEL_JA, True),
        (CANCEL_JA.encode("cp932"), "utf-8", CANCEL_JA, True),
        ("请取消圳镕".encode("gbk"), "gb2312", "请取消圳镕", True),  # letters that GB2312 lacks
        ("请取消我的订单，谢谢".encode("gb18030"), "", "请取消我的订单，谢谢", True),
        ("Пожалуйста отмените мой заказ".encode("cp1251"), "", "Пожалуйста отмените мой заказ", True),
        ("cancel".encode("utf-16"), "utf-16", "cancel", False),
        (b"+AGEAYQ-", "utf-7", "aa", False),
        (b"aaa", "zlib", "aaa", False),  # a codec, no charset
        ("ä-kva".encode(), "punycode", "ä-kva", True),
        (b"\xef\xbb\xbfhello", "utf-8", "hello", False),
    ],
)
def test_text(data: bytes, declared: str, text: str, flawed: bool) -> None:
    found, flaw = decode_text(data, declared)
    assert found == text
    assert bool(flaw) == flawed, flaw


@pytest.mark.parametrize(
    ("data", "encoding", "decoded", "flawed"),
    [
        (b"aGVsbG8=", "base64", b"hello", False),
        (b"aGVs\r\nbG8", '"BASE64"; x', b"hello", False),  # padding lost, name dressed up
        (b"aGVsbG8=\r\n-- \r\nThis list is run by", "base64", b"hello", False),  # a footer after the end
        (b"aGVsbG8h" * 9 + b"\r\n-- \r\nThis list is run by\r\n", "base64", b"hello!", True),  # and no padding before it
        (b"aG!Vs*bG8h" + b"aaaa" * 20, "base64", b"hello!", True),
        (b"aGVsbG8hx", "base64", b"hello!", False),  # one digit too many
        (b"Please cancel my order", "base64", b"Please cancel my order", True),  # not base64 at all
        (b"f=C3=BCr=\r\n dich=20", "quoted-printable", "für dich ".encode(), False),
        (b"50=% =ZZ", "Quoted-Printable", b"50=% =ZZ", False),  # damage is left as it is
        (b"f\xfcr", "8bit", b"f\xfcr", False),
        (b"f\xfcr", "x-no-such", b"f\xfcr", False),
        (b"", "base64", b"", False),
    ],
)
def test_transfer(data: bytes, encoding: str, decoded: bytes, flawed: bool) -> None:
    found, flaw = decode_transfer(data, encoding)
    assert found[: len(decoded)] == decoded
    assert bool(flaw) == flawed, flaw


def test_likeliest_charset() -> None:
    assert likeliest_charset("id,text\n1,キャンセル\n2,ください".encode("cp932")) == "cp932"
    assert likeliest_charset("id;text\n1;Größe".encode("cp1252")) == "cp1252"
    assert likeliest_charset(b"id,text") == "utf-8"


def test_storable() -> None:
    assert storable("\ufeffa\x00b\ud800c") == "ab\ufffdc"


CHARSETS = st.sampled_from(
    ["", "utf-8", "iso-2022-jp", "cp50220", "shift_jis", "gb2312", "big5", "iso-8859-1", "utf-7", "utf-16", "hz", "idna"]
)


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))), st.one_of(CHARSETS, st.text()))
def test_any_bytes_give_storable_text(data: bytes, charset: str) -> None:
    text, _ = decode_text(data, charset)
    assert "\x00" not in text
    text.encode()


@given(st.binary(), st.sampled_from(["base64", "quoted-printable", "7bit", "?"]))
def test_any_bytes_can_be_decoded(data: bytes, encoding: str) -> None:
    assert isinstance(decode_transfer(data, encoding)[0], bytes)


@given(st.binary())
def test_base64_comes_back(data: bytes) -> None:
    assert decode_transfer(base64.encodebytes(data), "base64") == (data, "")
