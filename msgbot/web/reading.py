"""From what a client has sent to messages that were read. Takes nothing but values, so that the reader process can do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from msgbot.channels.decoding import storable
from msgbot.channels.rows import message_of
from msgbot.domain.conversation import Turn
from msgbot.domain.message import Source
from msgbot.errors import InputError
from msgbot.reader import Reader
from msgbot.web.bodies import LONGEST_LINE, parse_json
from msgbot.web.problems import Problem, invalid, problem_of
from msgbot.web.shapes import MessageIn, canonical


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the messages of one request have in common. `account` is theirs where they name none; `own_addresses` are the seller's
    own, by account, of the accounts that they may be for."""

    account: str
    own_addresses: Mapping[str, frozenset[str]]
    origin: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Bad:
    """What is no message, and why."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A message for an account that its envelope does not hold."""

    account: str


Sound = tuple[Turn, bytes]
"""A message that was read, and the form it is kept in: the same content always gives the same bytes."""


def read_values(reader: Reader, values: Sequence[Any], envelope: Envelope) -> list[Sound | Bad | Elsewhere]:
    """What each JSON value is."""
    return [_tried(_read, reader, value, envelope) for value in values]


def read_json_lines(reader: Reader, lines: Sequence[bytes], envelope: Envelope) -> list[Sound | Bad | Elsewhere]:
    """What each line of JSON is."""
    return [_tried(_read_line, reader, line, envelope) for line in lines]


_Read = Callable[[Reader, Any, Envelope], Sound | Elsewhere]


def _tried(read: _Read, reader: Reader, given: Any, envelope: Envelope) -> Sound | Bad | Elsewhere:
    try:
        return read(reader, given, envelope)
    except Problem as problem:
        return Bad(problem)
    except InputError as error:
        return Bad(problem_of(error))


def _read_line(reader: Reader, line: bytes, envelope: Envelope) -> Sound | Elsewhere:
    if len(line) > LONGEST_LINE:
        raise Problem(413, "too_large", f"a line is {LONGEST_LINE} bytes long at most")
    return _read(reader, parse_json(line), envelope)


def _read(reader: Reader, given: Any, envelope: Envelope) -> Sound | Elsewhere:
    try:
        made = MessageIn.model_validate(canonical(given) if isinstance(given, dict) else given)
    except ValidationError as error:
        raise invalid(error) from error
    account = made.account or envelope.account
    if account not in envelope.own_addresses:
        return Elsewhere(account)
    raw = made.model_dump_json(by_alias=True, exclude_none=True).encode()
    values = {
        "id": storable(made.id or "").strip(),
        "text": storable(made.text).strip(),
        "orders": " ".join(made.order_ids or ()),
        "from": (made.sender or "").strip(),
        "to": (made.to or "").strip(),
        "subject": made.subject or "",
        "sent_at": made.sent_at.isoformat() if made.sent_at is not None else "",
        "language": made.language or "",
        "marketplace": made.marketplace or "",
        "direction": made.direction or "",
    }
    message = message_of(
        values,
        raw,
        account=account,
        own_addresses=envelope.own_addresses[account],
        source=Source.API,
        origin=envelope.origin,
        request_id=envelope.request_id,
    )
    return reader.read(message), raw
