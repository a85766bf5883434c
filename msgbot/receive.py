"""Receive: take messages in. Fast, no network: detect, then message, verdict and "answer this" in one transaction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot import metrics
from msgbot.announce import announce_many
from msgbot.answer import ANSWER
from msgbot.clock import Clock
from msgbot.domain.conversation import Turn
from msgbot.domain.events import EventType
from msgbot.domain.message import Kind, Message, Source
from msgbot.domain.policy import Decision, Situation, decide
from msgbot.domain.trail import EntryKind, Facts, Value, digest
from msgbot.domain.verdict import Intent
from msgbot.engine import Engine
from msgbot.reader import Reader
from msgbot.store import messages, replies, trail
from msgbot.store.database import Database


@dataclass(frozen=True, slots=True)
class Received:
    """A message taken in. `new` is False when it was on file already: then nothing was done. `clash`: what is on file under its
    id has another text."""

    turn: Turn
    new: bool
    clash: bool = False


class Receive:
    """The use case."""

    def __init__(self, database: Database, engine: Engine, reader: Reader, clock: Clock) -> None:
        self._database = database
        self._engine = engine
        self._reader = reader
        self._rulebook = reader.detector.rulebook
        self._clock = clock

    async def receive(self, incoming: Sequence[tuple[Message, bytes]]) -> list[Received]:
        """Takes messages in, each with its raw content, in one transaction: all of them or, after an error, none."""
        return await self.put([(self._reader.read(message), raw) for message, raw in incoming])

    async def put(self, incoming: Sequence[tuple[Turn, bytes]]) -> list[Received]:
        """Puts messages that were read on file, in one transaction."""
        try:
            return await self._put(incoming)
        except IntegrityError:
            # Another process took one of them in a moment ago; now it is on file.
            return await self._put(incoming)

    async def _put(self, incoming: Sequence[tuple[Turn, bytes]]) -> list[Received]:
        results: list[Received] = []
        async with self._database.transaction() as connection:
            fresh: dict[str, list[tuple[Turn, bytes]]] = {}
            known = await _known(connection, [turn.message for turn, _ in incoming])
            for turn, raw in incoming:
                message = turn.message
                if message.source is Source.FILE and await _is_another(connection, message, raw, known):
                    turn = replace(turn, message=_numbered_anew(message, raw))
                    message = turn.message
                    known |= await _known(connection, [message])
                if _key(message) in known:
                    results.append(Received(turn, new=False, clash=known[_key(message)] not in (raw, None)))
                    continue
                known[_key(message)] = raw
                fresh.setdefault(message.account, []).append((turn, raw))
                results.append(Received(turn, new=True))
            # Always in the same order: each account's chain is locked until the end, and two processes must not wait for each
            # other.
            for account in sorted(fresh):
                await self._put_new(connection, account, fresh[account])
        counted = Counter((each.turn.message.kind.value, each.turn.verdict.intent.value) for each in results if each.new)
        for labels, count in counted.items():
            metrics.messages.labels(*labels).inc(count)
        return results

    async def _put_new(self, connection: AsyncConnection, account: str, fresh: list[tuple[Turn, bytes]]) -> None:
        now = self._clock()
        salts = await messages.add_many(connection, fresh, now)
        settled = [
            (account, turn.message.id, _first_order(turn), self._nothing(turn, now)) for turn, _ in fresh if not _calls(turn)
        ]
        await replies.add_decisions(connection, settled, now)
        open_turns = [(turn, salt) for (turn, _), salt in zip(fresh, salts, strict=True) if _calls(turn)]
        entries = [(EntryKind.MESSAGE_RECEIVED, self._facts(turn, salt)) for turn, salt in open_turns]
        await trail.append_many(connection, account, now, entries)
        await self._engine.enqueue_many(connection, ANSWER, account, [turn.message.id for turn, _ in open_turns])
        told = [_told(turn) for turn, _ in open_turns if turn.verdict.intent in {Intent.REQUEST, Intent.CONDITIONAL}]
        await announce_many(connection, self._engine, account, EventType.REQUEST_DETECTED, told, now)

    def _nothing(self, turn: Turn, now: datetime) -> Decision:
        return decide(Situation(turn.message, turn.verdict.intent, turn.verdict, self._rulebook.thresholds, now))

    def _facts(self, turn: Turn, salt: str) -> Facts:
        message, verdict = turn.message, turn.verdict
        return {
            "message": message.id,
            "kind": message.kind.value,
            "orders": list(message.order_ids),
            "text_digest": digest(message.text, salt),
            "intent": verdict.intent.value,
            "score": round(verdict.score, 4),
            "rule": verdict.rule,
            "language": verdict.language,
            "rules_fingerprint": self._rulebook.fingerprint,
            "request": message.request_id,
        }


def _key(message: Message) -> tuple[str, str]:
    return message.account, message.id


async def _known(connection: AsyncConnection, incoming: Sequence[Message]) -> dict[tuple[str, str], bytes | None]:
    """The messages among `incoming` that are on file, with the raw content each came with, unless it was removed since."""
    found: dict[tuple[str, str], bytes | None] = {}
    for account in sorted({message.account for message in incoming}):
        ids = [message.id for message in incoming if message.account == account]
        for message_id, raw in (await messages.known(connection, account, ids)).items():
            found[account, message_id] = raw
    return found


async def _is_another(
    connection: AsyncConnection, message: Message, raw: bytes, known: Mapping[tuple[str, str], bytes | None]
) -> bool:
    """Whether another message than this one is on file under its id."""
    if _key(message) not in known:
        return False
    content = known[_key(message)]
    return content != raw if content is not None else await messages.contradicts(connection, message)


def _first_order(turn: Turn) -> str:
    return turn.message.order_ids[0] if turn.message.order_ids else ""


def _told(turn: Turn) -> dict[str, Value]:
    """What a webhook is told of a request."""
    verdict = turn.verdict
    return {
        "message": turn.message.id,
        "order": _first_order(turn),
        "intent": verdict.intent.value,
        "score": round(verdict.score, 4),
        "language": verdict.language,
    }


def _numbered_anew(message: Message, raw: bytes) -> Message:
    """`message` under an id of its own: exports number their rows from 1 each time, so that another row came under this id
    before."""
    content = hashlib.sha256(raw).hexdigest()[:12]
    flaw = f"another message came under the id {message.id} before"
    return replace(message, id=f"{message.id}#{content}", flaws=(*message.flaws, flaw))


def _calls(turn: Turn) -> bool:
    """Whether the message calls for a decision that depends on more than itself."""
    kind = turn.message.kind
    if kind is Kind.BUYER:
        return turn.verdict.intent is not Intent.NONE or turn.verdict.opposes
    return kind is Kind.FORMAL_REQUEST_NOTICE or turn.solicits
