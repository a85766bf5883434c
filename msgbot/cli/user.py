"""`msgbot user`: the people who sign in. Passwords come from the terminal or from standard input, never from an option, where
other users of the machine could read them."""

from __future__ import annotations

import sys
from typing import Any

import click

from msgbot.cli.options import data_option, format_option, run_async
from msgbot.cli.output import console, print_list
from msgbot.cli.rights import accounts_json, accounts_options, accounts_text, chosen_accounts, role_option
from msgbot.config import Settings
from msgbot.domain.access import Role
from msgbot.office import open_office
from msgbot.passwords import SHORTEST
from msgbot.store.people import User

_password_stdin = click.option(
    "--password-stdin", "piped", is_flag=True, help="Read the password from standard input instead of asking for it."
)


@click.group()
def command() -> None:
    """Add, list and change users."""


@command.command()
@click.argument("name")
@role_option("What the user is here for.", required=True)
@accounts_options
@_password_stdin
@data_option
def add(name: str, role: str, accounts: tuple[str, ...], everything: bool, piped: bool, settings: Settings) -> int:
    """Add the user NAME. Asks for a password of 12 characters or more."""
    allowed = chosen_accounts(accounts, everything)
    return run_async(_add(name, _password(piped), Role(role), allowed, settings))


async def _add(name: str, password: str, role: Role, accounts: frozenset[str] | None, settings: Settings) -> int:
    async with open_office(settings) as office:
        user = await office.people.add_user(name, password, role, accounts)
    console().print(f"added: {_line(user)}", markup=False)
    return 0


@command.command("list")
@format_option("text", "json")
@data_option
def list_(output: str, settings: Settings) -> int:
    """List all users."""
    return run_async(_list(output, settings))


async def _list(output: str, settings: Settings) -> int:
    async with open_office(settings) as office:
        users = await office.people.users()
    print_list("users", users, output, as_json=user_json, as_line=_line, begin="msgbot user add NAME --role ROLE --all-accounts")
    return 0


@command.command()
@click.argument("name")
@role_option("What the user is here for from now on.", required=True)
@accounts_options
@data_option
def change(name: str, role: str, accounts: tuple[str, ...], everything: bool, settings: Settings) -> int:
    """Give the user NAME another role and other accounts."""
    return run_async(_change(name, Role(role), chosen_accounts(accounts, everything), settings))


async def _change(name: str, role: Role, accounts: frozenset[str] | None, settings: Settings) -> int:
    async with open_office(settings) as office:
        await office.people.change_rights(name, role, accounts)
    console().print(f"changed: {name}  {role}  {accounts_text(accounts)}", markup=False)
    return 0


@command.command()
@click.argument("name")
@_password_stdin
@data_option
def password(name: str, piped: bool, settings: Settings) -> int:
    """Give the user NAME another password, and sign them out everywhere."""
    return run_async(_set_password(name, _password(piped), settings))


async def _set_password(name: str, new: str, settings: Settings) -> int:
    async with open_office(settings) as office:
        await office.people.set_password(name, new)
    console().print(f"{name} has a new password.", markup=False)
    return 0


@command.command()
@click.argument("name")
@data_option
def disable(name: str, settings: Settings) -> int:
    """Let the user NAME in no more, by password or token."""
    return run_async(_disable(name, settings))


async def _disable(name: str, settings: Settings) -> int:
    async with open_office(settings) as office:
        await office.people.disable(name)
    console().print(f"{name} is disabled.", markup=False)
    return 0


@command.command()
@click.argument("name")
@data_option
def enable(name: str, settings: Settings) -> int:
    """Let the user NAME in again."""
    return run_async(_enable(name, settings))


async def _enable(name: str, settings: Settings) -> int:
    async with open_office(settings) as office:
        await office.people.enable(name)
    console().print(f"{name} is enabled.", markup=False)
    return 0


def _password(piped: bool) -> str:
    """The password that was typed twice, or piped in. Raises UsageError when there is neither a terminal nor a pipe to read."""
    if not piped:
        if not sys.stdin.isatty():
            raise click.UsageError("there is no terminal to ask for the password: pipe it in with --password-stdin")
        text = f"Password, {SHORTEST} characters or more"
        typed: str = click.prompt(text, hide_input=True, confirmation_prompt="The same again", err=True)
        return typed
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise click.UsageError("the password on standard input is not UTF-8") from error


def _line(user: User) -> str:
    state = f"  disabled since {user.disabled_at:%Y-%m-%d}" if user.disabled_at else ""
    return f"{user.name}  {user.role}  {accounts_text(user.accounts)}{state}"


def user_json(user: User) -> dict[str, Any]:
    """A user as plain data, without the hash."""
    return {
        "name": user.name,
        "role": user.role.value,
        "accounts": accounts_json(user.accounts),
        "created_at": user.created_at.isoformat(),
        "disabled_at": user.disabled_at.isoformat() if user.disabled_at else None,
    }
