"""The scene: all that is on file about a message at this moment, and the decision and the answer that follow from it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon import marketplaces
from msgbot.channels.compose import OutgoingReply
from msgbot.content.replies import Replies, Wording
from msgbot.domain.conversation import Conversation, Turn
from msgbot.domain.message import Message
from msgbot.domain.order import FormalRequest, Order
from msgbot.domain.policy import INSTRUCTIONS, Action, Decision, Situation, Template
from msgbot.domain.rulebook import Thresholds
from msgbot.domain.verdict import Intent
from msgbot.errors import ContentError, NotFound
from msgbot.store import accounts, formal_requests, messages, orders, replies
from msgbot.store.replies import Reply, ReplyState

INSTRUCTION = "instruction"
"""The key under which an order gets its instruction once."""
_DEFAULT_WINDOW = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is on file about a message. `order_ids` are the orders it is about; `order` and what follows are of the first of them.
    `store` is the seller's name under replies. `unreadable` is why Amazon could not tell of the order just now. `request_id` is
    that of the HTTP request that brought the message."""

    turn: Turn
    conversation: Conversation
    order_ids: tuple[str, ...]
    order: Order | None
    formal: tuple[FormalRequest, ...]
    instructed_at: datetime | None
    store: str
    unreadable: str = ""

    @property
    def order_id(self) -> str:
        """The order the message is about, or empty."""
        return self.order_ids[0] if self.order_ids else ""

    @property
    def request_id(self) -> str:
        """The id of the request that brought the message, or empty."""
        return self.turn.message.request_id


class Scenes:
    """Reads scenes, and knows how to word an answer. `store` stands under the replies of `account` when that has no name of its own
    on file; `freshness` is how old order facts may be for an answer without a person; `live` are the accounts that are connected to
    Amazon."""

    def __init__(
        self,
        wordings: Replies,
        thresholds: Thresholds,
        *,
        account: str,
        store: str,
        freshness: timedelta,
        live: Collection[str] = (),
    ) -> None:
        self.wordings = wordings
        self._account = account
        self._thresholds = thresholds
        self._store = store
        self._freshness = freshness
        self._live = live

    async def of_message(self, connection: AsyncConnection, account: str, message_id: str, now: datetime) -> Scene:
        """The scene of a message on file. Raises NotFound."""
        turn = await messages.get(connection, account, message_id)
        if turn is None:
            raise NotFound(f"no message {message_id} of account {account}")
        return await self.of_turn(connection, turn, now)

    async def of_turn(self, connection: AsyncConnection, turn: Turn, now: datetime) -> Scene:
        """The scene of a message, which need not be on file."""
        account = turn.message.account
        store = await self.store_name(connection, account)
        order_ids = await messages.orders_of(connection, turn.message)
        conversation = await messages.conversation(connection, turn.message, order_ids)
        if turn.message.id not in {each.message.id for each in conversation.turns}:
            conversation = Conversation.of([*conversation.turns, turn])
        if not order_ids:
            return Scene(turn, conversation, (), None, (), None, store)
        order = await orders.get(connection, account, order_ids[0])
        order = order.seen_at(now, self._freshness) if order is not None else None
        formal = await formal_requests.of_order(connection, account, order_ids[0])
        instruction = await replies.instruction_for(connection, account, order_ids[0])
        # One that is on its way answers all that was written until now.
        instructed_at = (instruction.sent_at or now) if instruction is not None else None
        return Scene(turn, conversation, order_ids, order, formal, instructed_at, store)

    async def store_name(self, connection: AsyncConnection, account: str) -> str:
        """The name under the replies of `account`."""
        known = await accounts.get(connection, account)
        if known is not None and known.store:
            return known.store
        # The setting is the name of the usual account; nobody else signs with it.
        return self._store if account == self._account else ""

    def situation(self, scene: Scene, now: datetime, language: str) -> Situation:
        """What the policy decides on."""
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
            live=turn.message.account in self._live,
            unreadable=scene.unreadable,
            order_count=len(scene.order_ids),
            formal=scene.formal,
            own_window=_own_window(scene),
            instructed_at=scene.instructed_at,
            overtaken_by=last.message.id if overtaken and last is not None else "",
            overtaken_intent=conversation.intent_of(last) if overtaken and last is not None else Intent.NONE,
            mode=self.wordings.mode(language),
            freshness=self._freshness,
            solicits=turn.solicits,
            buyer_asked=conversation.asked_before(turn),
        )

    def language(self, scene: Scene) -> str:
        """The message's own language, else the marketplace's, else English."""
        message = scene.turn.message
        marketplace = marketplaces.by_id(_marketplace_id(scene))
        spoken = [scene.turn.verdict.language, message.language, *(marketplace.languages[:1] if marketplace else ())]
        return self.wordings.choose(*(code for code in spoken if code))

    def reply(self, scene: Scene, decision: Decision, language: str, now: datetime) -> Reply | None:
        """The answer that `decision` asks for, or None: also when it may not go out as it came out, as no answer can name the
        hundred orders that a mail may name."""
        if decision.template is None:
            return None
        message = scene.turn.message
        wording = self._word(decision.template, language, scene)
        if wording is None:
            return None
        automatic = decision.action is Action.SEND
        # The same message always gets the same ids, so that a repeated step cannot make a second mail of it.
        identity = hashlib.sha256(f"{message.account}\n{message.id}".encode()).hexdigest()[:24]
        return Reply(
            account=message.account,
            id=identity,
            message_id=message.id,
            order_id=scene.order_id,
            once=instruction_key(scene.order_id) if automatic and decision.template in INSTRUCTIONS else None,
            template=decision.template,
            language=wording.language,
            state=ReplyState.PENDING if automatic else ReplyState.SUGGESTED,
            automatic=automatic,
            mail_id=f"<{identity}@{_mail_domain(message)}>",
            body=wording.text,
            created_at=now,
        )

    def _word(self, template: Template, language: str, scene: Scene) -> Wording | None:
        try:
            return self.wordings.word(template, language, scene.order_ids, scene.store)
        except ContentError:
            return None


def instruction_key(order_id: str) -> str:
    """The key under which an order gets its instruction once."""
    return f"{order_id}:{INSTRUCTION}"


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
        account=reply.account,
    )


def _mail_domain(message: Message) -> str:
    """The right side of our own Message-IDs: the seller's domain, or one that can never exist (RFC 2606)."""
    return message.own_address.rpartition("@")[2] or "msgbot.invalid"


def _marketplace_id(scene: Scene) -> str:
    return scene.turn.message.marketplace or (scene.order.marketplace if scene.order is not None else "")


def _own_window(scene: Scene) -> timedelta:
    marketplace = marketplaces.by_id(_marketplace_id(scene))
    return marketplace.own_cancel_window if marketplace is not None else _DEFAULT_WINDOW
