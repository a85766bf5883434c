"""Answer: what happens to a message that calls for one. `run` is a durable workflow, and so is `send_later`; reading them from top
to bottom is reading the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot import metrics
from msgbot.announce import announce
from msgbot.channels.compose import OutgoingReply
from msgbot.clock import Clock
from msgbot.domain.events import EventType
from msgbot.domain.message import Kind
from msgbot.domain.policy import Action, Decision, decide
from msgbot.domain.trail import EntryKind, Facts, digest
from msgbot.domain.verdict import Intent
from msgbot.engine import Engine
from msgbot.errors import DeliveryError
from msgbot.orders_of_message import PATIENCE, OrdersOfMessage
from msgbot.refresh import Refresh
from msgbot.scene import Scene, Scenes, outgoing
from msgbot.steps import step
from msgbot.store import messages, replies, trail
from msgbot.store.database import Database
from msgbot.store.replies import UNSENT, Reply, ReplyState

ANSWER = "answer"
"""The name of the workflow that answers a message."""
SEND = "send"
"""The name of the workflow that sends a reply when its time to be stopped is over."""

_TRIED = timedelta(days=1)
"""So long a reply that could not be handed over is tried again by itself."""
_FIRST_WAIT, _LONGEST_WAIT = 30.0, 3_600.0
_WAITED = timedelta(minutes=30)
"""So long a message waits for an Amazon that is away; then a person sees it."""
_AWAY_SECONDS = 120.0


class Outbox(Protocol):
    """Where replies go. Delivering the same reply again must do no harm: a step may run twice."""

    async def deliver(self, reply: OutgoingReply, at: datetime) -> str:
        """Hands the reply over, dated `at`, and says where it went. Raises DeliveryError when it could not."""
        ...


class Answer:
    """The use case. A reply waits `undo_seconds` before it goes out; with `tries_again`, one that could not be handed over is tried
    again by itself for a day."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        scenes: Scenes,
        outbox: Outbox,
        clock: Clock,
        *,
        undo_seconds: float,
        tries_again: bool = False,
        refresh: Refresh,
    ) -> None:
        self._database = database
        self._engine = engine
        self._scenes = scenes
        self._outbox = outbox
        self._clock = clock
        self._undo_seconds = undo_seconds
        self._tries_again = tries_again
        self._refresh = refresh
        self._orders = OrdersOfMessage(database, refresh)

    async def run(self, account: str, message_ids: Sequence[str]) -> None:
        """Decides about messages, and answers them if that is the decision: at once, or when the reply can no longer be stopped."""
        waiting = await step("decide", self.decide, account, {each: each for each in message_ids})
        still_waiting = await step("look again", self.look_again, account, waiting)
        await step("send", self.send, account, still_waiting)

    async def send_later(self, account: str, waiting: Sequence[str]) -> None:
        """Sends replies that wait, if they still may go out and nobody has touched them since."""
        still_waiting = await step("look again", self.look_again, account, {each: each for each in waiting})
        await step("send", self.send, account, still_waiting)

    async def decide(self, account: str, message_id: str) -> str:
        """Records what to do about a message, with its reply if there is one; its order is read from Amazon before. The id of a
        reply that is to be sent now, or empty: also when Amazon is away, which is waited for."""
        failed = await self._orders.read(account, message_id)
        if any(not each.lasting for each in failed) and await self._postponed(account, message_id):
            return ""
        unreadable = "; ".join(each.text for each in failed)
        try:
            return await self._decide(account, message_id, unreadable)
        except IntegrityError:
            # Another message of the same order took the one place for its instruction a moment ago; now that is on file.
            return await self._decide(account, message_id, unreadable)

    async def _postponed(self, account: str, message_id: str) -> bool:
        """Puts a message off whose order cannot be read now. False when it has waited long enough: a person must look then."""
        now = self._clock()
        async with self._database.transaction() as connection:
            turn = await messages.get(connection, account, message_id)
            waited = now - turn.received_at if turn is not None and turn.received_at is not None else _WAITED
            if not self._tries_again or waited >= _WAITED:
                return False
            await self._engine.enqueue(
                connection, ANSWER, account, message_id, f"waited-{waited.total_seconds():.0f}", _AWAY_SECONDS
            )
        return True

    async def _decide(self, account: str, message_id: str, unreadable: str = "") -> str:
        now = self._clock()
        async with self._database.transaction() as connection:
            if message_id in await replies.decided(connection, account, [message_id]):
                known = (await replies.to_messages(connection, account, [message_id])).get(message_id)
                # One that waits for its time has a workflow of its own.
                waits = known is not None and known.state is ReplyState.PENDING and self._undo_seconds > 0
                return waiting_for(known) if known is not None and known.state in UNSENT and not waits else ""
            scene = await self._scenes.of_message(connection, account, message_id, now)
            scene = replace(scene, unreadable=unreadable)
            language = self._scenes.language(scene)
            decision = decide(self._scenes.situation(scene, now, language))
            await replies.add_decision(connection, account, message_id, scene.order_id, decision, now)
            if decision.speaks_for_conversation and scene.turn.message.kind is Kind.BUYER:
                await _retire_suggestions(connection, scene, now)
            reply = self._scenes.reply(scene, decision, language, now)
            if reply is not None:
                await replies.add(connection, reply)
            await trail.append(connection, account, now, EntryKind.DECISION, _decision_facts(scene, decision, reply))
            if decision.code == "soliciting":
                facts: Facts = {"message": message_id, "order": scene.order_id, "request": scene.request_id}
                await trail.append(connection, account, now, EntryKind.SOLICITING, facts)
            goes_out = waiting_for(reply) if reply is not None and reply.state is ReplyState.PENDING else ""
            if goes_out and self._undo_seconds:
                await self._engine.enqueue(connection, SEND, account, goes_out, delay=self._undo_seconds)
                goes_out = ""
        metrics.decisions.labels(decision.action.value, decision.code).inc()
        return goes_out

    async def look_again(self, account: str, waiting: str) -> str:
        """Stops a waiting reply if the conversation or the order has moved on. `waiting` if it may go out, else empty."""
        async with self._database.reading() as connection:
            about = await _waiting(connection, account, waiting)
        failed = await self._refresh.attempt(account, about.order_id, PATIENCE) if about is not None and about.order_id else None
        unreadable = failed.text if failed is not None else ""
        now = self._clock()
        waits = failed is not None and not failed.lasting and self._tries_again
        if waits and about is not None and about.automatic and now - about.created_at < _WAITED:
            async with self._database.transaction() as connection:
                attempt = f"waited-{(now - about.created_at).total_seconds():.0f}"
                await self._engine.enqueue(connection, SEND, account, waiting, attempt, _AWAY_SECONDS)
            return ""
        async with self._database.transaction() as connection:
            reply = await _waiting(connection, account, waiting)
            if reply is None:
                return ""
            scene = await self._scenes.of_message(connection, account, reply.message_id, now)
            # Its own place among the replies must not make it look like an order that was instructed before.
            scene = replace(scene, instructed_at=None, unreadable=unreadable)
            situation = self._scenes.situation(scene, now, reply.language)
            if not reply.automatic:
                # A person has decided; only what the buyer has said since can change that.
                if situation.overtaken_intent is not Intent.WITHDRAWN:
                    return waiting
                note = "the buyer took the request back before it went out"
                await _stop(connection, reply, now, scene.request_id, because="withdrawn_later", note=note)
                return ""
            if situation.overtaken_intent is Intent.REQUEST:
                # Who asks again is answered by this reply too; it holds the order's one place for an instruction.
                situation = replace(situation, overtaken_by="", overtaken_intent=Intent.NONE)
            decision = decide(situation)
            if decision.action is Action.SEND:
                return waiting
            await _stop(connection, reply, now, scene.request_id, because=decision.code, note="; ".join(decision.reasons))
            if decision.template is not None:
                await self._suggest_instead(connection, scene, reply, decision, now)
        return ""

    async def _suggest_instead(
        self, connection: AsyncConnection, scene: Scene, stopped: Reply, decision: Decision, now: datetime
    ) -> None:
        """Leaves a person the answer that fits the order as it is now, in the place of the one that was stopped."""
        await replies.change_decision(connection, stopped.account, stopped.message_id, decision, now)
        reply = self._scenes.reply(scene, decision, stopped.language, now)
        if reply is not None:
            await replies.replace(connection, replace(reply, version=stopped.version + 2))

    async def send(self, account: str, waiting: str) -> str:
        """Hands a reply over and records it. The state it ended in; empty when it does not wait any more."""
        async with self._database.transaction() as connection:
            reply = await _waiting(connection, account, waiting)
            if reply is not None and reply.state is not ReplyState.SENDING:
                # Claimed first: from here on nobody can stop it, nor send it as well.
                reply = await replies.change(connection, reply, state=ReplyState.SENDING)
            turn = await messages.get(connection, account, reply.message_id) if reply is not None else None
            store = await self._scenes.store_name(connection, account)
        if reply is None or turn is None:
            return ""
        facts = {**_reply_facts(reply), "request": turn.message.request_id}
        try:
            delivered_to = await self._outbox.deliver(outgoing(reply, turn.message, store), reply.created_at)
        except DeliveryError as error:
            await self._failed(reply, facts, str(error))
            return ReplyState.FAILED.value
        now = self._clock()
        async with self._database.transaction() as connection:
            if await replies.settle(connection, reply, ReplyState.SENT, now, delivered_to=delivered_to) is not None:
                await trail.append(connection, account, now, EntryKind.REPLY_SENT, facts)
        metrics.replies.labels(ReplyState.SENT.value).inc()
        if turn.received_at is not None:
            metrics.time_to_answer.observe(max(0.0, (now - turn.received_at).total_seconds()))
        return ReplyState.SENT.value

    async def _failed(self, reply: Reply, facts: Facts, reason: str) -> None:
        """Records that a reply could not be handed over, and sees to it that it is tried again."""
        now = self._clock()
        async with self._database.transaction() as connection:
            failed = await replies.settle(connection, reply, ReplyState.FAILED, now, note=reason)
            if failed is None:
                return
            if self._tries_again and now - reply.created_at < _TRIED:
                delay = min(_FIRST_WAIT * 2 ** (failed.version // 2), _LONGEST_WAIT)
                attempt = f"v{failed.version}"
                await self._engine.enqueue(connection, SEND, reply.account, waiting_for(failed), attempt, delay)
            await trail.append(connection, reply.account, now, EntryKind.REPLY_FAILED, facts)
            told = {"reply": reply.id, "message": reply.message_id, "order": reply.order_id}
            await announce(connection, self._engine, reply.account, EventType.REPLY_FAILED, told, now)
        metrics.replies.labels(ReplyState.FAILED.value).inc()


def waiting_for(reply: Reply) -> str:
    """What a workflow is about that sends `reply`: the reply as it is now. When it has moved on, there is nothing to send."""
    return f"{reply.id}:{reply.version}"


async def _retire_suggestions(connection: AsyncConnection, scene: Scene, now: datetime) -> None:
    """Takes back what was suggested for earlier messages of this conversation."""
    earlier = {turn.message.id for turn in scene.conversation.turns if turn.place < scene.turn.place}
    for reply in (await replies.to_messages(connection, scene.turn.message.account, sorted(earlier))).values():
        if reply.state is ReplyState.SUGGESTED:
            note = "a later message of the buyer was decided on"
            await _stop(connection, reply, now, scene.request_id, because="overtaken", note=note)


async def _stop(connection: AsyncConnection, reply: Reply, now: datetime, request_id: str, *, because: str, note: str) -> None:
    if await replies.settle(connection, reply, ReplyState.STOPPED, now, note=note) is None:
        return
    facts: Facts = {
        "reply": reply.id,
        "message": reply.message_id,
        "order": reply.order_id,
        "because": because,
        "request": request_id,
    }
    await trail.append(connection, reply.account, now, EntryKind.REPLY_STOPPED, facts)
    metrics.replies.labels(ReplyState.STOPPED.value).inc()


def _reply_facts(reply: Reply) -> Facts:
    return {
        "reply": reply.id,
        "message": reply.message_id,
        "order": reply.order_id,
        "template": reply.template.value,
        "language": reply.language,
        "by": reply.changed_by,
        "text_digest": digest(reply.body, reply.mail_id),
    }


async def _waiting(connection: AsyncConnection, account: str, waiting: str) -> Reply | None:
    """The reply, if it still is what `waiting_for` named, or was being handed over when its process died."""
    reply_id, _, version = waiting.partition(":")
    reply = await replies.get(connection, account, reply_id)
    if reply is None or reply.state not in UNSENT:
        return None
    claimed = reply.state is ReplyState.SENDING
    return reply if not version or reply.version - claimed == int(version) else None


def _decision_facts(scene: Scene, decision: Decision, reply: Reply | None) -> Facts:
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
        "request": scene.request_id,
    }
