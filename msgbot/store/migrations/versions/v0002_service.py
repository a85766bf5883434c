"""What a service needs: accounts, people, tokens, idempotency keys, webhooks, cancellations, workers; paging and retention.

Only adds, so that processes of the release before go on working while it runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from msgbot.store.columns import Moment
from msgbot.store.schema_version import lock

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds tables, columns with defaults, and indexes."""
    lock(op.get_bind(), "messages", "replies", "rulings", "trail")
    _people()
    _webhooks()
    op.create_table(
        "idempotency_keys",
        sa.Column("actor", sa.String(96), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("headers", sa.JSON),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_index("idempotency_keys_by_age", "idempotency_keys", ["at"])
    op.create_table(
        "cancellations",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("item_ids", sa.JSON, nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("ruling_id", sa.String(32), nullable=False),
        sa.Column("asked_by", sa.String(96), nullable=False),
        sa.Column("counts", sa.Boolean),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("cancellations_by_order", "cancellations", ["account", "order_id"])
    op.create_index("cancellations_by_state", "cancellations", ["account", "state", "created_at", "id"])
    op.create_table(
        "workers",
        sa.Column("id", sa.String(96), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
    )
    for table, column in (
        ("messages", sa.Column("request_id", sa.String(64), nullable=False, server_default="")),
        ("messages", sa.Column("pruned_at", Moment)),
        ("replies", sa.Column("version", sa.Integer, nullable=False, server_default="1")),
        ("replies", sa.Column("changed_by", sa.String(96), nullable=False, server_default="")),
        ("rulings", sa.Column("asked_by", sa.String(96), nullable=False, server_default="")),
        ("rulings", sa.Column("overridden_by", sa.String(96), nullable=False, server_default="")),
        ("rulings", sa.Column("overridden_at", Moment)),
        ("rulings", sa.Column("override_reason", sa.Text, nullable=False, server_default="")),
    ):
        op.add_column(table, column)
    op.create_index("messages_by_time", "messages", ["account", "received_at", "id"])
    op.create_index("messages_by_intent", "messages", ["account", "intent", "received_at", "id"])
    op.create_index("messages_to_prune", "messages", ["pruned_at", "received_at"])
    op.create_index("replies_by_state", "replies", ["account", "state", "created_at", "id"])
    op.create_index("rulings_by_time", "rulings", ["account", "at", "id"])
    op.create_index("trail_by_time", "trail", ["account", "at"])


def _people() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("store", sa.Text, nullable=False),
        sa.Column("own_addresses", sa.JSON, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("accounts", sa.JSON),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("disabled_at", Moment),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("signing", sa.Boolean, nullable=False),
        sa.Column("user_name", sa.String(64)),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("scopes", sa.JSON),
        sa.Column("accounts", sa.JSON),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("revoked_at", Moment),
        sa.Column("last_used_at", Moment),
    )
    op.create_index("tokens_by_name", "tokens", ["name"], unique=True)


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("secret_version", sa.Integer, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("webhook_id", sa.String(32), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.JSON, nullable=False),
        sa.Column("next_try_at", Moment),
    )
    op.create_index("deliveries_by_webhook", "deliveries", ["account", "webhook_id", "created_at", "id"])
    op.create_index("deliveries_by_age", "deliveries", ["created_at"])


def downgrade() -> None:
    """What is kept in the new tables would be lost."""
    raise NotImplementedError("restore a backup instead")
