"""Messages on file, with their verdicts and raw content."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.conversation import Conversation, Turn
from msgbot.domain.message import Kind, Message, Source
from msgbot.domain.policy import Action
from msgbot.domain.verdict import Intent, Verdict
from msgbot.store.paging import Place, behind
from msgbot.store.schema import decisions, message_orders, messages, raw_messages
from msgbot.store.values import storable, verdict_from_json, verdict_to_json

_SALT = 16
"""Bytes that a message's digest is salted with."""


async def known(connection: AsyncConnection, account: str, ids: Sequence[str]) -> dict[str, bytes | None]:
    """Those of `ids` that are on file already, with the raw content each came with; None where it was removed since."""
    same = (raw_messages.c.account == messages.c.account) & (raw_messages.c.message_id == messages.c.id)
    query = select(messages.c.id, raw_messages.c.content).outerjoin(raw_messages, same)
    found = await connection.execute(query.where(messages.c.account == account, messages.c.id.in_(ids)))
    return {row.id: row.content for row in found}


async def contradicts(connection: AsyncConnection, message: Message) -> bool:
    """Whether `message` is another than the one on file under its id, whose content was removed: written at another time, or about
    other orders. More is not left of it to tell."""
    query = select(messages.c.sent_at, messages.c.order_ids)
    found = await connection.execute(query.where(messages.c.account == message.account, messages.c.id == message.id))
    row = found.one()
    # One that named no order may have been given that of its buyer since.
    other_orders = bool(message.order_ids) and message.order_ids != tuple(row.order_ids)
    return row.sent_at != message.sent_at or other_orders


async def undecided(connection: AsyncConnection, account: str) -> list[str]:
    """The ids of messages that nobody has decided on yet, the oldest first."""
    same = (decisions.c.account == messages.c.account, decisions.c.message_id == messages.c.id)
    query = select(messages.c.id).where(messages.c.account == account, ~select(decisions.c.message_id).where(*same).exists())
    query = query.order_by(messages.c.received_at, messages.c.id)
    return list((await connection.execute(query)).scalars())


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are wanted; what is None or empty does not matter. `since` and `until` are about when a message was taken
    in. `action` is that of the decision on it."""

    order_id: str = ""
    buyer: str = ""
    intent: Intent | None = None
    kind: Kind | None = None
    action: Action | None = None
    since: datetime | None = None
    until: datetime | None = None


async def page(connection: AsyncConnection, account: str, wanted: Filter, before: Place | None, limit: int) -> list[Turn]:
    """Up to `limit` of the wanted messages, the newest first, from behind the one that `before` names."""
    query = select(messages).where(messages.c.account == account)
    if wanted.order_id:
        named = select(message_orders.c.message_id).where(
            message_orders.c.account == account, message_orders.c.order_id == wanted.order_id
        )
        query = query.where(messages.c.id.in_(named))
    if wanted.buyer:
        query = query.where(messages.c.buyer_key == wanted.buyer)
    if wanted.intent is not None:
        query = query.where(messages.c.intent == wanted.intent.value)
    if wanted.kind is not None:
        query = query.where(messages.c.kind == wanted.kind.value)
    if wanted.action is not None:
        same = (decisions.c.account == messages.c.account, decisions.c.message_id == messages.c.id)
        query = query.where(select(decisions.c.message_id).where(*same, decisions.c.action == wanted.action.value).exists())
    if wanted.since is not None:
        query = query.where(messages.c.received_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(messages.c.received_at < wanted.until)
    if before is not None:
        query = query.where(behind(messages.c.received_at, messages.c.id, before))
    query = query.order_by(messages.c.received_at.desc(), messages.c.id.desc()).limit(limit)
    return [_turn(row) for row in await connection.execute(query)]


async def add(connection: AsyncConnection, turn: Turn, raw: bytes, received_at: datetime) -> str:
    """Puts a new message on file; returns the salt of its digest. The caller has seen to it that it is new."""
    return (await add_many(connection, [(turn, raw)], received_at))[0]


async def add_many(connection: AsyncConnection, incoming: Sequence[tuple[Turn, bytes]], received_at: datetime) -> list[str]:
    """Puts new messages on file; returns the salts of their digests."""
    if not incoming:
        return []
    drawn = secrets.token_hex(_SALT * len(incoming))
    salts = [drawn[start : start + 2 * _SALT] for start in range(0, len(drawn), 2 * _SALT)]
    rows = [_row(turn, received_at, salt) for (turn, _), salt in zip(incoming, salts, strict=True)]
    await connection.execute(insert(messages), rows)
    contents = [{"account": turn.message.account, "message_id": turn.message.id, "content": raw} for turn, raw in incoming]
    await connection.execute(insert(raw_messages), contents)
    about = [
        {"account": turn.message.account, "order_id": order_id, "message_id": turn.message.id}
        for turn, _ in incoming
        for order_id in turn.message.order_ids
    ]
    if about:
        await connection.execute(insert(message_orders), about)
    return salts


def _row(turn: Turn, received_at: datetime, salt: str) -> dict[str, Any]:
    message = turn.message
    return {
        "account": message.account,
        "id": message.id,
        "kind": message.kind.value,
        "source": message.source.value,
        "text": storable(message.text),
        "sent_at": message.sent_at,
        "order_ids": list(message.order_ids),
        "buyer_address": storable(message.buyer_address),
        "buyer_key": storable(message.buyer_key),
        "buyer_name": storable(message.buyer_name),
        "own_address": storable(message.own_address),
        "subject": storable(message.subject),
        "reply_to_ids": [storable(each) for each in message.references],
        "marketplace": storable(message.marketplace)[:32],
        "language": storable(message.language)[:16],
        "note": storable(message.note),
        "flaws": [storable(flaw) for flaw in message.flaws],
        "origin": storable(message.origin),
        "received_at": received_at,
        "salt": salt,
        "intent": turn.verdict.intent.value,
        "verdict": verdict_to_json(turn.verdict),
        "solicits": turn.solicits,
        "request_id": message.request_id,
    }


async def get(connection: AsyncConnection, account: str, message_id: str) -> Turn | None:
    """The message with this id, or None."""
    found = await connection.execute(select(messages).where(messages.c.account == account, messages.c.id == message_id))
    row = found.first()
    return _turn(row) if row is not None else None


async def received(connection: AsyncConnection, account: str, ids: Sequence[str]) -> dict[str, tuple[Turn, datetime]]:
    """The messages with these ids, each with the time it was received, by id."""
    found = await connection.execute(select(messages).where(messages.c.account == account, messages.c.id.in_(ids)))
    return {row.id: (_turn(row), row.received_at) for row in found}


async def orders_of(connection: AsyncConnection, message: Message) -> tuple[str, ...]:
    """The orders that `message` is about: those it names, or else the one order that the same buyer's other mails name.

    A relay address belongs to one buyer, so a mail without an order id belongs to that buyer's order when there is just one."""
    if message.order_ids or not message.buyer_address:
        return message.order_ids
    found = await _orders_of_buyer(connection, message.account, storable(message.buyer_key))
    return tuple(found) if len(found) == 1 else ()


async def conversation(connection: AsyncConnection, message: Message, order_ids: tuple[str, ...]) -> Conversation:
    """Everything on file about the first of `order_ids`, or, without one, from the same buyer; at least `message` itself."""
    if order_ids:
        return await about_order(connection, message.account, order_ids[0])
    query = select(messages).where(messages.c.account == message.account)
    query = _without_order(query, storable(message.buyer_key)) if message.buyer_key else query.where(messages.c.id == message.id)
    return Conversation.of(_turn(row) for row in await connection.execute(query))


def _without_order(query: Any, buyer_key: str) -> Any:
    names_order = select(message_orders.c.message_id).where(
        message_orders.c.account == messages.c.account, message_orders.c.message_id == messages.c.id
    )
    return query.where(messages.c.buyer_key == buyer_key, ~names_order.exists())


async def about_order(connection: AsyncConnection, account: str, order_id: str) -> Conversation:
    """The conversation about one order; without turns when nobody wrote."""
    by_order = select(message_orders.c.message_id).where(message_orders.c.account == account, message_orders.c.order_id == order_id)
    rows = list(await connection.execute(select(messages).where(messages.c.account == account, messages.c.id.in_(by_order))))
    turns = {row.id: _turn(row) for row in rows}
    for buyer in sorted({row.buyer_key for row in rows if row.buyer_key}):
        if await _orders_of_buyer(connection, account, buyer) == {order_id}:
            found = await connection.execute(_without_order(select(messages).where(messages.c.account == account), buyer))
            turns |= {row.id: _turn(row) for row in found}
    return Conversation.of(turns.values())


async def _orders_of_buyer(connection: AsyncConnection, account: str, buyer_key: str) -> set[str]:
    # Not as a join: SQLite would begin it with all orders of the account.
    of_buyer = select(messages.c.id).where(messages.c.account == account, messages.c.buyer_key == buyer_key)
    query = select(message_orders.c.order_id).where(message_orders.c.account == account, message_orders.c.message_id.in_(of_buyer))
    return set((await connection.execute(query)).scalars())


def _turn(row: Row[Any]) -> Turn:
    message = Message(
        account=row.account,
        id=row.id,
        kind=Kind(row.kind),
        source=Source(row.source),
        text=row.text,
        sent_at=row.sent_at,
        order_ids=tuple(row.order_ids),
        buyer_address=row.buyer_address,
        buyer_name=row.buyer_name,
        own_address=row.own_address,
        subject=row.subject,
        references=tuple(row.reply_to_ids),
        marketplace=row.marketplace,
        language=row.language,
        note=row.note,
        flaws=tuple(row.flaws),
        origin=row.origin,
        request_id=row.request_id,
    )
    verdict: Verdict = verdict_from_json(row.verdict)
    return Turn(message, verdict, row.solicits, row.received_at, row.pruned_at)


async def requests_between(
    connection: AsyncConnection, account: str, since: datetime | None, until: datetime | None
) -> list[tuple[Turn, datetime]]:
    """Buyers' messages that ask to cancel, written (or, without a date, received) from `since` on and before `until`, the
    oldest first."""
    written = func.coalesce(messages.c.sent_at, messages.c.received_at)
    query = select(messages).where(messages.c.account == account, messages.c.intent == Intent.REQUEST.value)
    if since is not None:
        query = query.where(written >= since)
    if until is not None:
        query = query.where(written < until)
    return [(_turn(row), row.received_at) for row in await connection.execute(query.order_by(written, messages.c.id))]
