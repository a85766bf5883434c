"""Deliveries on file: one for each event and webhook, with every attempt that was made."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.events import EventType
from msgbot.store.paging import Place, behind
from msgbot.store.schema import deliveries
from msgbot.store.values import storable

_REASON = 500
"""Characters of an error that are kept."""


class DeliveryState(StrEnum):
    """Where a delivery stands. It is cancelled when its webhook was deleted or disabled before it arrived."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `status` is that of HTTP, None when no answer came; `error` says why it does not count as delivered, or nothing."""

    at: datetime
    status: int | None
    milliseconds: int
    error: str

    @property
    def delivered(self) -> bool:
        """Whether the receiver said that it has it."""
        return not self.error


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a webhook. Its `id` is the webhook-id that receivers see, the same with every attempt."""

    account: str
    id: str
    webhook_id: str
    event: EventType
    payload: str
    created_at: datetime
    state: DeliveryState = DeliveryState.WAITING
    attempts: tuple[Attempt, ...] = ()
    next_try_at: datetime | None = None


async def add_many(connection: AsyncConnection, made: Sequence[Delivery]) -> None:
    """Puts deliveries on file."""
    if not made:
        return
    rows = [
        {
            "account": each.account,
            "id": each.id,
            "webhook_id": each.webhook_id,
            "event": each.event.value,
            "payload": each.payload,
            "created_at": each.created_at,
            **_progress(each),
        }
        for each in made
    ]
    await connection.execute(insert(deliveries), rows)


async def get(connection: AsyncConnection, account: str, delivery_id: str, *, lock: bool = False) -> Delivery | None:
    """The delivery, or None. With `lock` nobody else can change it until the transaction ends."""
    query = select(deliveries).where(deliveries.c.account == account, deliveries.c.id == delivery_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    return _delivery(row) if row is not None else None


async def of_webhook(
    connection: AsyncConnection, account: str, webhook_id: str, *, before: Place | None = None, limit: int
) -> list[Delivery]:
    """Up to `limit` deliveries to a webhook, the newest first, from behind the one that `before` names."""
    query = select(deliveries).where(deliveries.c.account == account, deliveries.c.webhook_id == webhook_id)
    if before is not None:
        query = query.where(behind(deliveries.c.created_at, deliveries.c.id, before))
    query = query.order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc()).limit(limit)
    return [_delivery(row) for row in await connection.execute(query)]


async def settle(
    connection: AsyncConnection,
    delivery: Delivery,
    state: DeliveryState,
    *,
    attempt: Attempt | None = None,
    next_try_at: datetime | None = None,
) -> Delivery:
    """Moves a delivery on to `state`, perhaps by another attempt. The one now on file. It was read with `lock`."""
    attempts = delivery.attempts if attempt is None else (*delivery.attempts, attempt)
    settled = dataclasses.replace(delivery, state=state, attempts=attempts, next_try_at=next_try_at)
    where = (deliveries.c.account == delivery.account, deliveries.c.id == delivery.id)
    await connection.execute(update(deliveries).where(*where).values(_progress(settled)))
    return settled


async def delete_before(connection: AsyncConnection, account: str, moment: datetime, limit: int) -> int:
    """Deletes up to `limit` deliveries that were made before `moment`; how many. What still waits is dropped too."""
    old = select(deliveries.c.id).where(deliveries.c.account == account, deliveries.c.created_at < moment).limit(limit)
    gone = await connection.execute(delete(deliveries).where(deliveries.c.account == account, deliveries.c.id.in_(old)))
    return gone.rowcount


def attempt_to_json(attempt: Attempt) -> dict[str, Any]:
    """An attempt as plain data."""
    return {
        "at": attempt.at.isoformat(),
        "status": attempt.status,
        "milliseconds": attempt.milliseconds,
        "error": storable(attempt.error)[:_REASON],
    }


def attempt_from_json(data: dict[str, Any]) -> Attempt:
    """The attempt that `attempt_to_json` made plain."""
    return Attempt(datetime.fromisoformat(data["at"]), data["status"], data["milliseconds"], data["error"])


def _progress(delivery: Delivery) -> dict[str, Any]:
    """The columns that change."""
    return {
        "state": delivery.state.value,
        "attempts": [attempt_to_json(each) for each in delivery.attempts],
        "next_try_at": delivery.next_try_at,
    }


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        **{
            **row._mapping,
            "event": EventType(row.event),
            "state": DeliveryState(row.state),
            "attempts": tuple(attempt_from_json(each) for each in row.attempts),
        }
    )
