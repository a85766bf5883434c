"""What of the connection to Amazon works, for each account, and since when what does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.store.amazon_schema import amazon_states
from msgbot.store.values import storable


class Aspect(StrEnum):
    """What can work or fail by itself."""

    ORDERS = "orders"
    CONTENT = "order contents"
    """Whether the orders that Amazon lists can be read."""
    NOTIFICATIONS = "notifications"
    FEEDS = "feeds"
    REPORTS = "reports"


@dataclass(frozen=True, slots=True)
class AspectState:
    """When it worked last, when it failed last, since when it has failed without a success in between (None: it works), and what
    was wrong."""

    account: str
    aspect: Aspect
    worked_at: datetime | None
    failed_at: datetime | None
    failing_since: datetime | None
    error: str

    @property
    def works(self) -> bool:
        """Whether the last try succeeded."""
        return self.failing_since is None


async def of_accounts(connection: AsyncConnection, accounts: Sequence[str]) -> list[AspectState]:
    """The states of these accounts, by account and aspect."""
    query = select(amazon_states).where(amazon_states.c.account.in_(list(accounts)))
    rows = await connection.execute(query.order_by(amazon_states.c.account, amazon_states.c.aspect))
    return [_state(row) for row in rows]


async def get(connection: AsyncConnection, account: str, aspect: Aspect) -> AspectState | None:
    """The state of one aspect, or None where it was never tried."""
    return next((each for each in await of_accounts(connection, [account]) if each.aspect is aspect), None)


async def put(connection: AsyncConnection, account: str, aspect: Aspect, now: datetime, error: str = "") -> None:
    """Records that it worked at `now`, or failed with `error`."""
    where = (amazon_states.c.account == account, amazon_states.c.aspect == aspect.value)
    row = (await connection.execute(select(amazon_states).where(*where))).first()
    since = (row.failing_since or now) if row is not None else now
    values: dict[str, Any] = (
        {"failed_at": now, "failing_since": since, "error": storable(error)}
        if error
        else {"worked_at": now, "failing_since": None, "error": ""}
    )
    if row is not None:
        await connection.execute(update(amazon_states).where(*where).values(values))
        return
    try:
        async with connection.begin_nested():
            await connection.execute(
                insert(amazon_states).values({"account": account, "aspect": aspect.value, "error": "", **values})
            )
    except IntegrityError:
        # Another process put it there a moment ago.
        await connection.execute(update(amazon_states).where(*where).values(values))


def _state(row: Row[Any]) -> AspectState:
    return AspectState(**{**row._mapping, "aspect": Aspect(row.aspect)})
