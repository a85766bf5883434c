"""The commands of operation as an administrator meets them: real processes, real files."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from tests.mails import relay_mail, unshipped_report
from tests.old_database import old_database
from tests.test_cli import A, msgbot


async def left_by_an_earlier_release(file: Path, account: str = "main") -> None:
    await (await old_database(file, 1, 2, account=account)).close()


def test_migrate_says_from_where_to_where_and_then_that_nothing_is_to_do(tmp_path: Path) -> None:
    assert "no database yet" in msgbot("migrate")
    assert not (tmp_path / "msgbot-data").exists()
    asyncio.run(left_by_an_earlier_release(tmp_path / "msgbot-data" / "msgbot.db"))
    assert "run `msgbot migrate`" in msgbot("audit", code=2)
    assert "has schema 0001, this msgbot needs 0004" in msgbot("migrate", "--check", code=1)
    assert "schema 0001 -> 0004: done" in msgbot("migrate")
    assert "has schema 0004: nothing to do" in msgbot("migrate", "--check")
    assert "has schema 0004: nothing to do" in msgbot("migrate")
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


def answered(tmp_path: Path) -> None:
    """A request that was taken in and answered just now."""
    (tmp_path / "one.eml").write_bytes(relay_mail("Please cancel my order, I found it cheaper."))
    (tmp_path / "orders.txt").write_bytes(unshipped_report((A, "1", "FALSE")))
    msgbot("answer", "one.eml", "--orders", "orders.txt")


def grow_old(tmp_path: Path, days: int) -> None:
    """Makes the messages as old as if they had been taken in so many days ago."""
    with sqlite3.connect(tmp_path / "msgbot-data" / "msgbot.db") as database:
        database.execute("UPDATE messages SET received_at = datetime(received_at, ?) || '.000000'", (f"-{days} days",))


def test_prune_wants_to_be_told_how_many_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--days, or the setting keep_days" in msgbot("prune", code=2)
    assert "0 is not in the range" in msgbot("prune", "--days", 0, code=2)
    monkeypatch.setenv("MSGBOT_KEEP_DAYS", "90")
    assert "(90 days)" in msgbot("prune", "--dry-run")
    assert "(30 days)" in msgbot("prune", "--days", 30)


def test_prune_removes_what_is_old_and_says_how_much(tmp_path: Path) -> None:
    answered(tmp_path)
    grow_old(tmp_path, 91)
    wanted = {"messages": 1, "replies": 1, "deliveries": 0, "keys": 0, "waiting": 0}
    foretold = json.loads(msgbot("prune", "--days", 90, "--dry-run", "--format", "json"))
    assert {name: foretold[name] for name in wanted} == wanted
    assert "I found it cheaper" in json.dumps(json.loads(msgbot("answer", "one.eml", "--format", "json")))
    printed = msgbot("prune", "--days", 90)
    assert "1  messages: words, names, addresses, raw mail" in printed
    assert b"cheaper" not in (tmp_path / "msgbot-data" / "msgbot.db").read_bytes()
    # Read again, it is still known, and nobody gets a second answer.
    again = msgbot("answer", "one.eml")
    assert "its words were removed on" in again
    assert "nobody was answered twice" in again
    assert "the chain holds" in msgbot("audit", "verify")
    assert "1  open: no formal request yet" in msgbot("audit")


def test_the_audit_shows_a_case_whose_words_were_removed(tmp_path: Path) -> None:
    answered(tmp_path)
    (tmp_path / "cancelled.txt").write_text(
        "amazon-order-id\torder-status\tsku\tis-buyer-requested-cancellation\n" + f"{A}\tCancelled\tSKU-1\tfalse\n"
    )
    msgbot("orders", "import", "cancelled.txt")
    before = msgbot("audit")
    assert "cancelled on a message alone" in before
    grow_old(tmp_path, 91)
    msgbot("prune", "--days", 90)
    after = msgbot("audit")
    assert "cheaper" in before
    assert "its words were removed on" in after
    assert after.count("\n") == before.count("\n")


def test_prune_tells_of_messages_that_cannot_go_yet(tmp_path: Path) -> None:
    answered(tmp_path)
    grow_old(tmp_path, 91)
    with sqlite3.connect(tmp_path / "msgbot-data" / "msgbot.db") as database:
        database.execute("DELETE FROM decisions")
    for options in (["--dry-run"], []):
        assert "1 messages as old stay" in msgbot("prune", "--days", 90, *options, code=1)
    assert "cheaper" in msgbot("answer", "one.eml")


def test_a_backup_put_into_an_empty_folder_goes_on_where_it_was(tmp_path: Path) -> None:
    answered(tmp_path)
    printed = msgbot("backup", "copy.db")
    assert "1 messages, 1 orders" in printed
    assert "msgbot.key" in printed
    head = printed.partition("its hash is ")[2].split()[0]
    assert "is there already" in msgbot("backup", "copy.db", code=2)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "copy.db").rename(tmp_path / "elsewhere" / "msgbot.db")
    assert head in msgbot("audit", "verify", "--data", "elsewhere")
    assert "nobody was answered twice" in msgbot("answer", "one.eml", "--data", "elsewhere")


def test_a_backup_of_an_older_schema_can_be_taken_before_it_is_migrated(tmp_path: Path) -> None:
    asyncio.run(left_by_an_earlier_release(tmp_path / "msgbot-data" / "msgbot.db"))
    assert "schema 0001, checked" in msgbot("backup", "copy.db")


def test_backup_of_postgresql_names_the_program_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSGBOT_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    assert "pg_dump" in msgbot("backup", "copy.db", code=2)
