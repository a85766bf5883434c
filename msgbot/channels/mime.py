"""A raw mail to its headers and the text that a person wrote. Never raises, and its work is bounded whatever the bytes.

`email` takes the mail apart. Its work is lines times boundaries, which nothing in it bounds (domain.md section 9, item 9): a mail
with too many of both is not taken apart, and its whole body is the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser

from msgbot.channels.decoding import decode_text, decode_transfer
from msgbot.channels.headers import Headers, read_headers
from msgbot.channels.hypertext import read_html

MAX_RAW = 10_000_000
"""Bytes of a mail that are read for its text; the raw mail is kept whole by others."""
MAX_TEXT = 1_000_000
"""Bytes of text that are read, over all parts."""
MAX_DEPTH = 20
MAX_PARTS = 100
MAX_LINES = 200_000
MAX_WORK = 2_000_000
"""Lines times boundaries that a mail may have to be taken apart."""
MAX_DELIMITERS = 5_000
"""Lines that begin like a boundary which a mail may have to be taken apart."""

_PARAMETER = re.compile(r';\s*([\w-]+)\*?\s*=\s*("[^"]*"|[^;"\s]*)')
# What `email` takes seconds for: it reads parameters in quadratic time.
_LONG_TYPE = re.compile(rb"^content-type:(?:[^\n]|\n[ \t]){5000}", re.IGNORECASE | re.MULTILINE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w:.-]{1,40})", re.IGNORECASE)
# Every "=" in quoted-printable begins one of the first; text that only looks so has none of the second.
_ESCAPE = re.compile(rb"=(?:[0-9A-F]{2}|\r?\n)")
_SURE_ESCAPE = re.compile(rb"=\r?\n|=[C-F][0-9A-F]=[89AB][0-9A-F]")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail taken apart. `text` is its text for reading; `preformatted` the text of the only `<pre>` in its HTML, else empty."""

    headers: Headers
    text: str
    preformatted: str
    flaws: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """The text found in one part. `plain` tells that it was written as plain text."""

    text: str = ""
    preformatted: str = ""
    plain: bool = False


def read_mime(raw: bytes) -> Mail:
    """`raw` as headers and text: of alternatives the plain text if it has words, else the HTML; attachments are no text."""
    reader = _Reader()
    if len(raw) > MAX_RAW:
        reader.flaw(f"longer than {MAX_RAW} bytes, the rest was not read")
    message = reader.parse(raw[:MAX_RAW])
    headers = read_headers(message)
    found = reader.read(message, headers, depth=0)
    return Mail(headers, found.text, found.preformatted, headers.flaws + tuple(reader.flaws))


class _Reader:
    """Counts the parts of one mail and collects what was wrong with them."""

    def __init__(self) -> None:
        self.flaws: dict[str, None] = {}
        self._parts = 0
        self._text_left = MAX_TEXT

    def flaw(self, text: str) -> None:
        if text:
            self.flaws[text] = None

    def parse(self, raw: bytes) -> Message:
        """The mail taken apart, or at least its headers and body."""
        # Blank lines and a byte order mark before the first header would end the headers before they began.
        raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
        if raw.count(b"\n") > MAX_LINES:
            self.flaw(f"more than {MAX_LINES} lines, the rest was not read")
            raw = b"\n".join(raw.split(b"\n", MAX_LINES)[:MAX_LINES])
        boundaries = raw.lower().count(b"boundary=")
        too_much = raw.count(b"\n") * boundaries > MAX_WORK or (boundaries and raw.count(b"\n--") > MAX_DELIMITERS)
        if too_much or _LONG_TYPE.search(raw):
            self.flaw("too many parts, lines or parameters to be taken apart")
        else:
            # On its way it reads Content-Type, and raises for some; the older rules do not read so closely.
            for rules in (policy.default, policy.compat32):
                try:
                    return BytesParser(policy=rules).parsebytes(raw)
                except Exception as error:
                    self.flaw(f"its structure could not be read as it should: {error!r}")
        return BytesHeaderParser(policy=policy.compat32).parsebytes(raw)

    def read(self, message: Message, headers: Headers, depth: int) -> _Text:
        """The text of one part and of the parts in it."""
        kind, parameters = _content_type(headers.first("content-type"))
        payload = message.get_payload()
        if isinstance(payload, list) and not kind.startswith("message/"):
            parts = [part for part in payload if isinstance(part, Message)]
            return self._read_parts(parts, alternative=kind == "multipart/alternative", depth=depth)
        if kind.startswith("multipart/"):
            self.flaw("a multipart mail without its boundary")
            kind = "text/plain"
        if kind not in ("text/plain", "text/html") or (depth and _is_attachment(headers, parameters)):
            return _Text()
        # Without this header `email` hands the bytes over as they came; decoding them tolerantly is the business of `decoding`.
        del message["Content-Transfer-Encoding"]
        body = message.get_payload(decode=True)
        if not isinstance(body, bytes):
            return _Text()
        return self._read_leaf(headers, body, parameters.get("charset", ""), html=kind == "text/html")

    def _read_parts(self, parts: list[Message], *, alternative: bool, depth: int) -> _Text:
        if depth >= MAX_DEPTH:
            self.flaw(f"parts nested more than {MAX_DEPTH} deep were not read")
            return _Text()
        found = []
        for part in parts:
            self._parts += 1
            if self._parts > MAX_PARTS:
                self.flaw(f"more than {MAX_PARTS} parts, the rest was not read")
                break
            text = self.read(part, read_headers(part), depth + 1)
            if text.text.strip():
                found.append(text)
        block = next((text.preformatted for text in found if text.preformatted), "")
        if alternative:
            found = [next((text for text in found if text.plain), found[0])] if found else []
        return _Text("\n\n".join(text.text.strip("\n") for text in found), block, all(text.plain for text in found))

    def _read_leaf(self, headers: Headers, body: bytes, charset: str, *, html: bool) -> _Text:
        encoding = headers.first("content-transfer-encoding")
        data, flaw = decode_transfer(body, encoding)
        self.flaw(flaw)
        if data is body and _is_quoted_printable(body):
            data, _ = decode_transfer(body, "quoted-printable")
            self.flaw("quoted-printable, though no header says so")
        if len(data) > self._text_left:
            data = data[: self._text_left]
            self.flaw(f"text longer than {MAX_TEXT} bytes, the rest was not read")
        self._text_left -= len(data)
        if html and not charset and (named := _META_CHARSET.search(data[:2_000])):
            charset = named[1].decode("ascii")
        text, flaw = decode_text(data, charset)
        self.flaw(flaw)
        if html:
            page = read_html(text)
            return _Text(page.text, page.preformatted)
        return _Text(text.replace("\r\n", "\n").replace("\r", "\n"), plain=True)


def _content_type(value: str) -> tuple[str, dict[str, str]]:
    """`text/plain; charset=x` as its type and its parameters. What names no proper type is plain text (RFC 2045)."""
    kind = value.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for name, written in _PARAMETER.findall(value):
        parameters.setdefault(name.lower(), written.strip('"').strip())
    return (kind if "/" in kind else "text/plain"), parameters


def _is_attachment(headers: Headers, parameters: dict[str, str]) -> bool:
    disposition, named = _content_type("x/" + headers.first("content-disposition"))
    return disposition == "x/attachment" or "filename" in named or "name" in parameters


def _is_quoted_printable(body: bytes) -> bool:
    return _SURE_ESCAPE.search(body) is not None and body.count(b"=") == len(_ESCAPE.findall(body))
