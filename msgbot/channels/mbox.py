"""Mails out of an mbox file, one after the other, in constant memory. No line of any file makes it raise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from msgbot.errors import InputError

MAX_KEPT = 32_000_000
"""Bytes of one mail that are kept; Amazon lets no larger one through."""
_LONGEST_LINE = 65_536
_DATED = re.compile(rb"\d{1,2}:\d{2}.*\b(?:19|20)\d{2}\b|\b(?:19|20)\d{2}\b.*\d{1,2}:\d{2}")
_ESCAPED = re.compile(rb">+From ")


def split_mbox(file: BinaryIO) -> Iterator[bytes]:
    """The raw mails, without their `From ` lines, and with `>From ` turned back (mboxrd). `file.tell()` says how far it is.

    Raises InputError where the file does not begin as an mbox does.
    """
    opening = file.readline(_LONGEST_LINE)
    if not opening.startswith(b"From "):
        raise InputError("an mbox begins with a line `From …`; a single mail is named .eml")
    # Some programs forget to escape "From " in a mail. Where the file's own lines carry a date, such a one is told by having none.
    dated = _DATED.search(opening) is not None
    mail = bytearray()
    after_blank, at_start = False, True
    while line := file.readline(_LONGEST_LINE):
        if at_start and after_blank and line.startswith(b"From ") and (not dated or _DATED.search(line)):
            yield bytes(mail)
            mail.clear()
        elif len(mail) < MAX_KEPT:
            mail += line[1:] if at_start and _ESCAPED.match(line) else line
        after_blank = at_start and not line.strip(b"\r\n")
        at_start = line.endswith(b"\n")
    yield bytes(mail)
