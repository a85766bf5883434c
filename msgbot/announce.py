"""Announce: events go to the webhooks of an account, put on file in the transaction in which they happen."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.events import EventType, payload
from msgbot.domain.trail import Facts
from msgbot.engine import Engine
from msgbot.store import deliveries, webhooks
from msgbot.store.deliveries import Delivery
from msgbot.store.webhooks import Webhook

DELIVER = "deliver"
"""The name of the workflow that makes one try at a delivery."""


async def announce(
    connection: AsyncConnection, engine: Engine, account: str, event: EventType, facts: Facts, now: datetime
) -> None:
    """Sends one event to every webhook of the account that is set to it; costs one look when there is none.

    `facts` hold ids, codes and counts, no buyer's words. Nothing goes out unless the transaction is committed."""
    await announce_many(connection, engine, account, event, [facts], now)


async def announce_many(
    connection: AsyncConnection, engine: Engine, account: str, event: EventType, happened: Sequence[Facts], now: datetime
) -> None:
    """Sends one event for each of `happened`, at the cost of one look at the webhooks."""
    if not happened:
        return
    told = [each for each in await webhooks.of_account(connection, account) if each.enabled and event in each.events]
    await put(connection, engine, [new_delivery(webhook, event, facts, now) for facts in happened for webhook in told])


def new_delivery(webhook: Webhook, event: EventType, facts: Facts, now: datetime) -> Delivery:
    """The event on its way to the webhook; each has an id of its own."""
    content = payload(event, webhook.account, now, facts)
    return Delivery(webhook.account, f"msg_{secrets.token_hex(12)}", webhook.id, event, content, now, next_try_at=now)


async def put(connection: AsyncConnection, engine: Engine, made: Sequence[Delivery]) -> None:
    """Puts deliveries on file and enqueues their first tries."""
    await deliveries.add_many(connection, made)
    for delivery in made:
        await enqueue_try(connection, engine, delivery)


async def enqueue_try(
    connection: AsyncConnection, engine: Engine, delivery: Delivery, *, delay: timedelta = timedelta(0), anew: bool = False
) -> None:
    """Enqueues the next try at a delivery: once, unless `anew` says that it is to be made now even so."""
    attempt = uuid.uuid4().hex if anew else "first"
    subject = f"{delivery.id}:{len(delivery.attempts)}"
    await engine.enqueue(connection, DELIVER, delivery.account, subject, attempt=attempt, delay=delay.total_seconds())


def read_subject(subject: str) -> tuple[str, int]:
    """The delivery that `enqueue_try` named, and how many attempts had been made at it then."""
    delivery_id, _, attempts = subject.rpartition(":")
    return delivery_id, int(attempts)
