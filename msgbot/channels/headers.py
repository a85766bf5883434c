"""The header fields of a mail as values. Nothing here raises, and all of it is linear in the length of the fields.

`email` finds the fields, but their values are read here: its own reading of them raises on some real headers and takes seconds on
long address lists (domain.md section 9, item 9).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MissingHeaderBodySeparatorDefect
from email.message import Message
from email.utils import parsedate_to_datetime

from msgbot.channels.decoding import decode_text, decode_transfer, storable

MAX_VALUE = 10_000
"""Characters of one header value that are looked at."""
MAX_HEADERS = 1_000
MAX_ID = 500
"""Characters of a message id: the longest that a unique index takes without trouble."""
MAX_REFERENCES = 100

_CUT = "a header is cut"
_ENCODED_WORD = re.compile(r"=\?([!->@-~]+)\?([bBqQ])\?([^?]*)\?=")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in order, names in small letters, values unfolded and undecoded. A missing field reads as empty."""

    fields: tuple[tuple[str, str], ...] = ()
    flaws: tuple[str, ...] = field(default=(), compare=False)

    def all(self, name: str) -> tuple[str, ...]:
        """The values of every field called `name`, whatever its letter case."""
        name = name.lower()
        return tuple(value for key, value in self.fields if key == name)

    def first(self, name: str) -> str:
        """The value of the first field called `name`."""
        return next(iter(self.all(name)), "")

    def text(self, name: str) -> str:
        """The first field called `name` for people: encoded words (RFC 2047) decoded, blanks made single."""
        return decode_words(self.first(name))

    def names(self) -> frozenset[str]:
        """The names of all fields, in small letters."""
        return frozenset(name for name, _ in self.fields)


def read_headers(part: Message) -> Headers:
    """The header fields of a parsed mail or part, as they were written."""
    fields: list[tuple[str, str]] = []
    flaws: dict[str, None] = {}
    for name, value in part.raw_items():
        if len(fields) == MAX_HEADERS or len(value) > MAX_VALUE:
            flaws[_CUT] = None
        if len(fields) == MAX_HEADERS:
            break
        text, flaw = decode_text(value[:MAX_VALUE].encode("utf-8", "surrogateescape"), "utf-8")
        fields.append((name.strip().lower(), " ".join(text.split())))
        if flaw:
            flaws[f"header {name.strip().lower()}: {flaw}"] = None
    if any(isinstance(defect, MissingHeaderBodySeparatorDefect) for defect in part.defects):
        flaws["no blank line after the headers"] = None
    return Headers(tuple(fields), tuple(flaws))


def decode_words(value: str) -> str:
    """`value` with its encoded words (RFC 2047) decoded.

    Neighbours in one charset are joined as bytes first: Japanese mail programs cut in the middle of a character.
    """
    out: list[str] = []
    pending, charset, position = b"", "", 0
    for found in _ENCODED_WORD.finditer(value):
        gap = value[position : found.start()]
        named = found[1].partition("*")[0].lower()
        if pending and (gap.strip() or named != charset):
            out.append(decode_text(pending, charset)[0])
            pending = b""
        if gap.strip() or not position:
            out.append(gap)
        pending += _word(found[2].lower(), found[3])
        charset, position = named, found.end()
    if pending:
        out.append(decode_text(pending, charset)[0])
    out.append(value[position:])
    return " ".join(storable("".join(out)).split())


def message_ids(value: str) -> tuple[str, ...]:
    """The message ids in a Message-ID, In-Reply-To or References value, angle brackets kept, each once, the last 100."""
    ids = dict.fromkeys(found for found in _MESSAGE_ID.findall(value) if len(found) <= MAX_ID)
    return tuple(ids)[-MAX_REFERENCES:]


def read_date(value: str) -> datetime | None:
    """The moment a Date value names, in UTC, or None. A date without a zone is taken for UTC, as RFC 5322 has it."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None


def _word(encoding: str, written: str) -> bytes:
    data = written.encode("utf-8", "replace")
    if encoding == "b":
        return decode_transfer(data, "base64")[0]
    return decode_transfer(data.replace(b"_", b"=20"), "quoted-printable")[0]
