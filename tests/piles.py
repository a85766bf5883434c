"""An engine that only notes what is enqueued: tests take it from there and do it one by one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.engine import Engine


@dataclass(frozen=True)
class Enqueued:
    """One call of `enqueue`."""

    workflow: str
    account: str
    subject: str
    attempt: str
    delay: float


class Pile(Engine):
    """What is enqueued, once for each attempt as the real engine does it."""

    def __init__(self) -> None:
        self.waiting: list[Enqueued] = []
        self._seen: set[tuple[str, str, str, str]] = set()

    async def enqueue(
        self, connection: AsyncConnection, workflow: str, account: str, subject: str, attempt: str = "first", delay: float = 0.0
    ) -> None:
        """Notes it."""
        identity = (workflow, account, attempt, subject)
        if identity not in self._seen:
            self._seen.add(identity)
            self.waiting.append(Enqueued(workflow, account, subject, attempt, delay))
