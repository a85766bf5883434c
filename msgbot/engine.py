"""Durable work: workflows that survive a killed process, on the same database as everything else (DBOS Transact).

A workflow is enqueued in the transaction that records why, so neither can exist without the other. Each of its steps is
recorded when it ends; after a crash it goes on behind the last recorded step. A step may therefore run twice, and must not mind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from dbos import DBOS, DBOSClient, DBOSConfig, run_dbos_database_migrations
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.store.database import Database

Workflow = Callable[[str, str], Coroutine[Any, Any, None]]
"""A workflow takes an account and the id of what it is about."""
Result = TypeVar("Result")

QUEUE = "work"
_APPLICATION = "msgbot"
_AT_ONCE = 16
_POLL_SECONDS = 0.05
_WAITING = ["ENQUEUED", "PENDING"]
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_FORGET_AT_ONCE = 500
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

    def __init__(self, database: Database) -> None:
        self._url = database.sync_url
        # What goes wrong in a workflow is told by `failures`; the library would print a traceback beside it.
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        run_dbos_database_migrations(self._url)
        self._client = DBOSClient(system_database_url=self._url, application_name=_APPLICATION)
        # Known before anything is launched, the queue is served at once; one made later is noticed after a second.
        self._client.register_queue(QUEUE, polling_interval_sec=_POLL_SECONDS, worker_concurrency=_AT_ONCE)

    async def enqueue(
        self, connection: AsyncConnection, workflow: str, account: str, subject: str, attempt: str = "first", delay: float = 0.0
    ) -> None:
        """Enqueues `workflow` about `subject` in the transaction of `connection`: once and for all, for each attempt. It begins
        `delay` seconds from now at the earliest."""
        options = {
            "queue_name": QUEUE,
            "workflow_name": workflow,
            "workflow_id": f"{workflow}:{account}:{attempt}:{subject}",
            "app_version": _WORKFLOW_VERSION,
            **({"delay_seconds": delay} if delay > 0 else {}),
        }
        enqueue = self._client.enqueue_in_transaction
        await connection.run_sync(lambda sync: enqueue(sync, options, account, subject))  # type: ignore[arg-type]

    @asynccontextmanager
    async def running(self, workflows: Mapping[str, Workflow]) -> AsyncIterator[None]:
        """Runs what is enqueued, and what an earlier process left unfinished, until the block ends."""
        DBOS(
            config=DBOSConfig(
                name=_APPLICATION,
                system_database_url=self._url,
                application_version=_WORKFLOW_VERSION,
                executor_id="local",
                log_level="CRITICAL",
                enable_otlp=False,
            )
        )
        for name, workflow in workflows.items():
            DBOS.workflow(name=name)(_plain(name, workflow))
        try:
            DBOS.launch()
            yield
        finally:
            await _destroy()

    async def under_way(self) -> set[str]:
        """What the workflows are about that are enqueued or running."""
        found = await DBOS.list_workflows_async(status=_WAITING, load_input=False, load_output=False)
        return {_subject(each.workflow_id) for each in found}

    async def drain(self, on_progress: Callable[[int], None] = lambda left: None) -> None:
        """Returns when nothing is left to do; reports how much is, now and then."""
        while left := await self.under_way():
            on_progress(len(left))
            await asyncio.sleep(_POLL_SECONDS)

    async def failures(self) -> list[Failure]:
        """Workflows that ended in an error, in this run or an earlier one, the oldest first."""
        found = await DBOS.list_workflows_async(status=["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"])
        return [Failure(_subject(each.workflow_id), str(each.error)) for each in found]

    async def close(self) -> None:
        """Closes the connections used for enqueuing."""
        await asyncio.to_thread(self._client.destroy)

    async def forget(self, older_than: datetime) -> int:
        """Deletes the workflows that came to their end before `older_than`, whatever it was, with all that is kept of their
        steps; how many."""
        forgotten = 0
        while True:
            found = await self._client.list_workflows_async(
                status=_ENDED, completed_before=older_than.isoformat(), limit=_FORGET_AT_ONCE, load_input=False, load_output=False
            )
            await self._client.delete_workflows_async([each.workflow_id for each in found])
            forgotten += len(found)
            if len(found) < _FORGET_AT_ONCE:
                return forgotten


def _subject(workflow_id: str) -> str:
    return workflow_id.split(":", 3)[3]


async def _destroy() -> None:
    """Ends the library. It had put its own threads in the place of the event loop's, and ends those too: the loop gets new ones."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as own_thread:
        await loop.run_in_executor(own_thread, partial(DBOS.destroy, destroy_registry=True))
    loop.set_default_executor(ThreadPoolExecutor())


def _plain(name: str, workflow: Workflow) -> Workflow:
    """`workflow` as a function of its own, which the library requires."""

    async def run(account: str, subject: str) -> None:
        await workflow(account, subject)

    run.__name__ = run.__qualname__ = name
    return run


async def step(name: str, work: Callable[..., Coroutine[Any, Any, Result]], *arguments: str) -> Result:
    """Runs one step of the current workflow and records its result, or returns the recorded one."""
    return await DBOS.run_step_async({"name": name}, work, *arguments)


async def pause(seconds: float) -> None:
    """Sleeps inside a workflow; what has been slept is not slept again after a crash."""
    await DBOS.sleep_async(seconds)
