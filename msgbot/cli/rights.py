"""Rights as people type them and as they are shown: a role and the accounts it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from msgbot.domain.access import Role

Command = TypeVar("Command", bound=Callable[..., Any])


def role_option(text: str, *, required: bool) -> Callable[[Command], Command]:
    """Adds `--role` with this help."""
    return click.option("--role", type=click.Choice([role.value for role in Role]), required=required, help=text)


def accounts_options(command: Command) -> Command:
    """Adds `--account`, which may be given more than once, and `--all-accounts`; `chosen_accounts` reads them."""
    some = click.option("--account", "accounts", multiple=True, help="May work with this account; may be given more than once.")
    everything = click.option("--all-accounts", "everything", is_flag=True, help="May work with all accounts, later ones too.")
    return some(everything(command))


def chosen_accounts(accounts: tuple[str, ...], everything: bool) -> frozenset[str] | None:
    """The accounts that were typed; None means all. Nobody gets all of them by saying nothing: raises UsageError."""
    if bool(accounts) == everything:
        raise click.UsageError("say which accounts: either --account NAME, perhaps more than once, or --all-accounts")
    return None if everything else frozenset(accounts)


def accounts_text(accounts: frozenset[str] | None) -> str:
    """The accounts for people."""
    if accounts is None:
        return "all accounts"
    return f"account{'s' if len(accounts) > 1 else ''} {', '.join(sorted(accounts))}" if accounts else "no account"


def accounts_json(accounts: frozenset[str] | None) -> list[str] | None:
    """The accounts as plain data; None means all."""
    return None if accounts is None else sorted(accounts)
