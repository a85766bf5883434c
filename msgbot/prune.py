"""Prune: removes what tells of a person from everything that is old enough, and leaves what proves what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.clock import Clock
from msgbot.domain.trail import EntryKind, Facts
from msgbot.engine import Engine
from msgbot.errors import InputError
from msgbot.store import retention, trail
from msgbot.store.database import Database
from msgbot.store.retention import Removed

_LONGEST = 36_500
_KEYS_KEPT = timedelta(hours=24)
# A writer that waits for an SQLite file looks about ten times a second whether it is free.
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed because it is from before `before`; in a dry run, what would be. `keys` are idempotency keys, which are
    kept for a day. `waiting` are messages that are as old and stay: nobody has decided on them, or their reply is on its way."""

    before: datetime
    messages: int
    replies: int
    deliveries: int
    keys: int
    workflows: int
    waiting: int


class Prune:
    """The use case. It may run beside a service, and more than once at a time."""

    def __init__(self, database: Database, engine: Engine, clock: Clock) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock

    async def run(
        self, days: int, *, now: datetime | None = None, on_progress: Callable[[int], None] = lambda messages: None
    ) -> Pruned:
        """Removes what tells of a person from messages taken in more than `days` days ago and from what was made of them, in all
        accounts; deletes deliveries and ended workflows as old. `on_progress` is told how many messages are done.

        Raises InputError when `days` is less than one, or beyond a hundred years."""
        now = now or self._clock()
        before = _before(days, now)
        messages = replies = deliveries = keys = 0
        async with self._database.reading() as connection:
            accounts = await retention.accounts(connection, before)
        for account in accounts:
            while True:
                removed, told = await self._batch(account, days, before, now)
                if not removed.messages and not told:
                    break
                messages, replies, deliveries = messages + removed.messages, replies + removed.replies, deliveries + told
                on_progress(messages)
                await asyncio.sleep(_PAUSE_SECONDS)
        while gone := await self._delete_keys(now):
            keys += gone
        workflows = await self._engine.forget(before)
        await self._database.fold_log()
        waiting = (await self._overdue(before, now)).waiting
        return Pruned(before, messages, replies, deliveries, keys, workflows, waiting)

    async def dry_run(self, days: int, *, now: datetime | None = None) -> Pruned:
        """What `run` would remove; nothing is written. Workflows are not counted. Raises InputError as `run` does."""
        now = now or self._clock()
        before = _before(days, now)
        found = await self._overdue(before, now)
        return Pruned(before, found.messages, found.replies, found.deliveries, found.keys, 0, found.waiting)

    async def _overdue(self, before: datetime, now: datetime) -> retention.Overdue:
        async with self._database.reading() as connection:
            return await retention.overdue(connection, before, now - _KEYS_KEPT)

    async def _batch(self, account: str, days: int, before: datetime, now: datetime) -> tuple[Removed, int]:
        """One transaction: the messages it removed, and how many deliveries."""
        async with self._database.transaction() as connection:
            removed = await retention.remove(connection, account, before, now)
            deliveries = await retention.delete_deliveries(connection, account, before)
            if removed.messages or deliveries:
                facts: Facts = {
                    "before": before.isoformat(),
                    "days": days,
                    "messages": removed.messages,
                    "replies": removed.replies,
                    "deliveries": deliveries,
                }
                await _record_stopped(connection, account, removed, now)
                await trail.append(connection, account, now, EntryKind.PRUNED, facts)
        return removed, deliveries

    async def _delete_keys(self, now: datetime) -> int:
        async with self._database.transaction() as connection:
            return await retention.delete_keys(connection, now - _KEYS_KEPT)


async def _record_stopped(connection: AsyncConnection, account: str, removed: Removed, now: datetime) -> None:
    for each in removed.stopped:
        facts: Facts = {"reply": each.reply_id, "message": each.message_id, "order": each.order_id, "because": "pruned"}
        await trail.append(connection, account, now, EntryKind.REPLY_STOPPED, facts)


def _before(days: int, now: datetime) -> datetime:
    if not 1 <= days <= _LONGEST:
        raise InputError(f"{days} days: what is younger than a day may still be worked on; it is 1 to {_LONGEST}")
    return now - timedelta(days=days)
