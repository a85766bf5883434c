"""The commands of operation as an administrator meets them: real processes, real files."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.old_database import old_database
from tests.test_cli import msgbot


async def left_by_an_earlier_release(file: Path, account: str = "main") -> None:
    await (await old_database(file, 1, 2, account=account)).close()


def test_migrate_says_from_where_to_where_and_then_that_nothing_is_to_do(tmp_path: Path) -> None:
    assert "no database yet" in msgbot("migrate")
    assert not (tmp_path / "msgbot-data").exists()
    asyncio.run(left_by_an_earlier_release(tmp_path / "msgbot-data" / "msgbot.db"))
    assert "run `msgbot migrate`" in msgbot("audit", code=2)
    assert "has schema 0001, this msgbot needs 0002" in msgbot("migrate", "--check", code=1)
    assert "schema 0001 -> 0002: done" in msgbot("migrate")
    assert "has schema 0002: nothing to do" in msgbot("migrate", "--check")
    assert "has schema 0002: nothing to do" in msgbot("migrate")
    assert "4 entries, the chain holds" in msgbot("audit", "verify")


@pytest.mark.parametrize("arguments", [["migrate"], ["migrate", "--check"], ["audit"]])
def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path, arguments: list[str]) -> None:
    msgbot("audit")
    with sqlite3.connect(tmp_path / "msgbot-data" / "msgbot.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "update msgbot" in msgbot(*arguments, code=2)


def test_the_demo_works_in_a_folder_that_an_earlier_release_left(tmp_path: Path) -> None:
    asyncio.run(left_by_an_earlier_release(tmp_path / "msgbot-demo" / "data" / "msgbot.db", "lindgrove"))
    assert "the chain holds" in msgbot("demo")
