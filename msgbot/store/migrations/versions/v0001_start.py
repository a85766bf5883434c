"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from msgbot.store.columns import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates all tables, and makes the trail refuse changes."""
    op.create_table(
        "messages",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(998), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sent_at", Moment),
        sa.Column("order_ids", sa.JSON, nullable=False),
        sa.Column("buyer_address", sa.Text, nullable=False),
        sa.Column("buyer_key", sa.Text, nullable=False),
        sa.Column("buyer_name", sa.Text, nullable=False),
        sa.Column("own_address", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("reply_to_ids", sa.JSON, nullable=False),
        sa.Column("marketplace", sa.String(32), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("flaws", sa.JSON, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("received_at", Moment, nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("intent", sa.String(16), nullable=False),
        sa.Column("verdict", sa.JSON, nullable=False),
        sa.Column("solicits", sa.Boolean, nullable=False),
    )
    op.create_table(
        "raw_messages",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("message_id", sa.String(998), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "message_orders",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("order_id", sa.String(64), primary_key=True),
        sa.Column("message_id", sa.String(998), primary_key=True),
    )
    op.create_table(
        "orders",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("fulfilment", sa.String(16), nullable=False),
        sa.Column("as_of", Moment, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("items", sa.JSON, nullable=False),
        sa.Column("marketplace", sa.String(32), nullable=False),
        sa.Column("purchased_at", Moment),
        sa.Column("ship_by", Moment),
        sa.Column("updated_at", Moment),
        sa.Column("request_as_of", Moment),
    )
    op.create_table(
        "formal_requests",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("order_id", sa.String(64), primary_key=True),
        sa.Column("item_id", sa.String(64), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("denied_at", Moment),
        sa.Column("denied_by", sa.Text, nullable=False),
    )
    op.create_table(
        "decisions",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("message_id", sa.String(998), primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("template", sa.String(32)),
        sa.Column("order_id", sa.String(64), nullable=False),
    )
    op.create_table(
        "replies",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("message_id", sa.String(998), nullable=False),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("once", sa.String(96), nullable=True),
        sa.Column("template", sa.String(32), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("automatic", sa.Boolean, nullable=False),
        sa.Column("mail_id", sa.String(255), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("sent_at", Moment),
        sa.Column("delivered_to", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "rulings",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("item_ids", sa.JSON, nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("way_out", sa.Text, nullable=False),
        sa.Column("counts", sa.Boolean),
        sa.Column("origin", sa.Text, nullable=False),
    )
    op.create_table(
        "trail",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "trail_heads",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("messages_by_buyer", "messages", ["account", "buyer_key"])
    op.create_index("message_orders_by_message", "message_orders", ["account", "message_id"])
    op.create_index("orders_by_purchase", "orders", ["account", "purchased_at"])
    op.create_index("replies_once", "replies", ["account", "once"], unique=True)
    op.create_index("replies_by_message", "replies", ["account", "message_id"], unique=True)
    op.create_index("replies_by_order", "replies", ["account", "order_id"])
    op.create_index("rulings_by_order", "rulings", ["account", "order_id"])
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER trail_refuses_{action.lower()} BEFORE {action} ON trail "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION msgbot_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER trail_refuses_change BEFORE UPDATE OR DELETE ON trail FOR EACH ROW EXECUTE FUNCTION msgbot_refuse()"
        )


def downgrade() -> None:
    """There is nothing before the first schema."""
    raise NotImplementedError("restore a backup instead")
