"""Feeds: what was or will be handed to Amazon, and how far each has come."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.store.amazon_schema import feeds
from msgbot.store.values import storable


class FeedState(StrEnum):
    """How far a feed has come."""

    PREPARED = "prepared"
    """Its content is fixed; Amazon knows nothing of it."""
    SUBMITTING = "submitting"
    """It is being handed over: from here on Amazon may have it, whether its answer reached us or not."""
    SUBMITTED = "submitted"
    """Amazon has it, under the id on file."""
    DONE = "done"
    """Amazon's report on it was read."""
    FAILED = "failed"
    """Amazon did not take it, or stopped working on it; what stands in it says what became of each."""
    UNSURE = "unsure"
    """Nobody can tell whether Amazon has it: a person must look."""


UNDER_WAY = (FeedState.PREPARED, FeedState.SUBMITTING, FeedState.SUBMITTED)


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed. `amazon_id` is empty until Amazon gave one. `submitting_since` is when it was first handed over; `looks` counts how
    often it was looked for or at since its state changed."""

    account: str
    id: str
    type: str
    content: bytes
    state: FeedState
    created_at: datetime
    changed_at: datetime
    amazon_id: str = ""
    submitting_since: datetime | None = None
    looks: int = 0
    note: str = ""


async def add(connection: AsyncConnection, account: str, feed_type: str, content: bytes, now: datetime) -> Feed:
    """Puts a feed on file that is to be handed over."""
    made = Feed(account, secrets.token_hex(8), feed_type, content, FeedState.PREPARED, now, now)
    await connection.execute(insert(feeds).values(_row(made)))
    return made


async def get(connection: AsyncConnection, account: str, identity: str) -> Feed | None:
    """The feed, or None."""
    row = (await connection.execute(select(feeds).where(feeds.c.account == account, feeds.c.id == identity))).first()
    return _feed(row) if row is not None else None


async def in_states(connection: AsyncConnection, account: str, states: Sequence[FeedState]) -> list[Feed]:
    """The feeds in these states, the oldest first."""
    wanted = [state.value for state in states]
    query = select(feeds).where(feeds.c.account == account, feeds.c.state.in_(wanted)).order_by(feeds.c.created_at)
    return [_feed(row) for row in await connection.execute(query)]


async def known(connection: AsyncConnection, amazon_ids: Sequence[str]) -> set[str]:
    """Those of Amazon's ids that are on file, whatever the account: two may be of one seller."""
    query = select(feeds.c.amazon_id).where(feeds.c.amazon_id.in_(list(amazon_ids)))
    return {str(row.amazon_id) for row in await connection.execute(query)}


async def change(connection: AsyncConnection, feed: Feed, now: datetime, **changes: Any) -> Feed | None:
    """The feed with `changes` on file; None when it has moved on in the meantime."""
    changed = replace(feed, changed_at=now, **changes)
    where = (
        feeds.c.account == feed.account,
        feeds.c.id == feed.id,
        feeds.c.state == feed.state.value,
        feeds.c.looks == feed.looks,
    )
    done = await connection.execute(update(feeds).where(*where).values(_row(changed)))
    return changed if done.rowcount else None


def _row(feed: Feed) -> dict[str, Any]:
    return {
        "account": feed.account,
        "id": feed.id,
        "type": feed.type,
        "content": feed.content,
        "state": feed.state.value,
        "amazon_id": feed.amazon_id,
        "submitting_since": feed.submitting_since,
        "created_at": feed.created_at,
        "changed_at": feed.changed_at,
        "looks": feed.looks,
        "note": storable(feed.note),
    }


def _feed(row: Row[Any]) -> Feed:
    return Feed(**{**row._mapping, "state": FeedState(row.state)})
