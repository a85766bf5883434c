"""Deliver: one try at getting an event to a webhook. `run` is a durable workflow.

A try that fails enqueues the next: a workflow that slept for hours would keep others from running. Each try knows how many were
made before it, so that one which comes late, or twice, finds that another took its place, and does nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot import metrics
from msgbot.announce import enqueue_try, read_subject
from msgbot.channels.signatures import sign
from msgbot.clock import Clock
from msgbot.domain.retries import SCHEDULE, asked_wait, wait_after
from msgbot.domain.trail import EntryKind, Facts
from msgbot.engine import Engine
from msgbot.installation_key import WEBHOOK, InstallationKey
from msgbot.senders.webhook import WebhookSender
from msgbot.steps import step
from msgbot.store import deliveries, trail, webhooks
from msgbot.store.database import Database
from msgbot.store.deliveries import Attempt, Delivery, DeliveryState, attempt_from_json, attempt_to_json

_GONE = 410
_BUSY = frozenset({429, 503})


class Deliver:
    """The use case. `schedule` is how long to wait after each try that fails."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        key: InstallationKey,
        clock: Clock,
        sender: WebhookSender,
        schedule: Sequence[timedelta] = SCHEDULE,
    ) -> None:
        self._database = database
        self._engine = engine
        self._key = key
        self._clock = clock
        self._sender = sender
        self._schedule = schedule

    async def run(self, account: str, subjects: Sequence[str]) -> None:
        """Makes one try at each, records it, and enqueues the next if it failed."""
        outcomes = await step("send", self.send, account, {each: each for each in subjects})
        await step("record", self.record, account, outcomes)

    async def send(self, account: str, subject: str) -> str:
        """Sends the event once. What came of it, as JSON; empty when there is nothing to send any more. Sent a second time after
        a crash, it has the same webhook-id, by which its receiver knows it."""
        async with self._database.transaction() as connection:
            delivery = await self._due(connection, account, subject)
            if delivery is None:
                return ""
            webhook = await webhooks.get(connection, account, delivery.webhook_id)
            if webhook is None or not webhook.enabled:
                await deliveries.settle(connection, delivery, DeliveryState.CANCELLED)
                return ""
        at, body = self._clock(), delivery.payload.encode("utf-8")
        secret = self._key.secret_for(WEBHOOK, account, webhook.id, webhook.secret_version)
        receipt = await self._sender.post(webhook.url, sign(secret, delivery.id, at, body), body)
        attempt = Attempt(at, receipt.status, receipt.milliseconds, receipt.error)
        asked = asked_wait(receipt.retry_after, self._clock()) if receipt.status in _BUSY else timedelta(0)
        return json.dumps({"subject": subject, "attempt": attempt_to_json(attempt), "asked_seconds": asked.total_seconds()})

    async def record(self, account: str, outcome: str) -> str:
        """Puts what came of a try on file, with what follows from it. Nothing is left to do then: the empty text."""
        told = json.loads(outcome)
        attempt, asked = attempt_from_json(told["attempt"]), timedelta(seconds=told["asked_seconds"])
        async with self._database.transaction() as connection:
            delivery = await self._due(connection, account, told["subject"])
            if delivery is None:
                return ""
            metrics.webhooks.labels("delivered" if attempt.delivered else "failed").inc()
            if attempt.delivered:
                await deliveries.settle(connection, delivery, DeliveryState.DELIVERED, attempt=attempt)
                return ""
            wait = wait_after(len(delivery.attempts) + 1, delivery.id, asked, self._schedule)
            if attempt.status == _GONE:
                await self._turn_off(connection, delivery)
            if attempt.status == _GONE or wait is None:
                await deliveries.settle(connection, delivery, DeliveryState.FAILED, attempt=attempt)
                return ""
            due = self._clock() + wait
            waiting = await deliveries.settle(connection, delivery, DeliveryState.WAITING, attempt=attempt, next_try_at=due)
            await enqueue_try(connection, self._engine, waiting, delay=wait)
            return ""

    async def _turn_off(self, connection: AsyncConnection, delivery: Delivery) -> None:
        """Turns the webhook off whose receiver says that it wants nothing more, ever."""
        if await webhooks.disable(connection, delivery.account, delivery.webhook_id):
            facts: Facts = {"webhook": delivery.webhook_id, "change": "turned off", "because": "its receiver answered 410"}
            await trail.append(connection, delivery.account, self._clock(), EntryKind.WEBHOOK_CHANGED, facts)

    async def _due(self, connection: AsyncConnection, account: str, subject: str) -> Delivery | None:
        """The delivery, locked, if this is the try that it waits for."""
        delivery_id, attempts = read_subject(subject)
        delivery = await deliveries.get(connection, account, delivery_id, lock=True)
        if delivery is None or delivery.state is not DeliveryState.WAITING or len(delivery.attempts) != attempts:
            return None
        return delivery
