"""What SQLite is told about the tables. It chooses an index by statistics, and has none of a new database: then it may well read
all that an account has to find what is on file about one order. So it is given those of a large installation from the start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Table, text

from msgbot.store.schema import metadata

_ROWS = 1_000_000
_DIFFERENT = {"account": 10, "kind": 4, "intent": 4, "state": 4, "pruned_at": 2, "webhook_id": 10, "user_name": 1_000}
"""How many values a column holds; one that is not here has another in nearly every row."""


def tell(connection: Connection) -> None:
    """Puts the statistics in the place of those there are. Nothing changes on PostgreSQL, which keeps its own."""
    if connection.dialect.name != "sqlite":
        return
    # Makes the table that holds them.
    connection.execute(text("ANALYZE"))
    connection.execute(text("DELETE FROM sqlite_stat1"))
    rows = [
        {"table": table.name, "index": index, "rows": found} for table in metadata.tables.values() for index, found in _of(table)
    ]
    connection.execute(text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :rows)"), rows)
    # Other connections read them when they are opened, this one now.
    connection.execute(text("ANALYZE sqlite_master"))


def _of(table: Table) -> Iterator[tuple[str, str]]:
    """The indexes of a table, each with its statistics: all rows, and how many of them have the same first column, first two
    columns and so on."""
    yield f"sqlite_autoindex_{table.name}_1", _rows([column.name for column in table.primary_key], unique=True)
    for index in table.indexes:
        yield str(index.name), _rows([column.name for column in index.columns], unique=bool(index.unique))


def _rows(columns: Sequence[str], *, unique: bool) -> str:
    same, found = _ROWS, [_ROWS]
    for column in columns:
        same = max(1, same // _DIFFERENT.get(column, _ROWS))
        found.append(same)
    if unique:
        found[-1] = 1
    return " ".join(map(str, found))
