"""Takes in notices as a process of its own: `python consuming.py DATABASE URL ENDPOINT REGION PATIENCE`, until none come any more.

With MSGBOT_TEST_KILL set it is killed when the first are on file and not yet deleted. What is taken goes into the audit trail.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon.order_change import OrderChange
from msgbot.domain.trail import EntryKind, Facts
from msgbot.notices import Notices
from msgbot.spapi.queue import Left, Notice, Queue
from msgbot.store import trail
from msgbot.store.database import open_database

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Account:
    """An account and who it is at Amazon."""

    account: str
    seller_id: str
    marketplaces: tuple[str, ...]


RECIPIENTS = (
    Account("main", "A3TH9S8BH6GOGM", ("ATVPDKIKX0DER",)),
    Account("eu", "A1EUROPE", ("A1PA6795UKMFR9", "A13V1IB3VIYZZH")),
    Account("uk", "A1EUROPE", ("A1F83G8C2ARO7P",)),
    Account("both", "A1EUROPE", ("A1F83G8C2ARO7P", "A1PA6795UKMFR9")),
    Account("unready", "", ("ATVPDKIKX0DER",)),
)


async def take(account: str, change: OrderChange, body: bytes, connection: AsyncConnection) -> None:
    """Leaves one entry in the trail for each notice."""
    facts: Facts = {"order": change.order_id, "notification": change.notification_id, "bytes": len(body)}
    await trail.append(connection, account, AT, EntryKind.ORDER_PUSHED, facts)


async def main(address: str, url: str, endpoint: str, region: str, patience: int) -> None:
    """Takes in what there is."""
    database = await open_database(address)
    received = 0

    class Counting(Queue):
        async def receive(self, seconds: int = patience, *, hidden_seconds: int = 60) -> list[Notice]:
            nonlocal received
            notices = await super().receive(seconds, hidden_seconds=hidden_seconds)
            received = len(notices)
            return notices

        async def delete(self, notices: Iterable[Notice]) -> list[Left]:
            if os.environ.get("MSGBOT_TEST_KILL"):
                os.kill(os.getpid(), signal.SIGKILL)
            return await super().delete(notices)

    queue = Counting(url, region, endpoint)
    notices = Notices(database, queue, RECIPIENTS, take, lambda: AT, poll_seconds=patience, hidden_seconds=1)
    received = 1
    while received:
        await notices.poll()
    await queue.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5])))
