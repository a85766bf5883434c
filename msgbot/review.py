"""Review: what a person does with replies. Looks at what is suggested, edits it, sends it, sets it aside; and asks what msgbot
would answer to a message that nobody wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.answer import SEND, waiting_for
from msgbot.clock import Clock
from msgbot.domain.conversation import Turn
from msgbot.domain.guard import judge_message
from msgbot.domain.policy import INSTRUCTIONS, Decision, decide
from msgbot.domain.reply import outbound_faults
from msgbot.domain.solicitation import asks_to_file
from msgbot.domain.trail import EntryKind, Facts, digest
from msgbot.domain.verdict import Intent
from msgbot.engine import Engine
from msgbot.errors import Conflict, InputError, NotFound, Stale
from msgbot.reader import Reader
from msgbot.scene import Scene, Scenes, instruction_key
from msgbot.store import messages, replies, trail
from msgbot.store.database import Database
from msgbot.store.paging import Place
from msgbot.store.replies import Decided, Reply, ReplyState

_CAN_BE_SENT = frozenset({ReplyState.SUGGESTED, ReplyState.FAILED})


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A reply with the message it answers and the decision on that."""

    reply: Reply
    turn: Turn
    decided: Decided | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be answered to a message, and why. `body` is empty when there would be no reply."""

    turn: Turn
    order_ids: tuple[str, ...]
    decision: Decision
    language: str
    body: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts, as the audit names them, the version of the reply they looked at (None: whatever it is now), and the id of the
    HTTP request."""

    name: str
    version: int | None = None
    request_id: str = ""


class Review:
    """The use case."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        reader: Reader,
        scenes: Scenes,
        clock: Clock,
        *,
        undo_seconds: float,
    ) -> None:
        self._database = database
        self._engine = engine
        self._buttons = reader.buttons
        self._scenes = scenes
        self._clock = clock
        self._undo_seconds = undo_seconds

    async def page(
        self, account: str, states: Sequence[ReplyState], before: Place | None, limit: int, order_id: str = ""
    ) -> list[Reviewed]:
        """Up to `limit` replies in these states, the newest first."""
        async with self._database.reading() as connection:
            found = await replies.page(connection, account, states, before, limit, order_id)
            return await _with_messages(connection, account, found)

    async def get(self, account: str, reply_id: str) -> Reviewed:
        """One reply. Raises NotFound."""
        async with self._database.reading() as connection:
            [reviewed] = await _with_messages(connection, account, [await _reply(connection, account, reply_id)])
            return reviewed

    async def edit(self, account: str, reply_id: str, body: str, person: Person) -> Reply:
        """Puts other words into a suggestion. Raises NotFound, Stale, Conflict when it is no suggestion any more, and InputError
        when Amazon would not take the words or they solicit."""
        body = body.replace("\r\n", "\n").strip() + "\n"
        if faults := outbound_faults(body):
            raise InputError("; ".join(faults), field="body")
        async with self._database.transaction() as connection:
            reply = await _looked_at(connection, account, reply_id, person)
            if reply.state is not ReplyState.SUGGESTED:
                raise Conflict(f"the reply is {reply.state.value}: only a suggestion can be edited")
            self._check_not_soliciting(await self._scene(connection, reply), body)
            return await self._change(connection, reply, person, "edited", body=body)

    async def send(self, account: str, reply_id: str, person: Person) -> Reply:
        """Sends a suggestion, or a reply that failed once more, when the time to stop it is over. Raises NotFound, Stale, and
        Conflict when it cannot be sent."""
        try:
            return await self._send(account, reply_id, person)
        except IntegrityError:
            # Another reply took the order's one place for an instruction a moment ago.
            return await self._send(account, reply_id, person)

    async def _send(self, account: str, reply_id: str, person: Person) -> Reply:
        async with self._database.transaction() as connection:
            reply = await _looked_at(connection, account, reply_id, person)
            if reply.state not in _CAN_BE_SENT:
                raise Conflict(f"the reply is {reply.state.value}: only a suggestion, or one that failed, can be sent")
            scene = await self._scene(connection, reply)
            if not scene.turn.message.buyer_address:
                raise Conflict("there is no relay address to send to: answer in Seller Central")
            if not reply.body.strip():
                raise Conflict("the text of this reply was removed: its time was over")
            self._check_not_soliciting(scene, reply.body)
            first = await replies.instruction_for(connection, account, reply.order_id) is None
            instructs = reply.template in INSTRUCTIONS and bool(reply.order_id)
            once = instruction_key(reply.order_id) if instructs and first else reply.once
            changes = {"state": ReplyState.PENDING, "automatic": False, "once": once, "note": ""}
            sent = await self._change(connection, reply, person, "sent", **changes)
            await self._engine.enqueue(
                connection, SEND, account, waiting_for(sent), attempt=f"v{sent.version}", delay=self._undo_seconds
            )
        return sent

    async def dismiss(self, account: str, reply_id: str, person: Person, note: str = "") -> Reply:
        """Sets a suggestion aside, or stops a reply that has not gone out. Raises NotFound, Stale, Conflict when it is too late."""
        async with self._database.transaction() as connection:
            reply = await _looked_at(connection, account, reply_id, person)
            if reply.state not in {*_CAN_BE_SENT, ReplyState.PENDING}:
                raise Conflict(f"the reply is {reply.state.value}: there is nothing left to stop")
            stopped = reply.state is ReplyState.PENDING
            state = ReplyState.STOPPED if stopped else ReplyState.DISMISSED
            change = "stopped" if stopped else "dismissed"
            return await self._change(connection, reply, person, change, state=state, once=None, note=note.strip())

    async def preview(self, turn: Turn) -> Preview:
        """What would be done about a message if it came in now. Nothing is put on file."""
        now = self._clock()
        async with self._database.reading() as connection:
            scene = await self._scenes.of_turn(connection, turn, now)
        language = self._scenes.language(scene)
        decision = decide(self._scenes.situation(scene, now, language))
        reply = self._scenes.reply(scene, decision, language, now)
        return Preview(turn, scene.order_ids, decision, language, reply.body if reply is not None else "")

    async def _scene(self, connection: AsyncConnection, reply: Reply) -> Scene:
        return await self._scenes.of_message(connection, reply.account, reply.message_id, self._clock())

    def _check_not_soliciting(self, scene: Scene, body: str) -> None:
        turn, conversation = scene.turn, scene.conversation
        asked = conversation.asked_before(turn) or turn.verdict.intent in {Intent.REQUEST, Intent.CONDITIONAL}
        ruling = judge_message(asks_to_file=asks_to_file(body, self._buttons), buyer_asked=asked)
        if ruling is not None:
            raise InputError(f"{'; '.join(ruling.reasons)}: {ruling.way_out}", field="body")

    async def _change(self, connection: AsyncConnection, reply: Reply, person: Person, change: str, **changes: Any) -> Reply:
        changed = await replies.change(connection, reply, changed_by=person.name, **changes)
        if changed is None:
            raise Stale("somebody changed this reply a moment ago: look at it again")
        facts: Facts = {
            "reply": reply.id,
            "message": reply.message_id,
            "order": reply.order_id,
            "change": change,
            "by": person.name,
            "text_digest": digest(changed.body, reply.mail_id),
            "request": person.request_id,
        }
        await trail.append(connection, reply.account, self._clock(), EntryKind.REPLY_CHANGED, facts)
        return changed


async def _reply(connection: AsyncConnection, account: str, reply_id: str) -> Reply:
    reply = await replies.get(connection, account, reply_id)
    if reply is None:
        raise NotFound(f"no reply {reply_id} of account {account}")
    return reply


async def _looked_at(connection: AsyncConnection, account: str, reply_id: str, person: Person) -> Reply:
    """The reply, if it still is as the person saw it."""
    reply = await _reply(connection, account, reply_id)
    if person.version is not None and person.version != reply.version:
        raise Stale(f"this reply is at version {reply.version} now, not {person.version}: look at it again")
    return reply


async def _with_messages(connection: AsyncConnection, account: str, found: Sequence[Reply]) -> list[Reviewed]:
    ids = [reply.message_id for reply in found]
    turns = await messages.received(connection, account, ids)
    decided = await replies.decided(connection, account, ids)
    return [Reviewed(reply, turns[reply.message_id][0], decided.get(reply.message_id)) for reply in found]
