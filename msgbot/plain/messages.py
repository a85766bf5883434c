"""Messages, decisions and replies as plain data."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import TypedDict

from msgbot.domain.conversation import Turn
from msgbot.domain.message import Message
from msgbot.plain.verdicts import VerdictData, verdict_data
from msgbot.store.replies import Decided, Reply


class DecisionData(TypedDict):
    """What is done about a message: send, suggest, tell_seller or nothing; with the reasons."""

    action: str
    code: str
    reasons: list[str]
    template: str | None
    order_id: str


class ReplyData(TypedDict):
    """A reply. `state` is pending, sent, stopped, suggested, failed or dismissed. `file` says where it went."""

    id: str
    message_id: str
    order_id: str
    state: str
    template: str
    language: str
    to: str
    body: str
    automatic: bool
    created_at: str
    sent_at: str | None
    file: str
    note: str
    version: int
    changed_by: str


class MessageData(TypedDict):
    """A message as it is on file. `pruned_at` is when its words were removed, because their time was over."""

    id: str
    account: str
    kind: str
    source: str
    order_ids: list[str]
    text: str
    subject: str
    buyer_address: str
    buyer_name: str
    sent_at: str | None
    received_at: str | None
    marketplace: str
    language: str
    note: str
    flaws: list[str]
    origin: str
    request_id: str
    pruned_at: str | None
    verdict: VerdictData


def moment(value: datetime | None) -> str | None:
    """A time as ISO 8601 in UTC."""
    return value.isoformat() if value is not None else None


def decision_data(decided: Decided) -> DecisionData:
    """A decision as plain data."""
    decision = decided.decision
    return {
        "action": decision.action.value,
        "code": decision.code,
        "reasons": list(decision.reasons),
        "template": decision.template.value if decision.template else None,
        "order_id": decided.order_id,
    }


def reply_data(reply: Reply, message: Message) -> ReplyData:
    """A reply to `message` as plain data."""
    return {
        "id": reply.id,
        "message_id": reply.message_id,
        "order_id": reply.order_id,
        "state": reply.state.value,
        "template": reply.template.value,
        "language": reply.language,
        "to": message.buyer_address,
        "body": reply.body,
        "automatic": reply.automatic,
        "created_at": reply.created_at.isoformat(),
        "sent_at": moment(reply.sent_at),
        "file": reply.delivered_to,
        "note": reply.note,
        "version": reply.version,
        "changed_by": reply.changed_by,
    }


def message_data(turn: Turn) -> MessageData:
    """A message as plain data."""
    message = turn.message
    return {
        "id": message.id,
        "account": message.account,
        "kind": message.kind.value,
        "source": message.source.value,
        "order_ids": list(message.order_ids),
        "text": message.text,
        "subject": message.subject,
        "buyer_address": message.buyer_address,
        "buyer_name": message.buyer_name,
        "sent_at": moment(message.sent_at),
        "received_at": moment(turn.received_at),
        "marketplace": message.marketplace,
        "language": message.language,
        "note": message.note,
        "flaws": list(message.flaws),
        "origin": message.origin,
        "request_id": message.request_id,
        "pruned_at": moment(turn.pruned_at),
        "verdict": verdict_data(turn.verdict),
    }
