"""The version of the schema: which one a database has, creating the newest, and bringing an older one up to it.

A migration only adds (tables, columns with defaults, indexes): processes of the release before go on working while it runs.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import OperationalError

from msgbot.errors import StoreError
from msgbot.store.sqlite_statistics import tell

NEWEST = "0004"
"""The schema version this program works with: the newest file in `migrations/versions`."""
_CREATION = int.from_bytes(b"msgbot")
"""The number under which creating and migrating processes queue on PostgreSQL."""
# Less than the second after which PostgreSQL looks for deadlocks: so it is never a writer of the service that is sacrificed.
_LOCK_MS = 900
_IN_THE_WAY = frozenset({"55P03", "57014", "40P01"})
"""PostgreSQL's codes for a lock not had in time, a statement stopped after its time, and a deadlock."""


def version_of(connection: Connection) -> str | None:
    """The version of the schema, or None in a database that has none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check(version: str, name: str) -> None:
    """Raises StoreError when the database called `name` is of another version than this program works with."""
    if version > NEWEST:
        raise StoreError(
            f"the database {name} was made by a newer msgbot (schema {version}, this one knows {NEWEST}): update msgbot"
        )
    if version < NEWEST:
        raise StoreError(
            f"the database {name} has schema {version}, this msgbot needs {NEWEST}: run `msgbot migrate` (take a backup first)"
        )


def create(connection: Connection) -> str:
    """Creates the newest schema, unless another process did so a moment ago; the version that is there now."""
    _queue(connection)
    version = version_of(connection)
    if version is None:
        upgrade(connection)
    return version or NEWEST


def migrate(connection: Connection) -> tuple[str, str]:
    """Brings the schema up to the newest version; the versions before and after. A database without a schema gets one, and a
    newer one is left as it is. Raises OperationalError when others hold locks for so long that one would have to queue."""
    _queue(connection)
    before = version_of(connection)
    if before is not None and before >= NEWEST:
        return before, before
    upgrade(connection)
    return before or "", NEWEST


def upgrade(connection: Connection, revision: str = NEWEST) -> None:
    """Runs the migrations up to `revision` in the transaction of `connection`."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "msgbot:store/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    if revision == NEWEST:
        tell(connection)


def lock(connection: Connection, *tables: str) -> None:
    """Takes all the locks that a migration will need before it changes anything. `tables` come in the order in which transactions
    use them, so that those that are under way can end. Who had to wait longer gives up: everybody else waits behind it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL statement_timeout = {_LOCK_MS}"))
        connection.execute(text(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def is_in_the_way(error: OperationalError) -> bool:
    """Whether a migration failed only because another transaction was in its way, so that it can be tried again."""
    return getattr(error.orig, "sqlstate", None) in _IN_THE_WAY


def _queue(connection: Connection) -> None:
    """Lets one process at a time go on. On SQLite the write lock, held from the beginning of the transaction, does it."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_CREATION)))
