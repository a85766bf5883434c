"""Receive: take messages in. Fast, no network: detect, then message, verdict and "answer this" in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.clock import Clock
from msgbot.domain.conversation import Turn
from msgbot.domain.detector import Detector
from msgbot.domain.message import Kind, Message, Source
from msgbot.domain.policy import Situation, decide
from msgbot.domain.solicitation import asks_to_file
from msgbot.domain.trail import EntryKind, digest
from msgbot.domain.verdict import Intent, Verdict
from msgbot.engine import Engine
from msgbot.store import messages, replies, trail
from msgbot.store.database import Database

ANSWER = "answer"
"""The name of the workflow that answers a message."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message taken in. `new` is False when it was on file already: then nothing was done."""

    turn: Turn
    new: bool


class Receive:
    """The use case. `buttons` are what the button for a formal request is called, by which a seller's own instruction is
    recognised."""

    def __init__(self, database: Database, engine: Engine, detector: Detector, buttons: frozenset[str], clock: Clock) -> None:
        self._database = database
        self._engine = engine
        self._detector = detector
        self._buttons = buttons
        self._clock = clock

    async def receive(self, account: str, incoming: Sequence[tuple[Message, bytes]]) -> list[Received]:
        """Takes messages in, each with its raw content, in one transaction: all of them or, after an error, none."""
        turns = [self._read(message) for message, _ in incoming]
        results: list[Received] = []
        async with self._database.transaction() as connection:
            known = await messages.known(connection, account, [turn.message.id for turn in turns])
            for turn, (_, raw) in zip(turns, incoming, strict=True):
                if turn.message.source is Source.FILE and await _is_another(connection, turn.message, raw, known):
                    turn = replace(turn, message=_numbered_anew(turn.message, raw))
                    known |= await messages.known(connection, account, [turn.message.id])
                new = turn.message.id not in known
                if new:
                    known[turn.message.id] = raw
                    await self._put(connection, turn, raw)
                results.append(Received(turn, new))
        return results

    def _read(self, message: Message) -> Turn:
        if message.kind is Kind.BUYER:
            text = message.text if message.text.strip() else message.subject
            return Turn(message, self._detector.detect(text, message.language))
        nothing = Verdict(Intent.NONE, 1.0, says="not read: only buyers' messages are")
        return Turn(message, nothing, solicits=message.kind is Kind.SELLER and self._asks_to_file(message.text))

    def _asks_to_file(self, text: str) -> bool:
        return asks_to_file(text, self._buttons) or self._detector.detect(text).intent is Intent.REQUEST

    async def _put(self, connection: AsyncConnection, turn: Turn, raw: bytes) -> None:
        message, verdict, now = turn.message, turn.verdict, self._clock()
        salt = await messages.add(connection, turn, raw, now)
        if not _needs_answer(turn):
            situation = Situation(message, verdict.intent, verdict, self._detector.rulebook.thresholds, now)
            order_id = message.order_ids[0] if message.order_ids else ""
            await replies.add_decision(connection, message.account, message.id, order_id, decide(situation), now)
            return
        await trail.append(
            connection,
            message.account,
            now,
            EntryKind.MESSAGE_RECEIVED,
            {
                "message": message.id,
                "kind": message.kind.value,
                "orders": list(message.order_ids),
                "text_digest": digest(message.text, salt),
                "intent": verdict.intent.value,
                "score": round(verdict.score, 4),
                "rule": verdict.rule,
                "language": verdict.language,
                "rules_fingerprint": self._detector.rulebook.fingerprint,
            },
        )
        await self._engine.enqueue(connection, ANSWER, message.account, message.id)


async def _is_another(connection: AsyncConnection, message: Message, raw: bytes, known: Mapping[str, bytes | None]) -> bool:
    """Whether another message than this one is on file under its id."""
    if message.id not in known:
        return False
    content = known[message.id]
    return content != raw if content is not None else await messages.contradicts(connection, message)


def _numbered_anew(message: Message, raw: bytes) -> Message:
    """`message` under an id of its own: exports number their rows from 1 each time, so that another row came under this id
    before."""
    content = hashlib.sha256(raw).hexdigest()[:12]
    flaw = f"another message came under the id {message.id} before"
    return replace(message, id=f"{message.id}#{content}", flaws=(*message.flaws, flaw))


def _needs_answer(turn: Turn) -> bool:
    """Whether the message calls for a decision that depends on more than itself."""
    kind = turn.message.kind
    if kind is Kind.BUYER:
        return turn.verdict.intent is not Intent.NONE or turn.verdict.opposes
    return kind is Kind.FORMAL_REQUEST_NOTICE or turn.solicits
