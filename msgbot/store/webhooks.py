"""Webhooks on file. Their secrets are not."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.events import EventType
from msgbot.errors import Stale
from msgbot.store.schema import webhooks


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of events. `secret_version` says which of its secrets is in use; `version` grows with each
    change."""

    account: str
    id: str
    url: str
    events: frozenset[EventType]
    enabled: bool
    secret_version: int
    created_at: datetime
    version: int = 1


async def add(connection: AsyncConnection, webhook: Webhook) -> None:
    """Puts a webhook on file."""
    await connection.execute(
        insert(webhooks).values(
            account=webhook.account, id=webhook.id, created_at=webhook.created_at, version=webhook.version, **_settings(webhook)
        )
    )


async def get(connection: AsyncConnection, account: str, webhook_id: str) -> Webhook | None:
    """The webhook, or None."""
    query = select(webhooks).where(webhooks.c.account == account, webhooks.c.id == webhook_id)
    row = (await connection.execute(query)).first()
    return _webhook(row) if row is not None else None


async def of_account(connection: AsyncConnection, account: str) -> list[Webhook]:
    """All webhooks of the account, the oldest first."""
    query = select(webhooks).where(webhooks.c.account == account).order_by(webhooks.c.created_at, webhooks.c.id)
    return [_webhook(row) for row in await connection.execute(query)]


async def change(connection: AsyncConnection, webhook: Webhook) -> Webhook:
    """Puts `webhook` in the place of the one that was read with its `version`; the one now on file.

    Raises Stale when that has been changed or deleted since."""
    changed = dataclasses.replace(webhook, version=webhook.version + 1)
    where = (webhooks.c.account == webhook.account, webhooks.c.id == webhook.id, webhooks.c.version == webhook.version)
    result = await connection.execute(update(webhooks).where(*where).values(version=changed.version, **_settings(changed)))
    if result.rowcount != 1:
        raise Stale(f"the webhook {webhook.id} was changed or deleted in the meantime: read it again")
    return changed


async def disable(connection: AsyncConnection, account: str, webhook_id: str) -> bool:
    """Sends it nothing more, whatever its version is; whether it was on."""
    where = (webhooks.c.account == account, webhooks.c.id == webhook_id, webhooks.c.enabled)
    off = await connection.execute(update(webhooks).where(*where).values(enabled=False, version=webhooks.c.version + 1))
    return off.rowcount == 1


async def remove(connection: AsyncConnection, account: str, webhook_id: str) -> bool:
    """Deletes the webhook; whether there was one. What was delivered to it stays on file until it is pruned."""
    result = await connection.execute(delete(webhooks).where(webhooks.c.account == account, webhooks.c.id == webhook_id))
    return result.rowcount == 1


def _settings(webhook: Webhook) -> dict[str, Any]:
    """The columns that can change."""
    return {
        "url": webhook.url,
        "events": sorted(event.value for event in webhook.events),
        "enabled": webhook.enabled,
        "secret_version": webhook.secret_version,
    }


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(**{**row._mapping, "events": frozenset(EventType(event) for event in row.events)})
