"""Logs: in one form, with nothing in them that no log may hold."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from msgbot.logs import masked

PROGRAM = """
import logging, structlog
from msgbot.logs import configure
configure("info", {form!r})
structlog.contextvars.bind_contextvars(request="r1")
log = structlog.get_logger("msgbot.somewhere")
log.info("taken in", address="jane.doe+1@marketplace.amazon.de")
log.debug("not shown")
logging.getLogger("other").error("whsec_abc= failed")
try:
    raise ValueError("msgbot_0123456789ab_secret-secret")
except ValueError:
    log.exception("a fault")
"""


def logged(form: str) -> str:
    return subprocess.run([sys.executable, "-c", PROGRAM.format(form=form)], capture_output=True, text=True, check=True).stderr


def test_lines_for_programs() -> None:
    taken, other, fault = (json.loads(line) for line in logged("json").splitlines())
    assert (taken["event"], taken["request"], taken["address"], taken["level"]) == (
        "taken in", "r1", "…@marketplace.amazon.de", "info",
    )  # fmt: skip
    assert other["event"] == "whsec_… failed"
    assert "secret-secret" not in fault["exception"]
    assert "ValueError" in fault["exception"]


def test_lines_for_people() -> None:
    printed = logged("text")
    assert "taken in" in printed
    assert "jane.doe" not in printed
    assert "secret-secret" not in printed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("msgbot_0123456789ab_Abc-_9 x", "msgbot_0123456789ab_… x"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_…"),
        ("to Jane.D+c1@marketplace.amazon.co.jp!", "to …@marketplace.amazon.co.jp!"),
        ("postgresql://user:secret@host/name", "postgresql://user:…@host/name"),
        ("token Atza|IwEBIA-secret_x and Atzr|IwE.y", "token Atza|… and Atzr|…"),
        ("secret amzn1.oa2-cs.v1.0123abc", "secret amzn1.oa2-cs.…"),
        ("https://x.example/d?X-Amz-Signature=abc123&a=1", "https://x.example/d?X-Amz-Signature=…&a=1"),
        ("nothing to hide, a@b.example", "nothing to hide, a@b.example"),
    ],
)
def test_what_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_tests_do_not_change_how_the_test_runner_logs() -> None:
    assert not any(type(handler) is logging.StreamHandler for handler in logging.getLogger().handlers)
