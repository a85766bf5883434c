"""Runs migrations on the connection that `msgbot.store.database` hands over."""

from alembic import context

from msgbot.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
