"""Accounts, users and tokens on the command line, as those meet it who set msgbot up; passwords at a real terminal."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from msgbot.cli.main import run
from msgbot.config import load_settings
from msgbot.domain.access import Permission
from msgbot.errors import AccessError
from msgbot.office import open_office
from msgbot.people import People

ROOT = Path(__file__).parent.parent
RIGHT, OTHER = "correct horse battery", "another long password"
TOKEN = re.compile(r"msgbot_[0-9a-f]{12}_[\w-]{43}\n")
Result = TypeVar("Result")


@dataclass
class Shell:
    """Runs msgbot in this process, which is quicker than one of its own for each command, in the current folder."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def both(self, *arguments: str, code: int = 0, text: str | bytes = "") -> tuple[str, str]:
        """What it prints on standard output and on standard error. The exit code must be `code`."""
        self.monkeypatch.setattr(sys, "argv", ["msgbot", *arguments])
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode() if isinstance(text, str) else text)))
        with pytest.raises(SystemExit) as ended:
            run()
        printed = self.capsys.readouterr()
        assert ended.value.code == code, printed
        return printed.out, printed.err

    def __call__(self, *arguments: str, text: str = "") -> str:
        """What it prints on standard output."""
        return self.both(*arguments, text=text)[0]

    def told(self, *arguments: str) -> Any:
        """What a list says to programs."""
        return json.loads(self(*arguments, "--format", "json"))

    def add_user(self, name: str, *arguments: str) -> None:
        """Adds a user with the right password."""
        self("user", "add", name, *arguments, "--password-stdin", text=RIGHT + "\n")


@pytest.fixture
def msgbot(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


def asked(work: Callable[[People], Awaitable[Result]]) -> Result:
    """What the people of the database in the current folder answer."""

    async def ask() -> Result:
        async with open_office(load_settings()) as office:
            try:
                return await work(office.people)
            finally:
                await office.people.noted()

    return asyncio.run(ask())


def test_accounts_are_added_listed_and_changed(msgbot: Shell) -> None:
    assert "There are no accounts yet" in msgbot("account", "list")
    msgbot("account", "add", "main", "--store", "Lamps [& more]", "--own-address", "Orders@Shop.example")
    msgbot("account", "add", "second")
    msgbot("account", "change", "second", "--own-address", "a@shop.example", "--own-address", "b@shop.example")
    main, second = msgbot.told("account", "list")["accounts"]
    assert (main["name"], main["store"], main["own_addresses"], main["version"]) == (
        "main",
        "Lamps [& more]",
        ["orders@shop.example"],
        1,
    )
    assert (second["store"], second["own_addresses"], second["version"]) == ("", ["a@shop.example", "b@shop.example"], 2)
    printed = msgbot("account", "list")
    assert "main  store “Lamps [& more]”  orders@shop.example" in printed
    assert "second  no store name  a@shop.example, b@shop.example" in printed


def test_users_are_added_listed_changed_and_disabled(msgbot: Shell) -> None:
    assert "There are no users yet" in msgbot("user", "list")
    msgbot.add_user("alice", "--role", "agent", "--account", "main", "--account", "second")
    msgbot.add_user("eve", "--role", "administrator", "--all-accounts")
    assert "alice  agent  accounts main, second\neve  administrator  all accounts\n" in msgbot("user", "list")
    msgbot("user", "change", "alice", "--role", "auditor", "--account", "main")
    msgbot("user", "disable", "eve")
    alice, eve = msgbot.told("user", "list")["users"]
    assert (alice["name"], alice["role"], alice["accounts"], alice["disabled_at"]) == ("alice", "auditor", ["main"], None)
    assert (eve["accounts"], bool(eve["disabled_at"])) == (None, True)
    assert "password_hash" not in alice
    assert "eve  administrator  all accounts  disabled since" in msgbot("user", "list")
    msgbot("user", "enable", "eve")
    assert msgbot.told("user", "list")["users"][1]["disabled_at"] is None


def test_a_password_that_was_piped_in_lets_the_user_in(msgbot: Shell) -> None:
    msgbot.add_user("alice", "--role", "agent", "--all-accounts")
    asked(lambda people: people.sign_in("alice", RIGHT))
    msgbot("user", "password", "alice", "--password-stdin", text=OTHER + "\r\n")
    asked(lambda people: people.sign_in("alice", OTHER))
    with pytest.raises(AccessError):
        asked(lambda people: people.sign_in("alice", RIGHT))


def at_terminal(*arguments: str, typed: list[str]) -> tuple[int, str]:
    """Runs msgbot at a terminal, where somebody answers every question; the exit code and what stood on the screen."""
    screen, keyboard = pty.openpty()
    # The first process of a session that opens a terminal has it for its own, as a shell's children have.
    begin = "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    with subprocess.Popen(
        [sys.executable, "-c", begin, "-m", "msgbot", *arguments],
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    ) as process:
        os.close(keyboard)
        shown = ""
        answers = iter(typed)
        while True:
            try:
                read = os.read(screen, 4_096).decode()
            except OSError:
                break  # Linux says so at the end
            if not read:
                break
            shown += read
            if read.endswith(": ") and (answer := next(answers, None)) is not None:
                os.write(screen, f"{answer}\n".encode())
        code = process.wait(timeout=60)
    os.close(screen)
    return code, shown


def test_a_password_is_asked_for_twice_and_never_shown() -> None:
    begun = ("user", "add", "alice", "--role", "agent", "--all-accounts")
    code, shown = at_terminal(*begun, typed=[RIGHT, OTHER, RIGHT, RIGHT])
    assert code == 0, shown
    assert shown.count("Password, 12 characters or more: ") == 2, "the two did not match at first"
    assert RIGHT not in shown
    assert OTHER not in shown
    asked(lambda people: people.sign_in("alice", RIGHT))
    code, shown = at_terminal("user", "password", "alice", typed=[OTHER, OTHER])
    assert code == 0, shown
    assert OTHER not in shown
    asked(lambda people: people.sign_in("alice", OTHER))


def test_a_token_is_printed_alone_and_only_once(msgbot: Shell) -> None:
    wanted = ["--role", "integrator", "--account", "main", "--scope", "detect", "--scope", "orders:read", "--days", "30"]
    out, err = msgbot.both("token", "create", "erp", *wanted)
    assert TOKEN.fullmatch(out)
    assert "created: erp  integrator  account main  only detect, orders:read  until " in err
    assert "shown only now" in err
    text = out.strip()
    assert text not in err
    actor = asked(lambda people: people.authenticate(text))
    assert (actor.name, actor.accounts) == ("token:erp", frozenset({"main"}))
    assert actor.permissions == frozenset({Permission.DETECT, Permission.READ_ORDERS})
    assert text[20:] not in msgbot("token", "list") + msgbot("token", "list", "--format", "json")


def test_tokens_are_listed_and_revoked(msgbot: Shell) -> None:
    assert "There are no tokens yet" in msgbot("token", "list")
    msgbot.add_user("alice", "--role", "supervisor", "--account", "main")
    text = msgbot("token", "create", "script", "--user", "alice", "--scope", "messages:read").strip()
    secret = msgbot("token", "create", "helpdesk", "--role", "integrator", "--all-accounts", "--signing").strip()
    assert secret.startswith("whsec_")
    helpdesk, script = msgbot.told("token", "list")["tokens"]
    assert (helpdesk["name"], helpdesk["signing"], helpdesk["accounts"], helpdesk["scopes"]) == ("helpdesk", True, None, None)
    assert (script["user"], script["role"], script["scopes"]) == ("alice", "supervisor", ["messages:read"])
    assert "secret_hash" not in script
    asked(lambda people: people.authenticate(text))
    msgbot("token", "revoke", "script")
    with pytest.raises(AccessError):
        asked(lambda people: people.authenticate(text))
    lines = msgbot("token", "list").splitlines()
    assert lines[0].startswith("helpdesk  integrator  all accounts  for signing  until ")
    assert lines[1].startswith("script  of alice  all accounts  only messages:read  revoked ")
    assert "  last used " in lines[1]


def test_the_trail_of_the_installation_holds(msgbot: Shell) -> None:
    msgbot("account", "add", "main")
    msgbot.add_user("alice", "--role", "agent", "--all-accounts")
    msgbot("token", "create", "script", "--user", "alice")
    [proof] = msgbot.told("audit", "verify", "--all")
    assert (proof["account"], proof["entries"], proof["broken"]) == ("installation", 3, None)


@pytest.mark.parametrize(
    ("arguments", "text", "says"),
    [
        (["account", "add", "a/b"], "", "cannot be the name of an account"),
        (["account", "add", "installation"], "", "cannot be the name of an account"),
        (["account", "add", "main", "--own-address", "me"], "", "is no mail address"),
        (["account", "change", "main", "--store", "x"], "", "there is no account named 'main'"),
        (["account", "change", "main"], "", "nothing to change"),
        (["user", "add", "alice", "--all-accounts", "--password-stdin"], RIGHT, "Missing option '--role'"),
        (["user", "add", "alice", "--role", "king", "--all-accounts"], "", "is not one of 'agent', "),
        (["user", "add", "alice", "--role", "agent", "--password-stdin"], RIGHT, "say which accounts"),
        (["user", "add", "alice", "--role", "agent", "--all-accounts", "--account", "main"], "", "say which accounts"),
        (["user", "add", "alice", "--role", "agent", "--all-accounts"], RIGHT, "pipe it in with --password-stdin"),
        (["user", "add", "alice", "--role", "agent", "--all-accounts", "--password-stdin"], "short\n", "12 to 1000 characters"),
        (["user", "add", "alice", "--role", "agent", "--all-accounts", "--password-stdin"], b"\xff" * 20, "not UTF-8"),
        (["user", "disable", "alice"], "", "there is no user named 'alice'"),
        (["token", "create", "erp", "--all-accounts"], "", "say what the token is for"),
        (["token", "create", "erp", "--role", "agent"], "", "say which accounts"),
        (["token", "create", "erp", "--role", "agent", "--all-accounts", "--scope", "all"], "", "the scopes are: accounts:manage"),
        (["token", "create", "erp", "--role", "agent", "--all-accounts", "--days", "0"], "", "1 to 3650 days"),
        (["token", "create", "erp", "--user", "alice"], "", "there is no user named 'alice'"),
        (["token", "revoke", "erp"], "", "there is no token named 'erp'"),
    ],
)
def test_what_cannot_be_done_says_why(msgbot: Shell, arguments: list[str], text: str | bytes, says: str) -> None:
    out, err = msgbot.both(*arguments, code=2, text=text)
    assert says in " ".join(err.split())
    assert not out
