"""Answer: what happens to a message that calls for one. `run` is a durable workflow; reading it from top to bottom is reading
the product."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon import marketplaces
from msgbot.channels.compose import OutgoingReply
from msgbot.clock import Clock
from msgbot.content.replies import Replies, Wording
from msgbot.domain.conversation import Conversation, Turn
from msgbot.domain.message import Kind, Message
from msgbot.domain.order import FormalRequest, Order
from msgbot.domain.policy import INSTRUCTIONS, Action, Decision, Situation, Template, decide
from msgbot.domain.rulebook import Thresholds
from msgbot.domain.trail import EntryKind, Facts, digest
from msgbot.domain.verdict import Intent
from msgbot.engine import pause, step
from msgbot.errors import ContentError, DeliveryError, NotFound
from msgbot.store import formal_requests, messages, orders, replies, trail
from msgbot.store.database import Database
from msgbot.store.replies import Reply, ReplyState

INSTRUCTION = "instruction"
"""The key under which an order gets its instruction once."""
_DEFAULT_WINDOW = timedelta(minutes=30)
_UNSENT = frozenset({ReplyState.PENDING, ReplyState.FAILED})
"""A reply that failed is tried again when its message is taken up again."""


class Outbox(Protocol):
    """Where replies go. Delivering the same reply again must do no harm: a step may run twice."""

    async def deliver(self, reply: OutgoingReply, at: datetime) -> str:
        """Hands the reply over, dated `at`, and says where it went. Raises DeliveryError when it could not."""
        ...


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is on file about a message at this moment."""

    turn: Turn
    conversation: Conversation
    order_ids: tuple[str, ...]
    order: Order | None
    formal: tuple[FormalRequest, ...]
    instructed_at: datetime | None


class Answer:
    """The use case."""

    def __init__(
        self,
        database: Database,
        wordings: Replies,
        thresholds: Thresholds,
        outbox: Outbox,
        clock: Clock,
        *,
        store: str,
        undo_seconds: float,
        freshness: timedelta,
    ) -> None:
        self._database = database
        self._wordings = wordings
        self._thresholds = thresholds
        self._outbox = outbox
        self._clock = clock
        self._store = store
        self._undo_seconds = undo_seconds
        self._freshness = freshness

    async def run(self, account: str, message_id: str) -> None:
        """Decides about one message, and answers it if that is the decision."""
        reply_id = await step("decide", self.decide, account, message_id)
        if not reply_id:
            return
        await pause(self._undo_seconds)
        if await step("look again", self.look_again, account, reply_id):
            await step("send", self.send, account, reply_id)

    async def decide(self, account: str, message_id: str) -> str:
        """Records what to do about a message, with its reply if there is one. The id of a reply that is to be sent, or empty."""
        try:
            return await self._decide(account, message_id)
        except IntegrityError:
            # Another message of the same order took the one place for its instruction a moment ago; now that is on file.
            return await self._decide(account, message_id)

    async def _decide(self, account: str, message_id: str) -> str:
        now = self._clock()
        async with self._database.transaction() as connection:
            if message_id in await replies.decided(connection, account, [message_id]):
                known = (await replies.to_messages(connection, account, [message_id])).get(message_id)
                return known.id if known is not None and known.state in _UNSENT else ""
            scene = await self._scene(connection, account, message_id)
            language = self._language(scene)
            decision = decide(self._situation(scene, now, language))
            order_id = scene.order_ids[0] if scene.order_ids else ""
            await replies.add_decision(connection, account, message_id, order_id, decision, now)
            if decision.speaks_for_conversation and scene.turn.message.kind is Kind.BUYER:
                await _retire_suggestions(connection, scene, now)
            reply = self._reply(scene, decision, language, order_id, now)
            if reply is not None:
                await replies.add(connection, reply)
            await trail.append(connection, account, now, EntryKind.DECISION, _decision_facts(scene, decision, reply))
            if decision.code == "soliciting":
                await trail.append(connection, account, now, EntryKind.SOLICITING, {"message": message_id, "order": order_id})
        return reply.id if reply is not None and reply.state is ReplyState.PENDING else ""

    async def look_again(self, account: str, reply_id: str) -> str:
        """Stops a waiting reply if the conversation or the order has moved on. The reply's id if it may go out, else empty."""
        now = self._clock()
        async with self._database.transaction() as connection:
            reply = await _waiting(connection, account, reply_id)
            if reply is None:
                return ""
            scene = await self._scene(connection, account, reply.message_id)
            # Its own place among the replies must not make it look like an order that was instructed before.
            scene = replace(scene, instructed_at=None)
            situation = self._situation(scene, now, reply.language)
            if situation.overtaken_intent is Intent.REQUEST:
                # Who asks again is answered by this reply too; it holds the order's one place for an instruction.
                situation = replace(situation, overtaken_by="", overtaken_intent=Intent.NONE)
            decision = decide(situation)
            if decision.action is Action.SEND:
                return reply.id
            await _stop(connection, reply, now, because=decision.code, note="; ".join(decision.reasons))
            if decision.template is not None:
                await self._suggest_instead(connection, scene, reply, decision, now)
        return ""

    async def _suggest_instead(
        self, connection: AsyncConnection, scene: _Scene, stopped: Reply, decision: Decision, now: datetime
    ) -> None:
        """Leaves a person the answer that fits the order as it is now, in the place of the one that was stopped."""
        await replies.change_decision(connection, stopped.account, stopped.message_id, decision, now)
        reply = self._reply(scene, decision, stopped.language, stopped.order_id, now)
        if reply is not None:
            await replies.replace(connection, reply)

    async def send(self, account: str, reply_id: str) -> str:
        """Hands a reply over and records it. The state it ended in."""
        async with self._database.transaction() as connection:
            reply = await _waiting(connection, account, reply_id)
            turn = await messages.get(connection, account, reply.message_id) if reply is not None else None
        if reply is None or turn is None:
            return ""
        try:
            delivered_to = await self._outbox.deliver(outgoing(reply, turn.message, self._store), reply.created_at)
        except DeliveryError as error:
            async with self._database.transaction() as connection:
                await replies.settle(connection, reply, ReplyState.FAILED, self._clock(), note=str(error))
                await trail.append(connection, account, self._clock(), EntryKind.REPLY_FAILED, _reply_facts(reply))
            return ReplyState.FAILED.value
        now = self._clock()
        async with self._database.transaction() as connection:
            # Nobody else sends this reply: it belongs to this workflow alone.
            await replies.settle(connection, reply, ReplyState.SENT, now, delivered_to=delivered_to)
            await trail.append(connection, account, now, EntryKind.REPLY_SENT, _reply_facts(reply))
        return ReplyState.SENT.value

    async def _scene(self, connection: AsyncConnection, account: str, message_id: str) -> _Scene:
        turn = await messages.get(connection, account, message_id)
        if turn is None:
            raise NotFound(f"no message {message_id} of account {account}")
        order_ids = await messages.orders_of(connection, turn.message)
        conversation = await messages.conversation(connection, turn.message, order_ids)
        if not order_ids:
            return _Scene(turn, conversation, (), None, (), None)
        order_id = order_ids[0]
        order = await orders.get(connection, account, order_id)
        order = order.seen_at(self._clock(), self._freshness) if order is not None else None
        formal = await formal_requests.of_order(connection, account, order_id)
        instruction = await replies.instruction_for(connection, account, order_id)
        # One that is on its way answers all that was written until now.
        instructed_at = (instruction.sent_at or self._clock()) if instruction is not None else None
        return _Scene(turn, conversation, order_ids, order, formal, instructed_at)

    def _situation(self, scene: _Scene, now: datetime, language: str) -> Situation:
        turn, conversation = scene.turn, scene.conversation
        last = conversation.last_word()
        overtaken = last is not None and last.place > turn.place
        return Situation(
            message=turn.message,
            intent=conversation.intent_of(turn),
            verdict=turn.verdict,
            thresholds=self._thresholds,
            now=now,
            order=scene.order,
            order_count=len(scene.order_ids),
            formal=scene.formal,
            own_window=_own_window(scene),
            instructed_at=scene.instructed_at,
            overtaken_by=last.message.id if overtaken and last is not None else "",
            overtaken_intent=conversation.intent_of(last) if overtaken and last is not None else Intent.NONE,
            mode=self._wordings.mode(language),
            freshness=self._freshness,
            solicits=turn.solicits,
            buyer_asked=conversation.asked_before(turn),
        )

    def _language(self, scene: _Scene) -> str:
        """The message's own language, else the marketplace's, else English."""
        message = scene.turn.message
        marketplace = marketplaces.by_id(_marketplace_id(scene))
        spoken = [scene.turn.verdict.language, message.language, *(marketplace.languages[:1] if marketplace else ())]
        return self._wordings.choose(*(code for code in spoken if code))

    def _word(self, template: Template, language: str, order_ids: tuple[str, ...]) -> Wording | None:
        """The text, or None when it may not go out as it came out: a mail may name a hundred orders, which no answer can."""
        try:
            return self._wordings.word(template, language, order_ids, self._store)
        except ContentError:
            return None

    def _reply(self, scene: _Scene, decision: Decision, language: str, order_id: str, now: datetime) -> Reply | None:
        if decision.template is None:
            return None
        message = scene.turn.message
        wording = self._word(decision.template, language, scene.order_ids)
        if wording is None:
            return None
        automatic = decision.action is Action.SEND
        # The same message always gets the same ids, so that a repeated step cannot make a second mail of it.
        identity = hashlib.sha256(f"{message.account}\n{message.id}".encode()).hexdigest()[:24]
        return Reply(
            account=message.account,
            id=identity,
            message_id=message.id,
            order_id=order_id,
            once=f"{order_id}:{INSTRUCTION}" if automatic and decision.template in INSTRUCTIONS else None,
            template=decision.template,
            language=wording.language,
            state=ReplyState.PENDING if automatic else ReplyState.SUGGESTED,
            automatic=automatic,
            mail_id=f"<{identity}@{_mail_domain(message)}>",
            body=wording.text,
            created_at=now,
        )


def outgoing(reply: Reply, message: Message, store: str) -> OutgoingReply:
    """`reply` as the mail that answers `message`."""
    return OutgoingReply(
        id=reply.id,
        message_id=reply.mail_id,
        order_id=reply.order_id,
        to=message.buyer_address,
        sender=message.own_address,
        sender_name=store,
        subject=message.subject,
        body=reply.body,
        in_reply_to=message.id if message.id.startswith("<") else "",
        references=message.references,
        automatic=reply.automatic,
    )


async def _retire_suggestions(connection: AsyncConnection, scene: _Scene, now: datetime) -> None:
    """Takes back what was suggested for earlier messages of this conversation."""
    earlier = {turn.message.id for turn in scene.conversation.turns if turn.place < scene.turn.place}
    for reply in (await replies.to_messages(connection, scene.turn.message.account, sorted(earlier))).values():
        if reply.state is ReplyState.SUGGESTED:
            await _stop(connection, reply, now, because="overtaken", note="a later message of the buyer was decided on")


async def _stop(connection: AsyncConnection, reply: Reply, now: datetime, *, because: str, note: str) -> None:
    await replies.settle(connection, reply, ReplyState.STOPPED, now, note=note)
    facts: Facts = {"reply": reply.id, "message": reply.message_id, "order": reply.order_id, "because": because}
    await trail.append(connection, reply.account, now, EntryKind.REPLY_STOPPED, facts)


def _reply_facts(reply: Reply) -> Facts:
    return {
        "reply": reply.id,
        "message": reply.message_id,
        "order": reply.order_id,
        "template": reply.template.value,
        "language": reply.language,
        "text_digest": digest(reply.body, reply.mail_id),
    }


async def _waiting(connection: AsyncConnection, account: str, reply_id: str) -> Reply | None:
    reply = await replies.get(connection, account, reply_id)
    return reply if reply is not None and reply.state in _UNSENT else None


def _mail_domain(message: Message) -> str:
    """The right side of our own Message-IDs: the seller's domain, or one that can never exist (RFC 2606)."""
    return message.own_address.rpartition("@")[2] or "msgbot.invalid"


def _marketplace_id(scene: _Scene) -> str:
    return scene.turn.message.marketplace or (scene.order.marketplace if scene.order is not None else "")


def _own_window(scene: _Scene) -> timedelta:
    marketplace = marketplaces.by_id(_marketplace_id(scene))
    return marketplace.own_cancel_window if marketplace is not None else _DEFAULT_WINDOW


def _decision_facts(scene: _Scene, decision: Decision, reply: Reply | None) -> Facts:
    return {
        "message": scene.turn.message.id,
        "orders": list(scene.order_ids),
        "intent": scene.conversation.intent_of(scene.turn).value,
        "action": decision.action.value,
        "code": decision.code,
        "template": decision.template.value if decision.template else None,
        "reply": reply.id if reply is not None else None,
        "order_status": scene.order.status.value if scene.order is not None else None,
        "order_source": scene.order.source if scene.order is not None else None,
    }
