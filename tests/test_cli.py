"""The command line as its users meet it: real processes, real files."""

from __future__ import annotations

import asyncio
import csv
import email
import email.policy
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from msgbot.amazon.performance_report import AmazonRate
from msgbot.store import amazon_reports
from msgbot.store.database import open_database
from tests.mails import NOW, OWN, relay_mail, unshipped_report

ROOT = Path(__file__).parent.parent
A, B = "114-0000001-0000001", "114-0000002-0000002"


def msgbot(*arguments: object, code: int = 0, text: str | bytes = "") -> str:
    """Runs msgbot in the current folder; what it printed. The exit code must be `code`, and nobody may see a traceback."""
    ended = subprocess.run(
        [sys.executable, "-m", "msgbot", *map(str, arguments)],
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MSGBOT_OWN_ADDRESSES": f'["{OWN}"]', "PYTHONWARNINGS": "ignore"},
        timeout=120,
    )
    printed = ended.stdout.decode() + ended.stderr.decode()
    assert "Traceback" not in printed, printed
    assert ended.returncode == code, printed
    return ended.stdout.decode() if not code else printed


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """Two requests and a report in the current folder."""
    (tmp_path / "one.eml").write_bytes(relay_mail("Please cancel my order."))
    (tmp_path / "two.eml").write_bytes(relay_mail("Do you have it in blue?", order=B, number=2))
    (tmp_path / "orders.txt").write_bytes(unshipped_report((A, "1", "FALSE"), (B, "2", "TRUE")))
    return tmp_path


def test_answer_writes_a_mail_that_is_ready_to_send(pile: Path) -> None:
    printed = msgbot("answer", "one.eml", "two.eml", "--orders", "orders.txt", "--outbox", "out")
    assert "ANSWERED" in printed
    [path] = (pile / "out").glob("*.eml")
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert mail["To"] == "k3jd9sl2+a1b2c3@marketplace.amazon.com"
    assert mail["From"] == OWN
    assert mail["Subject"] == f"Re: Inquiry from Amazon customer Jane (Order: {A})"
    assert mail["In-Reply-To"] == mail["References"] == "<0001@email.amazonses.com>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail.get_content_type() == "text/plain"
    body = mail.get_content()
    assert A in body
    assert "My Account > My Orders > Request cancellation" in body


def test_nobody_is_answered_twice(pile: Path) -> None:
    msgbot("answer", "one.eml", "--orders", "orders.txt", "--outbox", "out")
    [path] = (pile / "out").glob("*.eml")
    before = path.read_bytes()
    path.unlink()
    printed = msgbot("answer", "one.eml", "one.eml", "--orders", "orders.txt", "--outbox", "out")
    assert "nobody was answered twice" in printed
    assert not list((pile / "out").glob("*.eml")), before


def test_a_dry_run_writes_nothing(pile: Path) -> None:
    files = {path: path.read_bytes() for path in pile.iterdir()}
    assert "ANSWERED" in msgbot("answer", "one.eml", "--orders", "orders.txt", "--dry-run")
    assert {path: path.read_bytes() for path in pile.iterdir()} == files


def test_answer_tells_programs_everything(pile: Path) -> None:
    told = json.loads(msgbot("answer", "one.eml", "two.eml", "--orders", "orders.txt", "--format", "json"))
    first, second = told["messages"]
    assert (first["decision"]["action"], first["decision"]["code"], first["reply"]["state"]) == ("send", "instruct", "sent")
    assert (second["verdict"]["intent"], second["decision"]["action"], second["reply"]) == ("none", "nothing", None)
    assert told["unreadable"] == []


def test_an_unreadable_mail_is_reported_and_the_rest_goes_on(pile: Path) -> None:
    (pile / "bad.jsonl").write_text('{"id": "1", "text": "please cancel"}\n{"id": "2", oops}\n')
    printed = msgbot("answer", "bad.jsonl", "missing.eml", "one.eml", "--orders", "orders.txt", code=1)
    assert "bad.jsonl:2:" in printed
    assert "missing.eml" in printed
    assert "ANSWERED" in printed


@pytest.mark.parametrize("kind", ["mbox", "maildir", "folder", "jsonl", "csv"])
def test_every_kind_of_source_is_read(kind: str, pile: Path) -> None:
    mail = relay_mail("Please cancel my order.")
    source = pile / f"source.{kind}"
    row = {
        "id": "7",
        "from": "x+1@marketplace.amazon.com",
        "to": OWN,
        "subject": "Hi",
        "text": "please cancel my order",
        "order_id": A,
    }
    if kind == "mbox":
        source.write_bytes(b"From sender Fri Nov 20 12:00:00 2026\n" + mail + b"\n")
    elif kind == "maildir":
        for name in ("cur", "new", "tmp"):
            (source / name).mkdir(parents=True)
        (source / "new" / "1.host").write_bytes(mail)
    elif kind == "folder":
        source.mkdir()
        (source / "1.eml").write_bytes(mail)
    elif kind == "jsonl":
        source.write_text(json.dumps(row) + "\n")
    else:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(row))
        writer.writeheader()
        writer.writerow(row)
        source.write_text(out.getvalue())
    told = json.loads(msgbot("answer", source, "--orders", "orders.txt", "--format", "json"))
    assert [message["decision"]["action"] for message in told["messages"]] == ["send"]


def test_a_withdrawal_stops_the_answer_whatever_comes_first(pile: Path) -> None:
    later = relay_mail("Ignore my last message, please ship it.", number=9, at=NOW + timedelta(hours=1))
    (pile / "0-later.eml").write_bytes(later)
    told = json.loads(msgbot("answer", "0-later.eml", "one.eml", "--orders", "orders.txt", "--format", "json"))
    assert [message["decision"]["code"] for message in told["messages"]] == ["withdrawn", "withdrawn_later"]
    assert not list((pile / "outbox").glob("*.eml"))


def test_suggestions_are_drafts_for_a_person(pile: Path) -> None:
    msgbot("answer", "one.eml")
    listed = (pile / "outbox" / "suggestions" / "suggestions.txt").read_text()
    assert A in listed
    [draft] = (pile / "outbox" / "suggestions").glob("*.eml")
    assert email.message_from_bytes(draft.read_bytes())["Auto-Submitted"] is None, "a person sends it"


def test_orders_import_says_what_it_read(pile: Path) -> None:
    (pile / "old.txt").write_bytes(
        unshipped_report((B, "2", "TRUE"), ("nonsense", "3", ""), flag_column="is-buyer-requested-cancelation")
    )
    (pile / "none.txt").write_bytes(unshipped_report((A, "1", ""), flag_column="something-else"))
    (pile / "page.html").write_text("<html>")
    printed = msgbot("orders", "import", "old.txt", "none.txt", "page.html", code=1)
    assert "formal requests: 1 new" in printed
    assert "line 3" in printed
    assert "whether a buyer filed one is unknown" in printed
    assert "page.html:1" in printed


def cancellations(*rows: tuple[str, str, str]) -> bytes:
    lines = ["TemplateType=OrderCancellation\tVersion=1.0/1.0.3\tThis row for Amazon.com use only. Do not modify or delete."]
    lines.append("order-id\tcancellation-reason-code\tamazon-order-item-code")
    lines += ["\t".join(row) for row in rows]
    return "".join(line + "\r\n" for line in lines).encode()


def test_guard_rules_row_by_row_and_writes_a_clean_file(pile: Path) -> None:
    msgbot("answer", "one.eml", "--orders", "orders.txt")
    (pile / "cancel.txt").write_bytes(cancellations((A, "BuyerCanceled", "1"), (B, "BuyerCanceled", "2"), (B, "Whim", "2")))
    printed = msgbot("guard", "cancel.txt", "--out", "clean.txt", code=1)
    assert "informal" in printed
    assert "My Account > My Orders > Request cancellation" in printed
    assert "Whim" in printed
    rows = (pile / "clean.txt").read_bytes().split(b"\r\n")
    assert rows[2:] == [f"{B}\tBuyerCanceled\t2".encode(), b""]
    assert "1 allowed, 0 not allowed" in msgbot("guard", "clean.txt")


def test_cancel_writes_the_file_to_upload_when_it_may(pile: Path) -> None:
    msgbot("orders", "import", "orders.txt")
    assert "formal_request" in msgbot("cancel", B, "--reason", "Buyer Canceled")
    assert f"{B}\tBuyerCanceled\t2".encode() in (pile / f"cancel-{B}.txt").read_bytes()
    assert "wrong_reason" in msgbot("cancel", A, "--reason", "BuyerCanceled", code=1)
    assert not (pile / f"cancel-{A}.txt").exists()
    assert "is no reason that Amazon knows" in msgbot("cancel", A, "--reason", "Whim", code=2)
    assert "is not an order id" in msgbot("cancel", "123", "--reason", "NoInventory", code=2)


def test_old_facts_support_no_cancellation(pile: Path) -> None:
    msgbot("orders", "import", "orders.txt", "--as-of", "2020-01-01")
    assert "stale" in msgbot("cancel", B, "--reason", "Buyer Canceled", code=1)


def test_the_audit_shows_what_became_of_requests(pile: Path) -> None:
    msgbot("answer", "one.eml", "--orders", "orders.txt")
    assert json.loads(msgbot("audit", "--format", "json"))["outcomes"]["open"] == 1
    (pile / "orders.txt").write_bytes(unshipped_report((A, "1", "TRUE")))
    msgbot("orders", "import", "orders.txt")
    told = json.loads(msgbot("audit", "--format", "json"))
    assert (told["outcomes"]["formal_request"], told["outcomes"]["open"]) == (1, 0)
    [row] = csv.DictReader(io.StringIO(msgbot("audit", "--format", "csv", "--from", "2026-11-20", "--to", "2026-11-21")))
    assert (row["order_id"], row["decision"], row["outcome"]) == (A, "send", "formal_request")
    assert json.loads(msgbot("audit", "--format", "json", "--to", "2026-11-20"))["cases"] == []


def test_the_audit_shows_amazons_own_rate_beside_ours(pile: Path) -> None:
    msgbot("orders", "import", "orders.txt")
    assert "Amazon's own" not in msgbot("audit")
    assert json.loads(msgbot("audit", "--format", "json"))["amazon_rates"] == []
    days = (date(2026, 11, 12), date(2026, 11, 18))
    rates = [
        AmazonRate("A1PA6795UKMFR9", *days, 250, 3, Decimal("0.012"), Decimal("0.025"), "LESS_THAN", "GOOD"),
        AmazonRate("ELSEWHERE", *days, 10, 1, Decimal("0.1"), None, "", "NONE"),
    ]
    asyncio.run(_put_rates(pile / "msgbot-data" / "msgbot.db", rates))
    printed = msgbot("audit")
    assert "Amazon's own: amazon.de, 2026-11-12 to 2026-11-18: 1.20% (3 of 250, target below 2.5%) GOOD" in printed
    assert "Amazon's own: ELSEWHERE, 2026-11-12 to 2026-11-18: 10.00% (1 of 10) NONE" in printed
    told = json.loads(msgbot("audit", "--format", "json"))["amazon_rates"]
    assert [(each["marketplace"], each["rate"], each["target"]) for each in told] == [
        ("A1PA6795UKMFR9", "0.012", "0.025"),
        ("ELSEWHERE", "0.1", None),
    ]


async def _put_rates(path: Path, rates: list[AmazonRate]) -> None:
    database = await open_database(path)
    async with database.transaction() as connection:
        await amazon_reports.put_rates(connection, "main", rates, NOW)
    await database.close()


def test_verify_proves_the_chain_or_names_the_first_broken_entry(pile: Path) -> None:
    msgbot("answer", "one.eml", "--orders", "orders.txt")
    for arguments in (
        ["audit", "verify"],
        ["audit", "--data", "msgbot-data", "verify"],
        ["audit", "verify", "--data", "msgbot-data"],
    ):
        assert "the chain holds" in msgbot(*arguments)
    with sqlite3.connect(pile / "msgbot-data" / "msgbot.db") as database:
        database.execute("DROP TRIGGER trail_refuses_update")
        [(number,)] = database.execute("SELECT number FROM trail WHERE kind = 'message_received'")
        database.execute("""UPDATE trail SET facts = replace(facts, '"request"', '"none"') WHERE number = ?""", [number])
    assert f"entry {number}: its content was changed" in msgbot("audit", "verify", code=1)


def test_try_explains(pile: Path) -> None:
    printed = msgbot("try", "pls cancle my order")
    assert "request" in printed
    assert "'cancle' is read as: cancel" in printed
    assert "Request cancellation" in printed
    told: dict[str, Any] = json.loads(msgbot("try", "Wo ist mein Paket?", "--language", "de", "--format", "json"))
    assert (told["intent"], told["decision"]["action"]) == ("none", "nothing")


def test_detect_streams_json_lines(pile: Path) -> None:
    lines = b"\n".join(
        [
            b'{"id": 1, "text": "please cancel my order", "extra": [1]}',
            b"",
            b'{"id": 2}',
            b"nonsense",
            b'{"id": 3, "text": "\xff"}',
            b'{"id": 4, "text": "hi"}',
        ]
    )
    printed = msgbot("detect", code=1, text=lines)
    rows = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert [(row["id"], row["intent"]) for row in rows] == [(1, "request"), (4, "none")]
    assert rows[0]["extra"] == [1]
    assert {"score", "language", "evidence"} <= rows[0].keys()
    for line, reason in ((3, '"text" is missing'), (4, "not JSON"), (5, "not UTF-8")):
        assert any(f":{line}:" in printed_line and reason in printed_line for printed_line in printed.splitlines())


def test_detect_shares_big_input_and_keeps_its_order(pile: Path) -> None:
    texts = ["please cancel my order", "where is it?", "I don't want it any more", "Bitte stornieren", "キャンセルお願いします"]
    rows = [{"id": number, "text": texts[number % len(texts)]} for number in range(9_000)]
    lines = [json.dumps(row).encode() for row in rows]
    lines[4_500] = b"nonsense"
    several = msgbot("detect", "--processes", 3, code=1, text=b"\n".join(lines))
    alone = msgbot("detect", "--processes", 1, code=1, text=b"\n".join(lines))
    assert several == alone
    found = [json.loads(line) for line in alone.splitlines() if line.startswith("{")]
    assert [row["id"] for row in found] == [number for number in range(9_000) if number != 4_500]
    assert ":4501: " in alone


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labels.jsonl"
    rows = [
        {"id": "1", "text": "please cancel my order", "label": "request", "lang": "en"},
        {"id": "2", "text": "please cancel my gym membership", "intent": "none", "lang": "en"},
        {"id": "3", "text": "it will not do, take it away again", "label": "request", "lang": "en"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_rules_eval(labels: Path) -> None:
    printed = msgbot("rules", "eval", labels)
    assert "language en" in printed
    assert "should be request, is none" in printed
    assert f"{labels}:3" in printed
    report = json.loads(msgbot("rules", "eval", labels, "--format", "json"))
    assert (report["total"]["precision"], report["total"]["recall"]) == (1.0, 0.5)
    assert [mistake["id"] for mistake in report["mistakes"]] == ["3"]
    assert report["by_rule"]["asks-for-order/en"] == {"decided": 1, "right": 1, "mean_score": 0.98}


def test_rules_diff(labels: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(ROOT / "rules", changed)
    assert "0 of 3 verdicts change" in msgbot("rules", "diff", ROOT / "rules", changed, labels)
    frames = changed / "frames.yaml"
    frames.write_text(frames.read_text().replace("id: asks-for-order, intent: request", "id: asks-for-order, intent: withdrawn"))
    printed = msgbot("rules", "diff", ROOT / "rules", changed, labels, code=1)
    assert "old  request 0.98" in printed
    assert "new  withdrawn 0.98" in printed
    assert "request -> withdrawn: 1" in printed
    found = json.loads(msgbot("rules", "diff", ROOT / "rules", changed, labels, "--format", "json", code=1))
    assert [change["old"]["intent"] for change in found["changes"]] == ["request"]


def test_rules_cover(labels: Path) -> None:
    printed = msgbot("rules", "cover", labels)
    assert "3 messages" in printed
    assert "Rules that decided nothing" in printed
    found = json.loads(msgbot("rules", "cover", labels, "--format", "json"))
    assert "asks-for-order" not in found["rules_never_used"]
    assert "undo" in found["rules_never_used"]
    assert found["rules_that_err"] == {"-": [1, 1]}


def test_rules_tools_say_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "x"}\n')
    assert "bad.jsonl:1: " in msgbot("rules", "eval", bad, code=2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["answer"], "Missing argument"),
        (["nonsense"], "No such command"),
        (["answer", "x.eml", "--orders", "nowhere.txt"], "does not exist"),
        (["audit", "--from", "yesterday"], "is not a time"),
        (["guard", "nowhere.txt"], "does not exist"),
        (["answer", "x.eml", "--as-of", "2999-01-01"], "lies in the future"),
        (["audit", "--account", "a/b"], "a setting is wrong: account"),
    ],
)
def test_a_wrong_option_says_what_is_right(arguments: list[str], says: str) -> None:
    assert says in msgbot(*arguments, code=2)


def test_a_file_that_is_no_template_names_the_place(pile: Path) -> None:
    assert "orders.txt:1" in msgbot("guard", "orders.txt", code=2)


def test_a_database_that_is_none_is_a_clear_error(pile: Path) -> None:
    (pile / "msgbot-data").mkdir()
    (pile / "msgbot-data" / "msgbot.db").write_text("not a database " * 100)
    assert "cannot be opened" in msgbot("audit", code=2)


def test_the_demo_shows_everything_and_a_second_run_changes_nothing(pile: Path) -> None:
    first = msgbot("demo")
    files = {path: path.read_bytes() for path in (pile / "msgbot-demo" / "outbox").rglob("*.eml")}
    for part in (
        "ANSWERED",
        "SUGGESTED",
        "FOR YOU",
        "BLOCKED",
        "allowed",
        "Informal requests",
        "the chain holds",
        "What to try next",
    ):
        assert part in first
    second = msgbot("demo")
    assert "nobody was answered twice" in second
    trails = [[line for line in printed.splitlines() if "Audit trail" in line] for printed in (first, second)]
    assert trails[0] == trails[1]
    assert {path: path.read_bytes() for path in (pile / "msgbot-demo" / "outbox").rglob("*.eml")} == files
