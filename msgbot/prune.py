"""Prune: removes what tells of a person from everything that is old enough, and leaves what proves what was done."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgbot.clock import Clock
from msgbot.domain.trail import EntryKind, Facts
from msgbot.engine import Engine
from msgbot.errors import InputError
from msgbot.store import deliveries, idempotency, retention, trail
from msgbot.store.database import Database

_LONGEST = 36_500
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
        async with self._database.reading() as connection:
            accounts = await retention.accounts(connection, before)
        total = Counter({"messages": 0, "replies": 0, "deliveries": 0})
        for account in accounts:
            while batch := await self._batch(account, days, before, now):
                total.update(batch)
                on_progress(total["messages"])
                await asyncio.sleep(_PAUSE_SECONDS)
        keys = 0
        while gone := await self._delete_keys(now):
            keys += gone
        workflows = await self._engine.forget(before)
        await self._database.fold_log()
        waiting = (await self._overdue(before, now)).waiting
        return Pruned(before, **total, keys=keys, workflows=workflows, waiting=waiting)

    async def dry_run(self, days: int, *, now: datetime | None = None) -> Pruned:
        """What `run` would remove; nothing is written. Workflows are not counted. Raises InputError as `run` does."""
        now = now or self._clock()
        before = _before(days, now)
        found = await self._overdue(before, now)
        return Pruned(before, found.messages, found.replies, found.deliveries, found.keys, 0, found.waiting)

    async def _overdue(self, before: datetime, now: datetime) -> retention.Overdue:
        async with self._database.reading() as connection:
            return await retention.overdue(connection, before, now - idempotency.KEPT)

    async def _batch(self, account: str, days: int, before: datetime, now: datetime) -> dict[str, int]:
        """One transaction; the counts of what it removed, or nothing when there was nothing left."""
        async with self._database.transaction() as connection:
            removed = await retention.remove(connection, account, before, now)
            told = await deliveries.delete_before(connection, account, before, retention.BATCH)
            counts = {"messages": removed.messages, "replies": removed.replies, "deliveries": told}
            if not any(counts.values()):
                return {}
            for each in removed.stopped:
                stopped: Facts = {"reply": each.reply_id, "message": each.message_id, "order": each.order_id, "because": "pruned"}
                await trail.append(connection, account, now, EntryKind.REPLY_STOPPED, stopped)
            facts: Facts = {"before": before.isoformat(), "days": days, **counts}
            await trail.append(connection, account, now, EntryKind.PRUNED, facts)
        return counts

    async def _delete_keys(self, now: datetime) -> int:
        async with self._database.transaction() as connection:
            return await idempotency.delete_old(connection, now)


def _before(days: int, now: datetime) -> datetime:
    if not 1 <= days <= _LONGEST:
        raise InputError(f"{days} days: what is younger than a day may still be worked on; it is 1 to {_LONGEST}")
    return now - timedelta(days=days)
