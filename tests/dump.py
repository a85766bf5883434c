"""All that a database holds, as text: every column of every table, those of the durable engine too."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, MetaData, inspect, select

from msgbot.store.database import Database


async def dump(database: Database) -> dict[str, str]:
    """The content of each table that has any."""
    async with database.reading() as connection:
        return await connection.run_sync(_tables)


def _tables(connection: Connection) -> dict[str, str]:
    schemas = [None] if connection.dialect.name == "sqlite" else ["public", "dbos"]
    found: dict[str, str] = {}
    for schema in schemas:
        if schema is not None and schema not in inspect(connection).get_schema_names():
            continue
        described = MetaData()
        described.reflect(connection, schema=schema)
        for table in described.sorted_tables:
            rows = [" ".join(map(_text, row)) for row in connection.execute(select(table))]
            if rows:
                found[table.name] = "\n".join(rows)
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
