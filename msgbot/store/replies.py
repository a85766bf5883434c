"""Decisions and replies on file."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.policy import Action, Decision, Template
from msgbot.store.paging import behind
from msgbot.store.schema import decisions, replies
from msgbot.store.values import storable


class ReplyState(StrEnum):
    """Where a reply stands."""

    PENDING = "pending"
    SENDING = "sending"
    """It is being handed over: too late to stop it."""
    SENT = "sent"
    STOPPED = "stopped"
    SUGGESTED = "suggested"
    FAILED = "failed"
    DISMISSED = "dismissed"


UNSENT = frozenset({ReplyState.PENDING, ReplyState.SENDING, ReplyState.FAILED})
"""A reply that failed is tried again when its message is taken up again."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on file. `once` is the key under which an order gets it once only; None for suggestions. `mail_id` is its
    Message-ID, fixed before the first try. `delivered_to` says where it went; `note` why it stopped or failed. `version` grows
    with every change; `changed_by` is the person who changed it last, or empty."""

    account: str
    id: str
    message_id: str
    order_id: str
    once: str | None
    template: Template
    language: str
    state: ReplyState
    automatic: bool
    mail_id: str
    body: str
    created_at: datetime
    sent_at: datetime | None = None
    delivered_to: str = ""
    note: str = ""
    version: int = 1
    changed_by: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on file, with the order it was about."""

    message_id: str
    decision: Decision
    order_id: str
    at: datetime


async def add_decision(
    connection: AsyncConnection, account: str, message_id: str, order_id: str, decision: Decision, at: datetime
) -> None:
    """Records the decision on a message; there is one for each."""
    await connection.execute(
        insert(decisions).values(account=account, message_id=message_id, order_id=order_id, **_decision_row(decision, at))
    )


async def add_decisions(connection: AsyncConnection, rows: Sequence[tuple[str, str, str, Decision]], at: datetime) -> None:
    """Records decisions on many messages, each as account, message id, order id and decision."""
    values = [
        {"account": account, "message_id": message_id, "order_id": order_id, **_decision_row(decision, at)}
        for account, message_id, order_id, decision in rows
    ]
    if values:
        await connection.execute(insert(decisions), values)


async def decided(connection: AsyncConnection, account: str, message_ids: Sequence[str]) -> dict[str, Decided]:
    """The decisions on these messages, by message id."""
    found = await connection.execute(
        select(decisions).where(decisions.c.account == account, decisions.c.message_id.in_(message_ids))
    )
    return {row.message_id: _decided(row) for row in found}


async def add(connection: AsyncConnection, reply: Reply) -> None:
    """Puts a reply on file. Raises sqlalchemy's IntegrityError when the order already has one under the same `once`."""
    await connection.execute(
        insert(replies).values(
            account=reply.account,
            id=reply.id,
            message_id=reply.message_id,
            order_id=reply.order_id,
            once=reply.once,
            template=reply.template.value,
            language=reply.language,
            state=reply.state.value,
            automatic=reply.automatic,
            mail_id=reply.mail_id,
            body=storable(reply.body),
            created_at=reply.created_at,
            sent_at=reply.sent_at,
            delivered_to=reply.delivered_to,
            note=reply.note,
            version=reply.version,
            changed_by=reply.changed_by,
        )
    )


async def get(connection: AsyncConnection, account: str, reply_id: str) -> Reply | None:
    """The reply, or None."""
    row = (await connection.execute(select(replies).where(replies.c.account == account, replies.c.id == reply_id))).first()
    return _reply(row) if row is not None else None


async def to_messages(connection: AsyncConnection, account: str, message_ids: Sequence[str]) -> dict[str, Reply]:
    """The replies to these messages, by message id."""
    found = await connection.execute(select(replies).where(replies.c.account == account, replies.c.message_id.in_(message_ids)))
    return {row.message_id: _reply(row) for row in found}


async def instruction_for(connection: AsyncConnection, account: str, order_id: str) -> Reply | None:
    """The instruction that the order got or is about to get; None when it has none, or it was stopped before it went out."""
    query = select(replies).where(replies.c.account == account, replies.c.order_id == order_id, replies.c.once.is_not(None))
    row = (await connection.execute(query)).first()
    return _reply(row) if row is not None else None


async def change_decision(connection: AsyncConnection, account: str, message_id: str, decision: Decision, at: datetime) -> None:
    """Puts another decision in the place of the one on a message; the trail keeps both."""
    where = (decisions.c.account == account, decisions.c.message_id == message_id)
    await connection.execute(update(decisions).where(*where).values(_decision_row(decision, at)))


async def replace(connection: AsyncConnection, reply: Reply) -> None:
    """Puts `reply` in the place of the one to the same message."""
    where = (replies.c.account == reply.account, replies.c.message_id == reply.message_id)
    await connection.execute(delete(replies).where(*where))
    await add(connection, reply)


async def unsent(connection: AsyncConnection, account: str) -> list[Reply]:
    """Replies that are to go out and have not: still waiting, or they could not be handed over."""
    return [reply for state in sorted(UNSENT) for reply in await in_state(connection, account, state)]


async def settle(
    connection: AsyncConnection, reply: Reply, state: ReplyState, at: datetime, *, delivered_to: str = "", note: str = ""
) -> Reply | None:
    """Ends a reply as sent, stopped or failed; None when it is no longer as it was read. One that stopped leaves its place, so that
    a later request can be answered."""
    once = None if state is ReplyState.STOPPED else reply.once
    sent_at = at if state is ReplyState.SENT else None
    return await change(connection, reply, state=state, once=once, sent_at=sent_at, delivered_to=delivered_to, note=note)


async def change(connection: AsyncConnection, reply: Reply, **changes: Any) -> Reply | None:
    """`reply` with `changes` (fields of the reply), or None when somebody else changed it since it was read. Raises sqlalchemy's
    IntegrityError when the order already has one under the same `once`."""
    changed = dataclasses.replace(reply, **changes, version=reply.version + 1)
    where = (replies.c.account == reply.account, replies.c.id == reply.id, replies.c.version == reply.version)
    values = {
        "once": changed.once,
        "state": changed.state.value,
        "automatic": changed.automatic,
        "body": storable(changed.body),
        "sent_at": changed.sent_at,
        "delivered_to": storable(changed.delivered_to),
        "note": storable(changed.note),
        "version": changed.version,
        "changed_by": changed.changed_by,
    }
    done = await connection.execute(update(replies).where(*where).values(values))
    return changed if done.rowcount else None


async def page(
    connection: AsyncConnection,
    account: str,
    states: Sequence[ReplyState],
    before: tuple[datetime, str] | None,
    limit: int,
    order_id: str = "",
) -> list[Reply]:
    """Up to `limit` replies in these states (all, if none is given), the newest first, from behind the one that `before` names by
    its time and id."""
    query = select(replies).where(replies.c.account == account)
    if states:
        query = query.where(replies.c.state.in_([state.value for state in states]))
    if order_id:
        query = query.where(replies.c.order_id == order_id)
    if before is not None:
        query = query.where(behind(replies.c.created_at, replies.c.id, before))
    query = query.order_by(replies.c.created_at.desc(), replies.c.id.desc()).limit(limit)
    return [_reply(row) for row in await connection.execute(query)]


async def of_order(connection: AsyncConnection, account: str, order_id: str) -> list[Reply]:
    """The replies about an order, the oldest first."""
    query = select(replies).where(replies.c.account == account, replies.c.order_id == order_id)
    return [_reply(row) for row in await connection.execute(query.order_by(replies.c.created_at, replies.c.id))]


async def in_state(connection: AsyncConnection, account: str, state: ReplyState) -> list[Reply]:
    """All replies in this state, the oldest first."""
    query = (
        select(replies)
        .where(replies.c.account == account, replies.c.state == state.value)
        .order_by(replies.c.created_at, replies.c.id)
    )
    return [_reply(row) for row in await connection.execute(query)]


def _decision_row(decision: Decision, at: datetime) -> dict[str, Any]:
    return {
        "at": at,
        "action": decision.action.value,
        "code": decision.code,
        "reasons": [storable(reason) for reason in decision.reasons],
        "template": decision.template.value if decision.template else None,
    }


def _reply(row: Row[Any]) -> Reply:
    return Reply(**{**row._mapping, "template": Template(row.template), "state": ReplyState(row.state)})


def _decided(row: Row[Any]) -> Decided:
    template = Template(row.template) if row.template else None
    return Decided(row.message_id, Decision(Action(row.action), row.code, tuple(row.reasons), template), row.order_id, row.at)
