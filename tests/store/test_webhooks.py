"""Webhooks and deliveries on file, on real SQLite and real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from msgbot.domain.events import EventType
from msgbot.errors import Stale
from msgbot.store import deliveries, webhooks
from msgbot.store.database import Database
from msgbot.store.deliveries import Attempt, Delivery, DeliveryState
from msgbot.store.webhooks import Webhook

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BOTH = frozenset({EventType.REQUEST_DETECTED, EventType.REPLY_FAILED})


def webhook(identity: str = "wh_1", **changes: object) -> Webhook:
    return replace(Webhook("main", identity, "https://a.example/é", BOTH, True, 1, NOW), **changes)  # type: ignore[arg-type]


def delivery(number: int = 1, **changes: object) -> Delivery:
    made = Delivery("main", f"msg_{number}", "wh_1", EventType.TEST, '{"type":"webhook.test"}', NOW, next_try_at=NOW)
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_webhook_comes_back_as_it_was(database: Database) -> None:
    second = webhook("wh_0", created_at=NOW + timedelta(seconds=1), events=frozenset())
    async with database.transaction() as connection:
        for each in (second, webhook(), webhook("wh_9", account="other")):
            await webhooks.add(connection, each)
    async with database.transaction() as connection:
        assert await webhooks.get(connection, "main", "wh_1") == webhook()
        assert await webhooks.get(connection, "other", "wh_1") is None
        assert await webhooks.of_account(connection, "main") == [webhook(), second]


async def test_who_changes_an_old_reading_of_a_webhook_is_told(database: Database) -> None:
    async with database.transaction() as connection:
        await webhooks.add(connection, webhook())
        changed = await webhooks.change(connection, webhook(url="https://b.example/", events=frozenset(), secret_version=2))
        assert changed == webhook(url="https://b.example/", events=frozenset(), secret_version=2, version=2)
        assert await webhooks.get(connection, "main", "wh_1") == changed
        for stale in (webhook(), webhook("wh_2"), webhook(account="other")):
            with pytest.raises(Stale, match="read it again"):
                await webhooks.change(connection, stale)
        await webhooks.disable(connection, "main", "wh_1")
        assert await webhooks.get(connection, "main", "wh_1") == replace(changed, enabled=False, version=3)


async def test_a_deleted_webhook_is_gone(database: Database) -> None:
    async with database.transaction() as connection:
        await webhooks.add(connection, webhook())
        assert not await webhooks.remove(connection, "other", "wh_1")
        assert await webhooks.remove(connection, "main", "wh_1")
        assert not await webhooks.remove(connection, "main", "wh_1")


async def test_a_delivery_keeps_every_attempt(database: Database) -> None:
    refused = Attempt(NOW, 500, 12, "answered 500")
    lost = Attempt(NOW + timedelta(seconds=5), None, 15_000, "x" * 900 + "\0")
    async with database.transaction() as connection:
        await deliveries.add_many(connection, [])
        await deliveries.add_many(connection, [delivery()])
        assert await deliveries.get(connection, "other", "msg_1") is None
        first = await deliveries.get(connection, "main", "msg_1", lock=True)
        assert first == delivery()
        later = NOW + timedelta(seconds=5)
        second = await deliveries.settle(connection, first, DeliveryState.WAITING, attempt=refused, next_try_at=later)
        assert second == delivery(attempts=(refused,), next_try_at=later)
        await deliveries.settle(connection, second, DeliveryState.FAILED, attempt=lost)
    async with database.transaction() as connection:
        kept = (refused, replace(lost, error="x" * 500))
        expected = delivery(state=DeliveryState.FAILED, attempts=kept, next_try_at=None)
        assert await deliveries.get(connection, "main", "msg_1") == expected


async def test_deliveries_are_paged_with_the_newest_first(database: Database) -> None:
    """Also those of one moment, which only their ids tell apart."""
    made = [delivery(number, created_at=NOW + timedelta(seconds=number // 3)) for number in range(9)]
    others = [delivery(10, webhook_id="wh_2"), delivery(11, account="other")]
    async with database.transaction() as connection:
        await deliveries.add_many(connection, [*made, *others])
        seen: list[str] = []
        before = None
        while page := await deliveries.of_webhook(connection, "main", "wh_1", before=before, limit=2):
            assert len(page) <= 2
            seen += [each.id for each in page]
            before = (page[-1].created_at, page[-1].id)
    assert seen == [f"msg_{number}" for number in range(8, -1, -1)]


async def test_old_deliveries_are_deleted_some_at_a_time(database: Database) -> None:
    made = [delivery(number, created_at=NOW + timedelta(days=number)) for number in range(4)]
    async with database.transaction() as connection:
        await deliveries.add_many(connection, [*made, delivery(0, account="other")])
        for expected in (2, 1, 0):
            assert await deliveries.delete_before(connection, "main", NOW + timedelta(days=3), limit=2) == expected
        assert await deliveries.get(connection, "main", made[3].id) is not None
        assert await deliveries.get(connection, "other", made[0].id) is not None
