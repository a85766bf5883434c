"""Retention: what on file tells of a person, and how it is removed. What happened stays: ids, times, intents, decisions, rulings,
and the trail with its digests, whose salt goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, func, insert, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.store.replies import ReplyState
from msgbot.store.schema import decisions, deliveries, idempotency_keys, message_orders, messages, raw_messages, replies
from msgbot.store.values import verdict_from_json, verdict_to_json

BATCH = 500
"""How many rows go in one transaction: it holds up others for a moment only."""
NOTE = "the message it answers was removed"
_UNDER_WAY = frozenset({ReplyState.PENDING.value, ReplyState.SENDING.value})
_NOT_SENT = frozenset({ReplyState.SUGGESTED, ReplyState.FAILED})
"""Replies that could still be sent, and can no more when there is nobody left to send them to."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A reply that was stopped because the message it answers was removed."""

    reply_id: str
    message_id: str
    order_id: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What one batch removed: so many messages and replies to them. `stopped` are those of the replies that were not sent yet."""

    messages: int = 0
    replies: int = 0
    stopped: tuple[Stopped, ...] = ()


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many rows are to go, and how many messages cannot go yet: nobody has decided on them, or their reply is on its way."""

    messages: int
    replies: int
    deliveries: int
    keys: int
    waiting: int


def _old(before: datetime) -> ColumnElement[bool]:
    return and_(messages.c.pruned_at.is_(None), messages.c.received_at < before)


def _waiting() -> ColumnElement[bool]:
    decided = select(decisions.c.message_id).where(
        decisions.c.account == messages.c.account, decisions.c.message_id == messages.c.id
    )
    on_its_way = select(replies.c.id).where(
        replies.c.account == messages.c.account,
        replies.c.message_id == messages.c.id,
        replies.c.state.in_(_UNDER_WAY),
    )
    return or_(~decided.correlate(messages).exists(), on_its_way.correlate(messages).exists())


async def accounts(connection: AsyncConnection, before: datetime) -> list[str]:
    """The accounts that have messages or deliveries from before `before`."""
    written = select(messages.c.account).where(_old(before))
    told = select(deliveries.c.account).where(deliveries.c.created_at < before)
    return sorted((await connection.execute(union(written, told))).scalars())


async def overdue(connection: AsyncConnection, before: datetime, keys_before: datetime) -> Overdue:
    """What there is to remove from before `before`, and of idempotency keys from before `keys_before`, in all accounts."""

    async def count(*where: ColumnElement[bool]) -> int:
        return int((await connection.execute(select(func.count()).where(*where))).scalar_one())

    answers = and_(replies.c.account == messages.c.account, replies.c.message_id == messages.c.id)
    return Overdue(
        messages=await count(_old(before), ~_waiting()),
        replies=await count(answers, _old(before), ~_waiting()),
        deliveries=await count(deliveries.c.created_at < before),
        keys=await count(idempotency_keys.c.at < keys_before),
        waiting=await count(_old(before), _waiting()),
    )


async def remove(connection: AsyncConnection, account: str, before: datetime, at: datetime, limit: int = BATCH) -> Removed:
    """Removes what tells of a person from up to `limit` messages that were received before `before`, the oldest first, and from
    what was made of them. Those that cannot go yet stay, and those that another process is removing right now."""
    query = select(messages.c.id, messages.c.buyer_key, messages.c.note, messages.c.verdict)
    query = query.where(messages.c.account == account, _old(before), ~_waiting())
    query = query.order_by(messages.c.received_at, messages.c.id).limit(limit).with_for_update(skip_locked=True)
    rows: list[Any] = list(await connection.execute(query))
    answers = await _locked_replies(connection, account, [row.id for row in rows])
    # A person may have sent a suggestion on its way a moment ago.
    held = {reply.message_id for reply in answers if reply.state in _UNDER_WAY}
    rows = [row for row in rows if row.id not in held]
    answers = [reply for reply in answers if reply.message_id not in held]
    await _keep_orders(connection, account, sorted({row.buyer_key for row in rows} - {""}))
    await _blank_reasons(connection, account, {row.id: row.note for row in rows if row.note})
    await _blank_messages(connection, account, rows, at)
    await _blank_replies(connection, account, answers)
    stopped = [Stopped(reply.id, reply.message_id, reply.order_id) for reply in answers if reply.state in _NOT_SENT]
    return Removed(len(rows), len(answers), tuple(stopped))


async def _locked_replies(connection: AsyncConnection, account: str, ids: Sequence[str]) -> list[Row[Any]]:
    query = select(replies.c.id, replies.c.message_id, replies.c.order_id, replies.c.state)
    query = query.where(replies.c.account == account, replies.c.message_id.in_(ids)).with_for_update()
    return list(await connection.execute(query))


async def _keep_orders(connection: AsyncConnection, account: str, buyers: Sequence[str]) -> None:
    """Writes down which order the messages of `buyers` are about that name none, while the buyer's other messages still tell."""
    named = select(message_orders.c.message_id).where(
        message_orders.c.account == messages.c.account, message_orders.c.message_id == messages.c.id
    )
    of_buyers = (messages.c.account == account, messages.c.buyer_key.in_(buyers))
    lone = list(await connection.execute(select(messages.c.id, messages.c.buyer_key).where(*of_buyers, ~named.exists())))
    if not lone:
        return
    same = (message_orders.c.account == messages.c.account) & (message_orders.c.message_id == messages.c.id)
    query = select(messages.c.buyer_key, message_orders.c.order_id).join(message_orders, same).where(*of_buyers)
    orders: dict[str, set[str]] = {}
    for row in await connection.execute(query.distinct()):
        orders.setdefault(row.buyer_key, set()).add(row.order_id)
    rows = [
        {"account": account, "message_id": row.id, "order_id": next(iter(orders[row.buyer_key]))}
        for row in lone
        if len(orders.get(row.buyer_key, ())) == 1
    ]
    if rows:
        await connection.execute(insert(message_orders), rows)
        changed = [{"this": row["message_id"], "now": [row["order_id"]]} for row in rows]
        await connection.execute(_each_message(account).values(order_ids=bindparam("now")), changed)


def _each_message(account: str) -> Any:
    return update(messages).where(messages.c.account == account, messages.c.id == bindparam("this"))


async def _blank_reasons(connection: AsyncConnection, account: str, notes: dict[str, str]) -> None:
    """Takes from decisions what they quote of a mail's envelope, addresses and all; everything else in them is ours."""
    query = select(decisions.c.message_id, decisions.c.reasons)
    query = query.where(decisions.c.account == account, decisions.c.message_id.in_(notes))
    changed = [
        {"this": row.message_id, "now": [reason for reason in row.reasons if reason != notes[row.message_id]]}
        for row in await connection.execute(query)
        if notes[row.message_id] in row.reasons
    ]
    if changed:
        this = update(decisions).where(decisions.c.account == account, decisions.c.message_id == bindparam("this"))
        await connection.execute(this.values(reasons=bindparam("now")), changed)


async def _blank_messages(connection: AsyncConnection, account: str, rows: Sequence[Any], at: datetime) -> None:
    if not rows:
        return
    ids = [row.id for row in rows]
    texts = ("text", "subject", "buyer_name", "buyer_address", "buyer_key", "own_address", "note", "origin", "salt")
    values = {**dict.fromkeys(texts, ""), "reply_to_ids": [], "flaws": [], "pruned_at": at}
    await connection.execute(update(messages).where(messages.c.account == account, messages.c.id.in_(ids)).values(values))
    verdicts = [
        {"this": row.id, "now": verdict_to_json(verdict_from_json(row.verdict).without_words())}
        for row in rows
        if row.verdict["evidence"] or row.verdict["against"] or row.verdict.get("part")
    ]
    if verdicts:
        await connection.execute(_each_message(account).values(verdict=bindparam("now")), verdicts)
    await connection.execute(delete(raw_messages).where(raw_messages.c.account == account, raw_messages.c.message_id.in_(ids)))


async def _blank_replies(connection: AsyncConnection, account: str, answers: Sequence[Row[Any]]) -> None:
    blank = {"body": "", "delivered_to": "", "note": "", "version": replies.c.version + 1}
    ids = [reply.id for reply in answers]
    not_sent = [reply.id for reply in answers if reply.state in _NOT_SENT]
    await connection.execute(update(replies).where(replies.c.account == account, replies.c.id.in_(ids)).values(blank))
    stopped = {"state": ReplyState.STOPPED.value, "once": None, "note": NOTE}
    await connection.execute(update(replies).where(replies.c.account == account, replies.c.id.in_(not_sent)).values(stopped))
