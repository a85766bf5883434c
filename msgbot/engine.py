"""Durable work: workflows that survive a killed process, on the same database as everything else (DBOS Transact).

A workflow is enqueued in the transaction that records why, so neither can exist without the other. What it does it does in steps
(steps.py), each of which is recorded when it ends.

Workflows never sleep: a sleeping one would hold one of the places of its process. What is to happen later is enqueued with a
delay.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, WorkflowStatus, run_dbos_database_migrations
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.queues import QUEUES, WORK, queue_of
from msgbot.steps import Place, SomeFailed, current
from msgbot.store.database import Database

Workflow = Callable[[str, Sequence[str]], Coroutine[Any, Any, None]]
"""A workflow takes an account and the ids of what it is about."""

LOCAL = "local"
"""The name of the only process that works on an SQLite database."""
_APPLICATION = "msgbot"
_AT_ONCE, _AT_ONCE_ALONE = 16, 32
"""So many workflows of a queue are begun at once in a process: more where there is no other process to leave some to."""
_WRITING_AT_ONCE = 4
"""So many of them do something at once on SQLite, which has one writer: more would stand in the way of messages that come in."""
_POLL_SECONDS = 0.05
_CALM_SECONDS = 1.0
_FAILED = ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_ENDED = ["SUCCESS", "CANCELLED", *_FAILED]
_AGAIN = "again-"
_TRIES = 10
_FIRST_WAIT, _LONGEST_WAIT = 10.0, 6 * 3_600.0
_UNDER_WAY = ["ENQUEUED", "PENDING", "DELAYED"]
_PAGE = 500
_TOGETHER = 50
_POOL = 8
_LISTEN_SECONDS = 0.2
# Workflows begun by one release are finished by the next: raise this only when their steps change.
_WORKFLOW_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Failure:
    """A workflow that ended in an error: what it was about, and the error."""

    subject: str
    text: str


class Engine:
    """Enqueues workflows at any time, and runs them while `running()` is entered. One per process: the library behind it keeps
    global state."""

    def __init__(self, database: Database, *, poll_seconds: float = _POLL_SECONDS) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._executor = LOCAL
        self._slots = asyncio.Semaphore(_WRITING_AT_ONCE if database.is_sqlite else _AT_ONCE)
        self._active: set[str] = set()
        self._lost: set[str] = set()
        self._url = database.sync_url
        # What goes wrong in a workflow is told by `failures`; the library would print a traceback beside it.
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        run_dbos_database_migrations(self._url)
        self._client = DBOSClient(system_database_url=self._url, application_name=_APPLICATION)
        # Known before anything is launched, the queue is served at once; one made later is noticed after a second.
        for queue in QUEUES:
            self._client.register_queue(
                queue.name,
                polling_interval_sec=max(poll_seconds, _CALM_SECONDS) if queue.calm else poll_seconds,
                worker_concurrency=_AT_ONCE_ALONE if database.is_sqlite else _AT_ONCE,
                partition_limiter={"limit": queue.starts, "period": queue.seconds} if queue.by_account else None,
            )

    async def enqueue(
        self, connection: AsyncConnection, workflow: str, account: str, subject: str, attempt: str = "first", delay: float = 0.0
    ) -> None:
        """Enqueues `workflow` about `subject` in the transaction of `connection`, to begin in `delay` seconds: once and for all,
        for each attempt."""
        await self._enqueue(connection, f"{workflow}:{account}:{attempt}:{subject}", account, [subject], delay)

    async def enqueue_many(
        self, connection: AsyncConnection, workflow: str, account: str, subjects: Sequence[str], attempt: str = "first"
    ) -> None:
        """Enqueues `workflow` about each of `subjects`. Workflows are dear, so many of them share one; one that fails does not
        keep the others from being done."""
        for start in range(0, len(subjects), _TOGETHER):
            together = list(subjects[start : start + _TOGETHER])
            if len(together) == 1:
                await self.enqueue(connection, workflow, account, together[0], attempt)
                continue
            digest = hashlib.sha256("\n".join(together).encode()).hexdigest()[:24]
            await self._enqueue(connection, f"{workflow}:{account}:{attempt}:{len(together)}+{digest}", account, together, 0.0)

    async def _enqueue(self, connection: AsyncConnection, identity: str, account: str, subjects: list[str], delay: float) -> None:
        queue = queue_of(identity)
        options: Any = {
            "queue_name": queue.name,
            **({"queue_partition_key": account} if queue.by_account else {}),
            "workflow_name": identity.partition(":")[0],
            "workflow_id": identity,
            "app_version": _WORKFLOW_VERSION,
            **({"delay_seconds": delay} if delay > 0 else {}),
        }
        enqueue = self._client.enqueue_in_transaction
        await connection.run_sync(lambda sync: enqueue(sync, options, account, subjects))

    @asynccontextmanager
    async def running(
        self,
        workflows: Mapping[str, Workflow],
        *,
        executor: str = LOCAL,
        seconds_left: Callable[[], float] = lambda: 0.0,
    ) -> AsyncIterator[None]:
        """Runs what is enqueued, and what an earlier process of the name `executor` left unfinished, until the block ends; then
        what has begun has `seconds_left()` to come to its end. What has not is taken up by whoever runs next."""
        self._executor = executor
        DBOS(
            config=DBOSConfig(
                name=_APPLICATION,
                system_database_url=self._url,
                application_version=_WORKFLOW_VERSION,
                executor_id=executor,
                log_level="CRITICAL",
                enable_otlp=False,
                sys_db_pool_size=_POOL,
                # Nothing here listens; but stopping waits for the one who does.
                notification_listener_polling_interval_sec=max(self._poll_seconds, _LISTEN_SECONDS),
            )
        )
        DBOS.listen_queues(sorted({queue_of(name).name for name in workflows}))
        for name, workflow in workflows.items():
            DBOS.workflow(name=name)(self._plain(name, workflow))
        try:
            async with self._database.turn():
                # The library writes while it starts, and holds up the event loop: nobody must be in a transaction here.
                DBOS.launch()
            yield
        finally:
            # The library waits a second at least, also where nothing is under way.
            await _destroy(seconds_left() if self._active else 0.0)

    async def under_way(self, workflow: str, account: str) -> set[str]:
        """What the workflows of this name are about that have not come to their end."""
        found = await self._client.list_workflows_async(
            status=_UNDER_WAY, workflow_id_prefix=f"{workflow}:{account}:", load_output=False
        )
        return {subject for each in found for subject in _subjects(each.input)}

    async def drain(self, on_progress: Callable[[int], None] = lambda left: None) -> None:
        """Returns when no message waits to be answered; reports how many places in the queue are left, now and then."""
        while left := sum((await self.depth(WORK.name)).values()):
            on_progress(left)
            await asyncio.sleep(_POLL_SECONDS)

    async def depth(self, queue: str = "") -> dict[str, int]:
        """How many workflows of a queue (of all, without one) wait for a place, are being worked on, and wait for their time."""
        schema = "" if self._database.is_sqlite else "dbos."
        # The library has no way to count without reading every row. The texts of the conditions are those of its indexes.
        query = text(
            f"SELECT status, count(*) FROM {schema}workflow_status "  # noqa: S608 - two fixed texts
            "WHERE queue_name = :queue AND status IN ('ENQUEUED', 'PENDING') GROUP BY status UNION ALL "
            f"SELECT status, count(*) FROM {schema}workflow_status WHERE queue_name = :queue AND status = 'DELAYED' GROUP BY status"
        )
        counted: Counter[str] = Counter()
        async with self._database.reading() as connection:
            for name in [queue] if queue else [each.name for each in QUEUES]:
                counted.update({str(status): count for status, count in await connection.execute(query, {"queue": name})})
        return {"waiting": counted["ENQUEUED"], "running": counted["PENDING"], "later": counted["DELAYED"]}

    async def take_over(self, executor: str) -> int:
        """Puts back into the queue what the dead process `executor` had begun; how many workflows that are. Whoever calls knows
        that it is dead."""
        taken = 0
        while found := await self._begun_by(executor):
            await self._put_back(found)
            taken += len(found)
        return taken

    async def pick_up(self) -> int:
        """Puts back into the queue what this process had begun and has lost, as may happen when the database goes away under it;
        how many workflows that are. What was found lost the last time, too, is lost."""
        lost = {identity for identity in await self._begun_by(self._executor) if identity not in self._active}
        found, self._lost = lost & self._lost, lost
        await self._put_back(sorted(found))
        return len(found)

    async def _begun_by(self, executor: str) -> list[str]:
        begun = await self._client.list_workflows_async(
            status="PENDING", executor_id=executor, limit=_PAGE, load_input=False, load_output=False
        )
        return [each.workflow_id for each in begun]

    async def _put_back(self, identities: Sequence[str]) -> None:
        for queue in QUEUES:
            own = [identity for identity in identities if queue_of(identity) is queue]
            if own:
                await self._client.resume_workflows_async(own, queue_name=queue.name)

    async def forget(self, older_than: datetime) -> int:
        """Deletes the workflows that came to their end before `older_than`, whatever it was, with all that is kept of their
        steps; how many."""
        forgotten = 0
        while True:
            found = await self._client.list_workflows_async(
                status=_ENDED, completed_before=older_than.isoformat(), limit=_PAGE, load_input=False, load_output=False
            )
            await self._client.delete_workflows_async([each.workflow_id for each in found])
            forgotten += len(found)
            if len(found) < _PAGE:
                return forgotten

    async def failures(self) -> list[Failure]:
        """Workflows that ended in an error, in this run or an earlier one, the oldest first."""
        return [failure for each in await self._client.list_workflows_async(status=_FAILED) for failure in _failures(each)]

    async def try_again(self, since: datetime) -> int:
        """Enqueues what ended in an error since then once more: each time later, and not for ever. How many that are; several
        processes may do it at once."""
        again = 0
        for each in await self._client.list_workflows_async(status=_FAILED, completed_after=since.isoformat()):
            workflow, account, attempt, _ = each.workflow_id.split(":", 3)
            tries = int(attempt.removeprefix(_AGAIN)) if attempt.startswith(_AGAIN) else 0
            if tries >= _TRIES:
                continue
            failed = _failures(each)
            async with self._database.transaction() as connection:
                for failure in failed:
                    delay = min(_FIRST_WAIT * 2**tries, _LONGEST_WAIT)
                    await self.enqueue(connection, workflow, account, failure.subject, f"{_AGAIN}{tries + 1}", delay)
            again += len(failed)
        return again

    def _plain(self, name: str, workflow: Workflow) -> Callable[..., Coroutine[Any, Any, None]]:
        """`workflow` as a function of its own, which the library requires."""

        async def run(account: str, subjects: list[str] | str) -> None:
            identity = DBOS.workflow_id or ""
            together = [subjects] if isinstance(subjects, str) else subjects
            # Who waits for a slow receiver must keep nobody else waiting.
            slots = self._slots if queue_of(name) is WORK else nullcontext()
            place = Place(len(together) == 1, slots)
            self._active.add(identity)
            begun = current.set(place)
            try:
                await workflow(account, together)
            finally:
                current.reset(begun)
                self._active.discard(identity)
            if place.failed:
                raise SomeFailed(place.failed)

        run.__name__ = run.__qualname__ = name
        return run

    async def close(self) -> None:
        """Closes the connections used for enqueuing."""
        await asyncio.to_thread(self._client.destroy)


def _failures(ended: WorkflowStatus) -> list[Failure]:
    """What failed in a workflow that ended in an error: all of it, or some of those that shared its place."""
    if isinstance(ended.error, SomeFailed):
        return [Failure(subject, text) for subject, text in ended.error.texts.items()]
    return [Failure(subject, str(ended.error)) for subject in _subjects(ended.input)]


def _subjects(recorded: Any) -> list[str]:
    """What a workflow is about, from its arguments as the library keeps them. Releases before this one gave a single subject."""
    given = recorded["args"][1] if recorded else []
    return [given] if isinstance(given, str) else list(given)


async def _destroy(stop_seconds: float) -> None:
    """Ends the library. It had put its own threads in the place of the event loop's, and ends those too: the loop gets new ones."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as own_thread:
        await loop.run_in_executor(
            own_thread, partial(DBOS.destroy, destroy_registry=True, workflow_completion_timeout_sec=round(stop_seconds))
        )
    loop.set_default_executor(ThreadPoolExecutor())
