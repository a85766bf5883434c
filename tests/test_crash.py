"""kill -9 at many moments: running again gives the same final state, with no message lost and none answered twice."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.mails import NOW, OWN, relay_mail, unshipped_report

HERE = Path(__file__).parent
A, B, C, D = (f"114-000000{number}-0000000" for number in range(1, 5))
MOMENTS = 10
DATE = re.compile(rb"Date: [^\r]*\r\n")


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A request, two of one order, one that is taken back, one of an unknown order, and small talk; some mails are there twice."""
    folder = tmp_path_factory.mktemp("pile")
    later = NOW + timedelta(minutes=5)
    mails = [
        relay_mail("Please cancel my order.", order=A, number=1, buyer="a@marketplace.amazon.com"),
        relay_mail("cancel it please", order=B, number=2, buyer="b@marketplace.amazon.com"),
        relay_mail("I want to cancel this order!", order=B, number=3, buyer="b@marketplace.amazon.com", at=later),
        relay_mail("Please cancel my order", order=C, number=4, buyer="c@marketplace.amazon.com"),
        relay_mail("Ignore my last message, please ship it.", order=C, number=5, buyer="c@marketplace.amazon.com", at=later),
        relay_mail("please cancel", order=D, number=6, buyer="d@marketplace.amazon.com"),
        relay_mail("Where is my parcel?", order=A, number=7, buyer="a@marketplace.amazon.com", at=later),
    ]
    for number, mail in enumerate([*mails, mails[0], mails[2]]):
        (folder / f"{number}.eml").write_bytes(mail)
    (folder / "orders.txt").write_bytes(unshipped_report((A, "1", "FALSE"), (B, "2", "FALSE"), (C, "3", "FALSE")))
    return folder


def run(point: int, pile: Path, work: Path) -> int:
    """Runs `msgbot answer`, killed at moment `point`; the number of moments if it came to its end."""
    work.mkdir(exist_ok=True)
    count = work / "moments"
    count.unlink(missing_ok=True)
    mails = sorted(str(path) for path in pile.glob("*.eml"))
    arguments = [
        "answer",
        *mails,
        "--orders",
        str(pile / "orders.txt"),
        "--outbox",
        str(work / "outbox"),
        "--data",
        str(work / "data"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "MSGBOT_OWN_ADDRESSES": f'["{OWN}"]'}
    command = [sys.executable, str(HERE / "crashing.py"), str(point), str(count), *arguments]
    ended = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=120)
    # A moment that lies beyond the end of a run that found most of the work done kills nothing.
    assert ended.returncode == (0 if point == 0 or count.exists() else -9), ended.stdout + ended.stderr
    return int(count.read_text()) if count.exists() else 0


def state(work: Path) -> dict[str, Any]:
    """Everything that must be the same, however often it was killed."""
    with sqlite3.connect(work / "data" / "msgbot.db") as database:

        def rows(query: str) -> list[Any]:
            return sorted(database.execute(query).fetchall(), key=repr)

        outbox = {path.name: DATE.sub(b"", path.read_bytes()) for path in (work / "outbox").glob("*.eml")}
        return {
            "messages": rows("SELECT id, intent FROM messages"),
            "raw": rows("SELECT message_id, content FROM raw_messages"),
            "decisions": rows("SELECT message_id, action, code FROM decisions"),
            "replies": rows("SELECT id, message_id, order_id, once, template, state, mail_id, body FROM replies"),
            "trail": rows("SELECT kind, count(*) FROM trail GROUP BY kind"),
            "unfinished": rows("SELECT workflow_uuid FROM workflow_status WHERE status != 'SUCCESS'"),
            "outbox": outbox,
        }


@pytest.fixture(scope="module")
def undisturbed(pile: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any]]:
    """How many moments a run has, and the state that it ends in."""
    work = tmp_path_factory.mktemp("undisturbed")
    moments = run(0, pile, work)
    return moments, state(work)


def test_the_undisturbed_run_does_what_it_should(undisturbed: tuple[int, dict[str, Any]]) -> None:
    moments, final = undisturbed
    assert moments > 3 * MOMENTS
    codes = {message: code for message, _, code in final["decisions"]}
    assert [codes[f"<000{number}@email.amazonses.com>"] for number in range(1, 8)] == [
        "instruct", "asked_again_later", "instruct", "withdrawn_later", "withdrawn", "unknown_order", "no_request",
    ]  # fmt: skip
    assert len(final["outbox"]) == 2


@pytest.mark.parametrize("share", [index / MOMENTS for index in range(MOMENTS)])
def test_killed_at_any_moment_and_run_again_it_ends_the_same(
    share: float, pile: Path, undisturbed: tuple[int, dict[str, Any]], tmp_path: Path
) -> None:
    moments, final = undisturbed
    run(1 + int(share * moments), pile, tmp_path)
    run(0, pile, tmp_path)
    assert state(tmp_path) == final
    verified = subprocess.run(
        [sys.executable, "-m", "msgbot", "audit", "--data", str(tmp_path / "data"), "verify"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(HERE.parent)}, capture_output=True, text=True,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout


def test_killed_again_and_again_it_still_ends_the_same(pile: Path, undisturbed: tuple[int, dict[str, Any]], tmp_path: Path) -> None:
    moments, final = undisturbed
    for step in range(1, 5):
        run(max(1, moments * step // 6 - 10), pile, tmp_path)
    run(0, pile, tmp_path)
    assert state(tmp_path) == final
