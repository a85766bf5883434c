"""The audit trail: entries chained by hash, so that changing, moving, dropping or adding one is found.

Entries hold no buyer's words: a message stands in them by its id and a salted digest of its text, so that the text can be
deleted later and the chain still proves what was there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

Value = str | int | float | bool | None | list[str]
Facts = Mapping[str, Value]
"""What an entry says: flat, and without a buyer's words."""
START = "0" * 64
"""The hash that the first entry of an account follows on."""
INSTALLATION = "installation"
"""The name under which what belongs to no seller account stands in the trail: users, tokens, and the accounts themselves."""


class EntryKind(StrEnum):
    """What an entry records."""

    MESSAGE_RECEIVED = "message_received"
    DECISION = "decision"
    REPLY_SENT = "reply_sent"
    REPLY_STOPPED = "reply_stopped"
    REPLY_FAILED = "reply_failed"
    REPLY_CHANGED = "reply_changed"
    FORMAL_REQUEST_ON_FILE = "formal_request_on_file"
    FORMAL_REQUEST_DENIED = "formal_request_denied"
    FORMAL_REQUEST_CONFIRMED = "formal_request_confirmed"
    ORDERS_IMPORTED = "orders_imported"
    ORDER_PUSHED = "order_pushed"
    ORDER_CANCELLED_SEEN = "order_cancelled_seen"
    RULING = "ruling"
    OVERRIDE = "override"
    CANCELLATION = "cancellation"
    FEED_SUBMITTED = "feed_submitted"
    FEED_ENDED = "feed_ended"
    SOLICITING = "soliciting"
    USER_CHANGED = "user_changed"
    TOKEN_CHANGED = "token_changed"  # noqa: S105 - a word, no secret
    ACCOUNT_CHANGED = "account_changed"
    WEBHOOK_CHANGED = "webhook_changed"
    PRUNED = "pruned"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `facts` are flat and say no buyer's words; `previous` and `hash` are hex SHA-256."""

    account: str
    number: int
    at: datetime
    kind: EntryKind
    facts: Facts
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where a chain does not hold: the number of the entry and what is wrong there."""

    account: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"account {self.account}, entry {self.number}: {self.text}"


def digest(text: str, salt: str) -> str:
    """The salted digest by which `text` stands in the trail."""
    return hashlib.sha256(f"{salt}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def chain(account: str, number: int, at: datetime, kind: EntryKind, facts: Facts, previous: str) -> Entry:
    """The entry that follows on the one whose hash is `previous`."""
    at = at.astimezone(UTC)
    return Entry(account, number, at, kind, dict(facts), previous, _hash(account, number, at, kind, facts, previous))


def _hash(account: str, number: int, at: datetime, kind: str, facts: Facts, previous: str) -> str:
    content = [account, number, at.astimezone(UTC).isoformat(timespec="microseconds"), str(kind), dict(facts), previous]
    canonical = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def check_next(entry: Entry, account: str, number: int, previous: str) -> Break | None:
    """What is wrong with `entry` as the one that follows entry `number` with the hash `previous`; None when it holds."""
    if entry.number > number + 1:
        return Break(account, number + 1, "the entry is missing")
    if entry.number <= number:
        return Break(account, entry.number, "the entry stands there twice")
    if entry.previous != previous:
        return Break(account, entry.number, "it does not follow on the entry before it: one of the two was changed or replaced")
    if entry.account != account or entry.hash != _hash(entry.account, entry.number, entry.at, entry.kind, entry.facts, previous):
        return Break(account, entry.number, "its content was changed after it was written")
    return None


def check_end(account: str, number: int, previous: str, head: tuple[int, str]) -> Break | None:
    """What is wrong when the chain ends with entry `number` and the hash `previous` while its head says `head`; None when it
    holds."""
    if (number, previous) == head:
        return None
    return Break(
        account, number + 1, f"the chain ends at entry {number}, its head says {head[0]}: entries were cut off, added or replaced"
    )


def verify(account: str, entries: Iterable[Entry], head: tuple[int, str]) -> Break | None:
    """The first break in the chain of `account`, or None when it holds. `entries` come by number; `head` is the number and hash
    that the last entry must have."""
    number, previous = 0, START
    for entry in entries:
        broken = check_next(entry, account, number, previous)
        if broken is not None:
            return broken
        number, previous = entry.number, entry.hash
    return check_end(account, number, previous, head)
