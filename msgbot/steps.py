"""Steps: what a workflow does, one thing after the other. What a step came to is recorded, so that after a crash the workflow goes
on behind the last recorded one. A step may therefore run twice, and must not mind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from dbos import DBOS
from dbos._error import DBOSException

from msgbot.errors import MsgbotError, StoreError

_PATIENCE = (0.2, 1.0, 3.0, 5.0, 10.0)
"""Seconds that a step waits for the database before it tries again."""


@dataclass(slots=True)
class Place:
    """The workflow under way: whether it is about one subject alone, what must be had to do something, and what has failed of
    several."""

    alone: bool
    slots: AbstractAsyncContextManager[None]
    failed: dict[str, str] = field(default_factory=dict)


current: ContextVar[Place] = ContextVar("current")
"""The place of the workflow under way."""


class SomeFailed(Exception):
    """Some of the subjects that shared a place in the queue failed; `texts` says which and why."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__("; ".join(f"{subject}: {text}" for subject, text in texts.items()))
        self.texts = texts

    def __reduce__(self) -> tuple[type[SomeFailed], tuple[dict[str, str]]]:
        # The library keeps errors pickled, which would rebuild this one from its text.
        return SomeFailed, (self.texts,)


async def step(
    name: str, work: Callable[[str, str], Coroutine[Any, Any, str]], account: str, given: Mapping[str, str]
) -> dict[str, str]:
    """Runs one step of the current workflow: for each subject, `work` with the account and what is given for it. The results are
    recorded, or the recorded ones returned; those that are empty are left out, as their subjects need no further step.

    A database that is away for a moment is waited for. A subject whose work fails is left out, too; the workflow ends in an error
    that tells why."""
    if not given:
        return {}
    place = current.get()

    async def each() -> tuple[dict[str, str], dict[str, str]]:
        results: dict[str, str] = {}
        failed: dict[str, str] = {}
        for subject, argument in given.items():
            try:
                async with place.slots:
                    results[subject] = await _patiently(work, account, argument)
            except DBOSException:
                # The library's own ways to end a workflow.
                raise
            except Exception as error:  # whatever is wrong with one, the others are done
                if place.alone:
                    raise
                failed[subject] = str(error) if isinstance(error, MsgbotError) else repr(error)
        return results, failed

    results, failed = await DBOS.run_step_async({"name": name}, each)
    place.failed.update(failed)
    return {subject: result for subject, result in results.items() if result}


async def _patiently(work: Callable[[str, str], Coroutine[Any, Any, str]], account: str, argument: str) -> str:
    for seconds in _PATIENCE:
        try:
            return await work(account, argument)
        except StoreError:
            await asyncio.sleep(seconds)
    return await work(account, argument)
