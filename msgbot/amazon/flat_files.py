"""Tab-separated files, from Amazon or saved by hand from Excel: bytes to text and lines, and what a wrong file is instead."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# The Windows charsets are meant by these names: they hold more characters.
_MEANT = {"shift_jis": "cp932", "windows-31j": "cp932", "iso8859-1": "cp1252"}
_UNDAMAGED = re.compile(r"[^\x00-\x7f\ufffd]+")
# In Western text read as cp932, single ideographs stand amid Latin letters and half-width kana come alone or in pairs.
_KANA_AND_KANJI = r"[\u2460-\u266f\u3000-\u33ff\u4e00-\u9fff\uff01-\uff5e]"
_JAPANESE = re.compile(rf"{_KANA_AND_KANJI}{{2,}}|(?<![A-Za-z]){_KANA_AND_KANJI}(?![A-Za-z])|[\uff61-\uff9f]{{3,}}")
_WESTERN = re.compile(r"(?<=[A-Za-z])[À-ÖØ-öø-ÿŒœŠšŸŽž]+|[À-ÖØ-öø-ÿŒœŠšŽž]+(?=[A-Za-z])|[À-ÖØ-Ü]{2,}|[€£‘’“”•–—…™®©°²³½«»ºª]+")


def decode(data: bytes, charset: str | None = None) -> tuple[str, str]:
    """The text of a file and the charset it was read in; bytes that do not fit become U+FFFD.

    A byte order mark decides, then `charset` if the bytes fit it, then UTF-8 if they fit, then what the letters look like.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace"), name
    for name in (codec_name(charset or ""), "utf-8"):
        with suppress(LookupError, ValueError):
            return data.decode(name), name
    name = _looks_like(data)
    return data.decode(name, "replace"), name


def codec_name(charset: str) -> str:
    """Python's name of a charset; empty for one that it does not know."""
    name = charset.strip().lower()
    with suppress(LookupError, ValueError):
        name = codecs.lookup(_MEANT.get(name, name)).name
        return _MEANT.get(name, name)
    return ""


def _looks_like(data: bytes) -> str:
    """UTF-8 with some bytes cut off, cp932 or cp1252: the one in which most letters stand where such letters do."""
    sample = b"\n".join(line for line in data.splitlines() if not line.isascii())[:200_000]
    if _in_place(sample.decode("utf-8", "replace"), _UNDAMAGED) > 0.3:
        return "utf-8"
    japanese = _in_place(sample.decode("cp932", "replace"), _JAPANESE)
    return "cp932" if japanese > _in_place(sample.decode("cp1252", "replace"), _WESTERN) else "cp1252"


def _in_place(text: str, letters: re.Pattern[str]) -> float:
    """The share of characters beyond ASCII that stand where such letters do, less the share that is damaged."""
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return (sum(map(len, letters.findall(text))) - text.count("\ufffd")) / max(beyond_ascii, 1)


def split_lines(text: str) -> list[str]:
    """The lines of `text` by CRLF, LF or CR; other separators that Unicode knows may stand inside a title."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def column_name(cell: str) -> str:
    """A header cell as Amazon writes it: `Order ID` and `order_id` are `order-id`."""
    return cell.strip().lower().replace("_", "-").replace(" ", "-")


def what_stands_in(data: bytes, line: str) -> str:
    """What a file that is not the expected one seems to be, and the way out; `line` is its first one that is not blank."""
    text = line.strip()
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "an Excel workbook or zip file (open it in Excel and save it as tab-separated text)"
    if data.startswith(b"\x1f\x8b"):
        return "a gzip file (unpack it first)"
    if data.startswith(b"%PDF"):
        return "a PDF"
    if not text:
        return "an empty file"
    if text.startswith("<"):
        return "a web page or XML (was the download signed in?)"
    if text.startswith(("{", "[")):
        return "JSON"
    if "\t" not in text and ("," in text or ";" in text):
        return "a file separated by commas or semicolons (save it as tab-separated text)"
    return f'a file whose first line begins with "{text[:60]}"'
