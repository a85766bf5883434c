"""Indexes for lists of all replies and all cancellations of an account, the newest first."""

from __future__ import annotations

from alembic import op

from msgbot.store.schema_version import lock

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the indexes."""
    lock(op.get_bind(), "replies", "cancellations")
    op.create_index("replies_by_time", "replies", ["account", "created_at", "id"])
    op.create_index("cancellations_by_time", "cancellations", ["account", "created_at", "id"])
