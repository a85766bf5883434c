"""Backups of an SQLite database: a whole and checked copy in one file, made while others write to it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from msgbot.errors import InputError, StoreError
from msgbot.store.database import copy_sqlite


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of an account's audit trail: its number and hash."""

    account: str
    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Backup:
    """What is in a backup; `size` is in bytes."""

    size: int
    version: str
    messages: int
    orders: int
    entries: int
    heads: tuple[Head, ...]


def back_up(source: Path, target: Path) -> Backup:
    """Copies the database at `source` to the new file `target`, readable by its owner only; what is in it. The file appears under
    its name when it is whole, checked and on the disk.

    Raises InputError when `target` cannot be a new file, and StoreError when there is no database or no sound copy of it."""
    if not source.is_file():
        raise StoreError(f"there is no database at {source}")
    if not target.parent.is_dir():
        raise InputError(f"the folder {target.parent} is not there")
    _refuse_to_overwrite(target)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.", suffix=".part")
    unfinished = Path(name)
    try:
        copy_sqlite(source, unfinished)
        backup = _checked(unfinished)
        os.fsync(handle)
        _refuse_to_overwrite(target)
        unfinished.rename(target)
        _sync_folder(target.parent)
    except sqlite3.Error as error:
        raise StoreError(f"the database {source} cannot be copied to {target}: {error}") from error
    finally:
        os.close(handle)
        unfinished.unlink(missing_ok=True)
    return backup


def _refuse_to_overwrite(target: Path) -> None:
    if target.exists():
        raise InputError(f"{target} is there already, and a backup is never overwritten: name another file")


def _checked(copy: Path) -> Backup:
    """What is in a copy that holds together. Raises StoreError when it does not."""
    with closing(sqlite3.connect(copy)) as database:
        # One file, without a log beside it.
        database.execute("PRAGMA journal_mode = DELETE")
        faults = [text for (text,) in database.execute("PRAGMA integrity_check(3)")]
        if faults != ["ok"]:
            raise StoreError(f"the database is damaged, and so is a copy of it: {'; '.join(faults)}; restore an earlier backup")

        def number(query: str) -> int:
            return int(database.execute(query).fetchone()[0])

        return Backup(
            size=copy.stat().st_size,
            version=str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0]),
            messages=number("SELECT count(*) FROM messages"),
            orders=number("SELECT count(*) FROM orders"),
            entries=number("SELECT count(*) FROM trail"),
            heads=tuple(Head(*row) for row in database.execute("SELECT account, number, hash FROM trail_heads ORDER BY account")),
        )


def _sync_folder(folder: Path) -> None:
    """Makes the file's name last, too, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
