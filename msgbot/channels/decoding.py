"""Bytes to text: transfer encodings and charsets as mail really carries them. Nothing here raises, whatever the bytes.

Every function that has to bend a rule says so in a flaw: one short plain sentence, empty where all was well.
"""

from __future__ import annotations

import binascii
import quopri
import re

from charset_normalizer import from_bytes

ALIASES = {
    "ascii": "us-ascii",
    "cp-850": "cp850",
    "cp50220": "iso-2022-jp",
    "cp50221": "iso-2022-jp",
    "gb_2312-80": "gb2312",
    "iso-2022-jp-ms": "iso-2022-jp",
    "iso-8859-8-i": "iso-8859-8",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "utf8mb4": "utf-8",
    "windows-31j": "cp932",
    "x-euc-jp": "euc-jp",
    "x-gbk": "gbk",
    "x-mac-roman": "mac-roman",
    "x-sjis": "cp932",
}
"""Charset names of mail programs that Python does not know."""

WIDER = {
    "iso-2022-jp": ("iso2022_jp_ext", "cp50220"),
    "shift_jis": ("cp932",),
    "shift-jis": ("cp932",),
    "sjis": ("cp932",),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "big5": ("big5hkscs", "cp950"),
    "ks_c_5601-1987": ("cp949",),
    "euc-kr": ("cp949",),
    "iso-8859-1": ("cp1252",),
    "iso-8859-9": ("cp1254",),
}
"""The larger charsets that programs really write under a smaller one's name, in the order to try them."""

# Python takes these for charsets of text; on mail they are wrong at best, and quadratic at worst.
_NOT_CHARSETS = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "unicode-escape", "raw_unicode_escape", "raw-unicode-escape"}
)
# Charsets in which ASCII bytes may mean something else.
_SEVEN_BIT = ("utf-7", "utf7", "utf-16", "utf-32", "hz", "iso-2022", "cp50220")
_GUESSABLE = ["cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp1251", "cp1253", "cp1255", "cp1256", "cp874", "koi8_r"]
_GUESS_SAMPLE = 20_000
_HIRAGANA = re.compile("[ぁ-ゖ]")
_C1_CONTROL = re.compile("[\x80-\x84\x86-\x9f]")
_ROW_OF_HIGH = re.compile(rb"[\x80-\xff]{4}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")
_PROSE = re.compile(rb"\b[A-Za-z]{1,15} [A-Za-z]{1,15} [A-Za-z]{1,15}\b")


def decode_text(data: bytes, declared: str) -> tuple[str, str]:
    """The text of `data`, read in its declared charset if that holds, else in the likeliest one; and a flaw."""
    name = declared.strip(" \t'\"").lower()
    name = ALIASES.get(name, name)
    if data.isascii() and not name.startswith(_SEVEN_BIT):
        return storable(data.decode("ascii")), ""
    for charset in (name, *WIDER.get(name, ())):
        text = _strictly(data, charset)
        if text is not None:
            return storable(text), "" if charset == name else f"not {declared} but {charset}"
    text, guess = _guess(data)
    claim = f"charset {declared} does not hold" if declared else "no charset named"
    return storable(text), f"{claim}, read as {guess}"


def decode_transfer(data: bytes, encoding: str) -> tuple[bytes, str]:
    """`data` with its Content-Transfer-Encoding undone, and a flaw. What is not encoded as it claims comes back as it is."""
    name = encoding.partition(";")[0].strip(" \t'\"").lower()
    if name == "base64":
        return _from_base64(data)
    if name == "quoted-printable":
        return quopri.decodestring(data), ""
    return data, ""


def likeliest_charset(data: bytes) -> str:
    """The charset that `data`, of which nothing is known, is most likely in."""
    return _guess(data)[1]


def storable(text: str) -> str:
    """`text` without what no database takes: NUL and a byte order mark are dropped, half a surrogate pair becomes U+FFFD."""
    return _UNSTORABLE.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", text.removeprefix("\ufeff"))


def _from_base64(data: bytes) -> tuple[bytes, str]:
    written = data.partition(b"=")[0]
    if prose := _PROSE.search(written):  # a mailing list puts its footer below what is encoded
        written = written[: written.rfind(b"\n", 0, prose.start()) + 1]
    foreign = len(_NOT_BASE64.findall(written))
    digits = re.sub(rb"[^A-Za-z0-9+/]", b"", written)
    if foreign * 10 > len(written) or (data.strip() and not digits):
        return data, "called base64, but is not"
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4)), "damaged base64" if foreign else ""


def _strictly(data: bytes, charset: str) -> str | None:
    """`data` in `charset`, or None: unknown charset, bytes that don't fit, or control characters where letters were meant."""
    if not charset or charset in _NOT_CHARSETS:
        return None
    try:
        # bytes.decode, not codecs.decode: the latter would also unzip what calls itself "zlib".
        text = _cp50220(data) if charset == "cp50220" else data.decode(charset)
    except (LookupError, ValueError):
        return None
    if charset.startswith("iso-8859") and _C1_CONTROL.search(text):
        return None
    return text


def _guess(data: bytes) -> tuple[str, str]:
    """`data` in the likeliest charset, and its name. Short letters mislead statistics, so plain signs are looked at first."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    right = len(text) - len(text.encode("ascii", "ignore")) - broken
    if broken * 4 <= right:
        return text, "utf-8"
    for charset in ("cp932", "euc_jp"):
        text = data.decode(charset, "replace")
        if text.count("\ufffd") * 50 <= len(text) and _HIRAGANA.search(text):
            return text, charset
    # Western letters stand alone among ASCII ones; in Cyrillic, Arabic, Chinese and the like they come in rows.
    high = len(data) - len(data.decode("ascii", "ignore"))
    if high * 3 > len(data) and _ROW_OF_HIGH.search(data):
        match = from_bytes(data[:_GUESS_SAMPLE], cp_isolation=_GUESSABLE).best()
        if match is not None:
            return data.decode(match.encoding, "replace"), match.encoding
    return data.decode("cp1252", "replace"), "cp1252"


def _cp50220(data: bytes) -> str:
    """ISO-2022-JP as Japanese mail programs write it: with NEC's and IBM's extra characters and half-width kana.

    Python has no codec for it, but has one for the same characters in Shift_JIS order (cp932).
    """
    out = bytearray()
    pieces = re.split(rb"\x1b([$(][@BJI])", data)
    out += pieces[0]
    for escape, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape in (b"$B", b"$@"):
            out += _jis_to_shift_jis(piece)
        elif escape == b"(I":
            out += bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in piece)
        else:
            out += piece
    return out.decode("cp932")


def _jis_to_shift_jis(pairs: bytes) -> bytes:
    out = bytearray()
    index = 0
    while index < len(pairs):
        row = pairs[index]
        if not 0x21 <= row <= 0x7E or index + 1 == len(pairs):
            out.append(row)
            index += 1
            continue
        cell = pairs[index + 1]
        lead = (row + 1) // 2 + 0x70
        out.append(lead if lead <= 0x9F else lead + 0x40)
        out.append((cell + (0x1F if cell < 0x60 else 0x20) if row % 2 else cell + 0x7E) & 0xFF)
        index += 2
    return bytes(out)
