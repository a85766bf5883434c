"""The tables of the connection to Amazon. Changing one means a new migration, as in schema.py."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from msgbot.store.columns import Moment, account_column, metadata

# How far an account's orders were read from Amazon: all that changed before `since` is on file. While a reading is under way,
# `page_token` names its next page and `read_until` where `since` will be after the last. `submit_waits`: a feed is due already.
amazon_sync = Table(
    "amazon_sync",
    metadata,
    account_column(),
    Column("since", Moment, nullable=False),
    Column("page_token", Text, nullable=False),
    Column("read_until", Moment),
    Column("poll_at", Moment, nullable=False),
    Column("submit_waits", Boolean, nullable=False),
)
Index("amazon_sync_by_poll", amazon_sync.c.poll_at)

amazon_states = Table(
    "amazon_states",
    metadata,
    account_column(),
    Column("aspect", String(32), primary_key=True),
    Column("worked_at", Moment),
    Column("failed_at", Moment),
    Column("failing_since", Moment),
    Column("error", Text, nullable=False),
)

feeds = Table(
    "feeds",
    metadata,
    account_column(),
    Column("id", String(32), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("amazon_id", String(64), nullable=False),
    Column("submitting_since", Moment),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("note", Text, nullable=False),
)
Index("feeds_by_state", feeds.c.account, feeds.c.state, feeds.c.created_at)

amazon_reports = Table(
    "amazon_reports",
    metadata,
    account_column(),
    Column("id", String(32), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("amazon_id", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("note", Text, nullable=False),
)
Index("amazon_reports_by_type", amazon_reports.c.account, amazon_reports.c.type, amazon_reports.c.created_at)

# Amazon's own Cancellation Rate, by marketplace and by the last day it is for.
amazon_rates = Table(
    "amazon_rates",
    metadata,
    account_column(),
    Column("marketplace", String(32), primary_key=True),
    Column("until", String(10), primary_key=True),
    Column("since", String(10), nullable=False),
    Column("orders", Integer, nullable=False),
    Column("cancelled", Integer, nullable=False),
    Column("rate", String(32), nullable=False),
    Column("target", String(32), nullable=False),
    Column("condition", String(32), nullable=False),
    Column("status", String(32), nullable=False),
    Column("read_at", Moment, nullable=False),
)

notices_seen = Table(
    "notices_seen",
    metadata,
    account_column(),
    Column("notification_id", String(128), primary_key=True),
    Column("at", Moment, nullable=False),
)
Index("notices_seen_by_age", notices_seen.c.at)

# `account` is empty for what is for no account here.
notices_aside = Table(
    "notices_aside",
    metadata,
    account_column(),
    Column("id", String(128), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
)
Index("notices_aside_by_age", notices_aside.c.at)
