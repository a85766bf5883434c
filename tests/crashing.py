"""Runs msgbot and kills it at a chosen moment: `python crashing.py POINT COUNT_FILE ARGUMENTS...`.

The moments are numbered: two for every commit of what any part of msgbot has written (just before and just after it) and two for
every file that is put in its place. POINT 0 kills nothing; the number of moments then stands in COUNT_FILE.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultDialect

_WRITING = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|CREATE|ALTER|DROP|WITH)\s+(?:\w+\.)?(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Step:
    """Something is put on file: a row of `table` is written that holds `value`."""

    table: str
    value: str


def die_at(point: int, step: Step | None = None) -> Callable[[], int]:
    """From now on this process dies at its moment `point`; at none for 0. With `step`, only the commits of that are moments. The
    function that comes back tells how many moments there were."""
    moments = itertools.count(1)
    writing: set[int] = set()

    def moment() -> None:
        if next(moments) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def note(connection: Connection, cursor: Any, statement: str, given: Any, *_: object) -> None:
        # Whoever waits for work looks for it in transactions that write nothing: those are no moments.
        found = _WRITING.match(statement)
        if not found or cursor.rowcount == 0:
            return
        if step is None or (found[1] == step.table and step.value in (given.values() if isinstance(given, dict) else given)):
            writing.add(id(connection.connection.dbapi_connection))

    def commit(self: DefaultDialect, connection: Any) -> None:
        written = id(connection.dbapi_connection) in writing
        writing.discard(id(connection.dbapi_connection))
        if written:
            moment()
        do_commit(self, connection)
        if written:
            moment()

    def put(self: Path, target: Path) -> Path:
        if step is None:
            moment()
        result = replace(self, target)
        if step is None:
            moment()
        return result

    do_commit: Callable[[DefaultDialect, Any], None] = DefaultDialect.do_commit
    replace = Path.replace
    event.listen(Engine, "after_cursor_execute", note)
    DefaultDialect.do_commit = commit  # type: ignore[method-assign]
    Path.replace = put  # type: ignore[method-assign, assignment]
    return lambda: next(moments) - 1


if __name__ == "__main__":
    counted, counts = die_at(int(sys.argv[1])), Path(sys.argv[2])
    sys.argv[1:] = sys.argv[3:]
    from msgbot.cli.main import run

    try:
        run()
    finally:
        counts.write_text(str(counted()))
