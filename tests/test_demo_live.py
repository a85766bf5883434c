"""`msgbot demo --live` as its users meet it: real processes, twice in one folder, whatever the settings there say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from msgbot.demo.live import LAMP, VASE

ROOT = Path(__file__).parent.parent
# It tells of every connection that the process makes, and of every name it looks up.
WATCHED = """
import json, sys
from pathlib import Path
from msgbot.cli.main import run

addresses, told = [], sys.argv.pop()
def note(event, given):
    if event == "socket.connect":
        addresses.append(given[1] if isinstance(given[1], str) else given[1][0])
    elif event == "socket.getaddrinfo":
        addresses.append(given[0])
sys.addaudithook(note)
sys.argv[0] = "msgbot"
try:
    run()
finally:
    Path(told).write_text(json.dumps([str(each) for each in addresses]))
"""
# Somebody else's settings, which the demo must not use: they would send it to Amazon.
SETTINGS = """
database = "postgresql://nobody@database.example/none"
[amazon]
client_id = "somebody's"
client_secret = "secret"
queue_url = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
[amazon.accounts.other]
marketplaces = ["amazon.de"]
refresh_token = "secret"
"""


@dataclass(frozen=True)
class Run:
    """What one run printed, where it connected to, and the folder that it made."""

    printed: str
    addresses: list[str]
    folder: Path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Two runs in one folder; the second begins while the first is under way, to be done sooner."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "msgbot.toml").write_text(SETTINGS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "MSGBOT_AMAZON__POLL_SECONDS": "3600"}
    watched = folder / "watched.py"
    watched.write_text(WATCHED)
    going = []
    for number in range(2):
        command = [sys.executable, str(watched), "demo", "--live", str(folder / f"addresses-{number}.json")]
        going.append(
            subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
            )
        )
        # Folders are named by the second.
        time.sleep(2)
    printed = [each.communicate(timeout=200)[0] for each in going]
    assert [each.returncode for each in going] == [0, 0], "\n".join(printed)
    made = sorted((folder / "msgbot-demo-live").iterdir())
    assert len(made) == 2, made
    return [
        Run(text, json.loads((folder / f"addresses-{number}.json").read_text()), run)
        for number, (text, run) in enumerate(zip(printed, made, strict=True))
    ]


@pytest.mark.parametrize(
    "says",
    [
        r"works +token and marketplaces: the seller sells in amazon\.com",
        r"12 orders are read",
        rf"about order {LAMP}: “Hi, please cancel my order",
        r"the order is read from Amazon again: unshipped, no formal request on file",
        r"answered:\n[^\d]*thank you for your message",
        r"not allowed +informal",
        r"noticed: unshipped, a formal request on file",
        r"allowed +formal_request",
        rf"{VASE} [\s\S]*not allowed +not_unshipped",
        # Between two looks `accepted` may pass unseen.
        r"ready: [\s\S]*submitted: [\s\S]*done: it is done",
        r"cancellations: 1 done",
        r"\d+ entries, the chain holds",
    ],
)
def test_it_shows_the_whole_way_each_time(says: str, runs: list[Run]) -> None:
    for run in runs:
        assert re.search(says, run.printed), run.printed
        assert "FAILS" not in run.printed
        assert "Traceback" not in run.printed


def test_the_answer_lies_in_the_outbox_that_it_names(runs: list[Run]) -> None:
    for run in runs:
        named = re.search(r"^  ls (\S+)", run.printed, re.MULTILINE)
        assert named is not None
        [path] = (run.folder.parent.parent / named[1]).glob("*.eml")
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert LAMP in mail.get_content()


def test_the_audit_that_it_names_verifies_and_tells_of_the_cancellation(runs: list[Run]) -> None:
    command = [sys.executable, "-m", "msgbot", "audit", "verify", "--data", str(runs[0].folder / "data"), "--account", "lindgrove"]
    verified = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "the chain holds" in verified.stdout


def test_it_leaves_the_machine_for_nothing(runs: list[Run]) -> None:
    for run in runs:
        assert run.addresses, "nothing was noted"
        assert set(run.addresses) <= {"127.0.0.1", "localhost", "::1"}
