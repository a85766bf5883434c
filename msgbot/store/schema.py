"""The tables. Every key begins with the account, so that no query can cross from one seller to another by forgetting it.

Changing a table here means a new migration in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from msgbot.store import amazon_schema
from msgbot.store.columns import Moment, account_column

metadata = amazon_schema.feeds.metadata
"""All tables: these, and those of amazon_schema."""

messages = Table(
    "messages",
    metadata,
    account_column(),
    Column("id", String(998), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("source", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("sent_at", Moment),
    Column("order_ids", JSON, nullable=False),
    Column("buyer_address", Text, nullable=False),
    Column("buyer_key", Text, nullable=False),
    Column("buyer_name", Text, nullable=False),
    Column("own_address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reply_to_ids", JSON, nullable=False),
    Column("marketplace", String(32), nullable=False),
    Column("language", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("flaws", JSON, nullable=False),
    Column("origin", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("salt", String(32), nullable=False),
    Column("intent", String(16), nullable=False),
    Column("verdict", JSON, nullable=False),
    Column("solicits", Boolean, nullable=False),
    Column("request_id", String(64), nullable=False, server_default=""),
    Column("pruned_at", Moment),
)
Index("messages_by_buyer", messages.c.account, messages.c.buyer_key)
Index("messages_by_time", messages.c.account, messages.c.received_at, messages.c.id)
Index("messages_by_intent", messages.c.account, messages.c.intent, messages.c.received_at, messages.c.id)
Index("messages_to_prune", messages.c.pruned_at, messages.c.received_at)

raw_messages = Table(
    "raw_messages",
    metadata,
    account_column(),
    Column("message_id", String(998), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

message_orders = Table(
    "message_orders",
    metadata,
    account_column(),
    Column("order_id", String(64), primary_key=True),
    Column("message_id", String(998), primary_key=True),
)
Index("message_orders_by_message", message_orders.c.account, message_orders.c.message_id)

orders = Table(
    "orders",
    metadata,
    account_column(),
    Column("id", String(64), primary_key=True),
    Column("status", String(32), nullable=False),
    Column("fulfilment", String(16), nullable=False),
    Column("as_of", Moment, nullable=False),
    Column("source", Text, nullable=False),
    Column("items", JSON, nullable=False),
    Column("marketplace", String(32), nullable=False),
    Column("purchased_at", Moment),
    Column("ship_by", Moment),
    Column("updated_at", Moment),
    Column("request_as_of", Moment),
    Column("cancelled_by", String(16), nullable=False, server_default=""),
)
Index("orders_by_purchase", orders.c.account, orders.c.purchased_at)

formal_requests = Table(
    "formal_requests",
    metadata,
    account_column(),
    Column("order_id", String(64), primary_key=True),
    Column("item_id", String(64), primary_key=True),
    Column("source", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
    Column("denied_at", Moment),
    Column("denied_by", Text, nullable=False, default=""),
    Column("evidence", String(64), nullable=False, server_default=""),
    Column("denied_evidence", String(64), nullable=False, server_default=""),
    Column("told_at", Moment),
)

decisions = Table(
    "decisions",
    metadata,
    account_column(),
    Column("message_id", String(998), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("action", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("template", String(32)),
    Column("order_id", String(64), nullable=False),
)

replies = Table(
    "replies",
    metadata,
    account_column(),
    Column("id", String(32), primary_key=True),
    Column("message_id", String(998), nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("once", String(96), nullable=True),
    Column("template", String(32), nullable=False),
    Column("language", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("mail_id", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("delivered_to", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("changed_by", String(96), nullable=False, server_default=""),
)
# An order gets one instruction: what the code checks, the database guarantees. NULLs do not collide.
Index("replies_once", replies.c.account, replies.c.once, unique=True)
Index("replies_by_message", replies.c.account, replies.c.message_id, unique=True)
Index("replies_by_order", replies.c.account, replies.c.order_id)
Index("replies_by_time", replies.c.account, replies.c.created_at, replies.c.id)
Index("replies_by_state", replies.c.account, replies.c.state, replies.c.created_at, replies.c.id)

rulings = Table(
    "rulings",
    metadata,
    account_column(),
    Column("id", String(32), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("item_ids", JSON, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("code", String(32), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("way_out", Text, nullable=False),
    Column("counts", Boolean),
    Column("origin", Text, nullable=False),
    Column("asked_by", String(96), nullable=False, server_default=""),
    Column("overridden_by", String(96), nullable=False, server_default=""),
    Column("overridden_at", Moment),
    Column("override_reason", Text, nullable=False, server_default=""),
    Column("adjustment", JSON(none_as_null=True)),
)
Index("rulings_by_order", rulings.c.account, rulings.c.order_id)
Index("rulings_by_time", rulings.c.account, rulings.c.at, rulings.c.id)

cancellations = Table(
    "cancellations",
    metadata,
    account_column(),
    Column("id", String(32), primary_key=True),
    Column("order_id", String(64), nullable=False),
    Column("item_ids", JSON, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("ruling_id", String(32), nullable=False),
    Column("asked_by", String(96), nullable=False),
    Column("counts", Boolean),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("note", Text, nullable=False),
    Column("adjustment", JSON(none_as_null=True)),
    Column("feed", String(32), nullable=False, server_default=""),
    Column("number", Integer, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),
)
Index("cancellations_by_feed", cancellations.c.account, cancellations.c.feed, cancellations.c.number)
Index("cancellations_by_order", cancellations.c.account, cancellations.c.order_id)
Index("cancellations_by_time", cancellations.c.account, cancellations.c.created_at, cancellations.c.id)
Index("cancellations_by_state", cancellations.c.account, cancellations.c.state, cancellations.c.created_at, cancellations.c.id)

trail = Table(
    "trail",
    metadata,
    account_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("facts", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

Index("trail_by_time", trail.c.account, trail.c.at)

trail_heads = Table(
    "trail_heads",
    metadata,
    account_column(),
    Column("number", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("store", Text, nullable=False),
    Column("own_addresses", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
)

# `accounts` of users and tokens: the names of those they may work with; NULL means all.
users = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password_hash", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("accounts", JSON(none_as_null=True)),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("signing", Boolean, nullable=False),
    Column("user_name", String(64)),
    Column("role", String(16), nullable=False),
    Column("scopes", JSON(none_as_null=True)),
    Column("accounts", JSON(none_as_null=True)),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
)
Index("tokens_by_name", tokens.c.name, unique=True)

# A row without a status is a request that is being worked on, or that died while it was.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("actor", String(96), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("status", Integer),
    Column("headers", JSON(none_as_null=True)),
    Column("body", LargeBinary),
)
Index("idempotency_keys_by_age", idempotency_keys.c.at)

# Secrets are not here: they follow from the installation's key, the id and `secret_version`.
webhooks = Table(
    "webhooks",
    metadata,
    account_column(),
    Column("id", String(32), primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("secret_version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    account_column(),
    Column("id", String(32), primary_key=True),
    Column("webhook_id", String(32), nullable=False),
    Column("event", String(32), nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", JSON, nullable=False),
    Column("next_try_at", Moment),
)
Index("deliveries_by_webhook", deliveries.c.account, deliveries.c.webhook_id, deliveries.c.created_at, deliveries.c.id)
Index("deliveries_by_age", deliveries.c.created_at)

workers = Table(
    "workers",
    metadata,
    Column("id", String(96), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)
