"""Retries: when what could not be delivered is tried again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SCHEDULE = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""How long to wait after the first try, the second and so on: about two days in all."""
LONGEST_ASKED = timedelta(days=1)
"""A receiver that asks to wait longer is not heeded beyond this."""
_SPREAD = 0.2


def wait_after(
    tries: int, identity: str, asked: timedelta = timedelta(0), schedule: Sequence[timedelta] = SCHEDULE
) -> timedelta | None:
    """How long to wait after so many tries, at least as long as the receiver `asked`; None when it was the last.

    Up to a fifth longer than the schedule says, by `identity`: what failed together is not all tried again at one moment."""
    if tries > len(schedule):
        return None
    drawn = int.from_bytes(hashlib.sha256(f"{identity}\n{tries}".encode()).digest()[:4], "big") / 2**32
    return max(schedule[tries - 1] * (1 + _SPREAD * drawn), min(asked, LONGEST_ASKED))


def asked_wait(retry_after: str, now: datetime) -> timedelta:
    """How long the header `Retry-After` asks to wait, in seconds or until a date; nothing when it says neither."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:12]), LONGEST_ASKED.total_seconds()))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return timedelta(0)
    return max(until.replace(tzinfo=until.tzinfo or UTC) - now, timedelta(0))
