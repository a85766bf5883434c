"""What the connection to Amazon needs: how far orders were read, feeds, reports, notifications, and what is known to work.

Only adds, so that processes of the release before go on working while it runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from msgbot.store.columns import Moment
from msgbot.store.schema_version import lock

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds tables, columns with defaults, and indexes."""
    lock(op.get_bind(), "orders", "formal_requests", "rulings", "cancellations")
    _orders()
    _formal_requests()
    _cancellations()
    _reading()
    _feeds()
    _reports()
    _notices()


def _orders() -> None:
    op.add_column("orders", sa.Column("cancelled_by", sa.String(16), nullable=False, server_default=""))


def _formal_requests() -> None:
    op.add_column("formal_requests", sa.Column("evidence", sa.String(64), nullable=False, server_default=""))
    op.add_column("formal_requests", sa.Column("denied_evidence", sa.String(64), nullable=False, server_default=""))
    op.add_column("formal_requests", sa.Column("told_at", Moment))


def _cancellations() -> None:
    op.add_column("rulings", sa.Column("adjustment", sa.JSON))
    op.add_column("cancellations", sa.Column("adjustment", sa.JSON))
    op.add_column("cancellations", sa.Column("feed", sa.String(32), nullable=False, server_default=""))
    op.add_column("cancellations", sa.Column("number", sa.Integer, nullable=False, server_default="0"))
    op.add_column("cancellations", sa.Column("tries", sa.Integer, nullable=False, server_default="0"))
    op.create_index("cancellations_by_feed", "cancellations", ["account", "feed", "number"])


def _reading() -> None:
    op.create_table(
        "amazon_sync",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("since", Moment, nullable=False),
        sa.Column("page_token", sa.Text, nullable=False),
        sa.Column("read_until", Moment),
        sa.Column("poll_at", Moment, nullable=False),
        sa.Column("submit_waits", sa.Boolean, nullable=False),
    )
    op.create_index("amazon_sync_by_poll", "amazon_sync", ["poll_at"])
    op.create_table(
        "amazon_states",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("aspect", sa.String(32), primary_key=True),
        sa.Column("worked_at", Moment),
        sa.Column("failed_at", Moment),
        sa.Column("failing_since", Moment),
        sa.Column("error", sa.Text, nullable=False),
    )


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("amazon_id", sa.String(64), nullable=False),
        sa.Column("submitting_since", Moment),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("feeds_by_state", "feeds", ["account", "state", "created_at"])


def _reports() -> None:
    op.create_table(
        "amazon_reports",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("amazon_id", sa.String(64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("amazon_reports_by_type", "amazon_reports", ["account", "type", "created_at"])
    op.create_table(
        "amazon_rates",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("marketplace", sa.String(32), primary_key=True),
        sa.Column("until", sa.String(10), primary_key=True),
        sa.Column("since", sa.String(10), nullable=False),
        sa.Column("orders", sa.Integer, nullable=False),
        sa.Column("cancelled", sa.Integer, nullable=False),
        sa.Column("rate", sa.String(32), nullable=False),
        sa.Column("target", sa.String(32), nullable=False),
        sa.Column("condition", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("read_at", Moment, nullable=False),
    )


def _notices() -> None:
    op.create_table(
        "notices_seen",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("notification_id", sa.String(128), primary_key=True),
        sa.Column("at", Moment, nullable=False),
    )
    op.create_index("notices_seen_by_age", "notices_seen", ["at"])
    op.create_table(
        "notices_aside",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_index("notices_aside_by_age", "notices_aside", ["at"])
