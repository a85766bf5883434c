"""Webhooks: who is told of events. What is sent where, with which secret, and sending it again. Every change stands in the
account's trail."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection
from yarl import URL

from msgbot.announce import enqueue_try, new_delivery, put
from msgbot.clock import Clock
from msgbot.domain.events import SUBSCRIBABLE, EventType
from msgbot.domain.trail import EntryKind, Facts, digest
from msgbot.engine import Engine
from msgbot.errors import Conflict, InputError, NotFound
from msgbot.installation_key import WEBHOOK, InstallationKey
from msgbot.senders.targets import check_url
from msgbot.store import deliveries, trail, webhooks
from msgbot.store.database import Database
from msgbot.store.deliveries import Delivery, DeliveryState
from msgbot.store.paging import Place
from msgbot.store.webhooks import Webhook


class Webhooks:
    """The use case. `private_allowed` lets webhooks go to the own network, and without TLS. `by` and `request_id` say for the trail
    who changed something, and with which HTTP request."""

    def __init__(
        self, database: Database, engine: Engine, key: InstallationKey, clock: Clock, *, private_allowed: bool = False
    ) -> None:
        self._database = database
        self._engine = engine
        self._key = key
        self._clock = clock
        self._private_allowed = private_allowed

    async def add(
        self,
        account: str,
        url: str,
        events: Collection[EventType],
        *,
        enabled: bool = True,
        by: str = "",
        request_id: str = "",
    ) -> Webhook:
        """A new webhook. Raises InputError for an address or events that it cannot have."""
        check_url(url, self._private_allowed)
        _check_events(events)
        identity = f"wh_{secrets.token_hex(8)}"
        webhook = Webhook(account, identity, url, frozenset(events), enabled, secret_version=1, created_at=self._clock())
        async with self._database.transaction() as connection:
            await webhooks.add(connection, webhook)
            await self._record(connection, webhook, "added", by, request_id)
        return webhook

    async def change(
        self,
        account: str,
        webhook_id: str,
        version: int,
        *,
        url: str | None = None,
        events: Collection[EventType] | None = None,
        enabled: bool | None = None,
        by: str = "",
        request_id: str = "",
    ) -> Webhook:
        """Changes what is given of the webhook that was read with this `version`. What waits to be sent goes to the new address,
        or is cancelled if the webhook is off when its time comes. Raises InputError, NotFound, and Stale when it has changed
        since."""
        if url is not None:
            check_url(url, self._private_allowed)
        if events is not None:
            _check_events(events)
        async with self._database.transaction() as connection:
            webhook = await _known(connection, account, webhook_id)
            wanted = replace(
                webhook,
                version=version,
                url=webhook.url if url is None else url,
                events=webhook.events if events is None else frozenset(events),
                enabled=webhook.enabled if enabled is None else enabled,
            )
            changed = await webhooks.change(connection, wanted)
            await self._record(connection, changed, "changed", by, request_id)
        return changed

    async def remove(self, account: str, webhook_id: str, *, by: str = "", request_id: str = "") -> None:
        """Deletes a webhook; what waits to be sent to it is cancelled. Raises NotFound."""
        async with self._database.transaction() as connection:
            webhook = await _known(connection, account, webhook_id)
            if not await webhooks.remove(connection, account, webhook_id):
                raise _no_webhook(account, webhook_id)
            await self._record(connection, webhook, "removed", by, request_id)

    async def get(self, account: str, webhook_id: str) -> Webhook:
        """The webhook. Raises NotFound."""
        async with self._database.reading() as connection:
            return await _known(connection, account, webhook_id)

    async def all(self, account: str) -> list[Webhook]:
        """The webhooks of the account, the oldest first."""
        async with self._database.reading() as connection:
            return await webhooks.of_account(connection, account)

    async def secret(self, account: str, webhook_id: str) -> str:
        """The secret that its receiver checks signatures with. Raises NotFound."""
        webhook = await self.get(account, webhook_id)
        return self._key.secret_for(WEBHOOK, account, webhook.id, webhook.secret_version)

    async def rotate_secret(self, account: str, webhook_id: str, *, by: str = "", request_id: str = "") -> Webhook:
        """Gives the webhook a new secret. From this moment all is signed with the new one alone: a receiver that has not been told
        refuses what comes, and gets it again by the schedule of retries. Raises NotFound."""
        async with self._database.transaction() as connection:
            webhook = await _known(connection, account, webhook_id)
            changed = await webhooks.change(connection, replace(webhook, secret_version=webhook.secret_version + 1))
            await self._record(connection, changed, "secret renewed", by, request_id)
        return changed

    async def deliveries(self, account: str, webhook_id: str, *, before: Place | None = None, limit: int) -> list[Delivery]:
        """Up to `limit` deliveries to a webhook, the newest first, from behind the one that `before` names. Raises NotFound."""
        async with self._database.reading() as connection:
            await _known(connection, account, webhook_id)
            return await deliveries.of_webhook(connection, account, webhook_id, before=before, limit=limit)

    async def replay(self, account: str, delivery_id: str) -> Delivery:
        """Sends a delivery again, now, whatever came of it before. It keeps its webhook-id, so that a receiver that has it already
        can tell. Raises NotFound, and Conflict when its webhook is off or deleted."""
        async with self._database.transaction() as connection:
            delivery = await deliveries.get(connection, account, delivery_id, lock=True)
            if delivery is None:
                raise NotFound(f"no delivery {delivery_id} of account {account}")
            webhook = await webhooks.get(connection, account, delivery.webhook_id)
            if webhook is None:
                raise Conflict(f"the webhook {delivery.webhook_id} of this delivery was deleted")
            _check_enabled(webhook)
            waiting = await deliveries.settle(connection, delivery, DeliveryState.WAITING, next_try_at=self._clock())
            await enqueue_try(connection, self._engine, waiting, anew=True)
        return waiting

    async def test(self, account: str, webhook_id: str) -> Delivery:
        """Sends the webhook an event that only says that it is a test. Raises NotFound, and Conflict when the webhook is off."""
        async with self._database.transaction() as connection:
            webhook = await _known(connection, account, webhook_id)
            _check_enabled(webhook)
            delivery = new_delivery(webhook, EventType.TEST, {"webhook": webhook.id}, self._clock())
            await put(connection, self._engine, [delivery])
        return delivery

    async def _record(self, connection: AsyncConnection, webhook: Webhook, change: str, by: str, request_id: str) -> None:
        facts: Facts = {
            "webhook": webhook.id,
            "change": change,
            # What follows the host lets into some receivers whoever knows it; the digest proves later which address it was.
            "host": URL(webhook.url).host or "",
            "url_digest": digest(webhook.url, webhook.id),
            "events": sorted(event.value for event in webhook.events),
            "enabled": webhook.enabled,
            "by": by,
            "request": request_id,
        }
        await trail.append(connection, webhook.account, self._clock(), EntryKind.WEBHOOK_CHANGED, facts)


def _check_events(events: Collection[EventType]) -> None:
    if not events or not SUBSCRIBABLE.issuperset(events):
        choice = ", ".join(sorted(event.value for event in SUBSCRIBABLE))
        raise InputError(f"a webhook is set to one or more of these events: {choice}")


async def _known(connection: AsyncConnection, account: str, webhook_id: str) -> Webhook:
    webhook = await webhooks.get(connection, account, webhook_id)
    if webhook is None:
        raise _no_webhook(account, webhook_id)
    return webhook


def _no_webhook(account: str, webhook_id: str) -> NotFound:
    return NotFound(f"no webhook {webhook_id} of account {account}")


def _check_enabled(webhook: Webhook) -> None:
    if not webhook.enabled:
        raise Conflict(f"the webhook {webhook.id} is off: turn it on first")
