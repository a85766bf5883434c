"""`msgbot token`: what programs show when they ask something of msgbot."""

from __future__ import annotations

from typing import Any

import click

from msgbot.cli.options import data_option, format_option, run_async
from msgbot.cli.output import console, print_list
from msgbot.cli.rights import accounts_json, accounts_options, accounts_text, chosen_accounts, role_option
from msgbot.clock import system_clock
from msgbot.config import Settings
from msgbot.domain.access import Permission, Role
from msgbot.installation_key import read_key
from msgbot.office import open_office
from msgbot.store.people import Token


@click.group()
def command() -> None:
    """Create, list and revoke tokens."""


@command.command()
@click.argument("name")
@role_option("What the token is for; a token of a user has the user's role.", required=False)
@accounts_options
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help=f"Allow only this of what the role allows; may be given more than once: {', '.join(Permission)}.",
)
@click.option("--days", default=90, show_default=True, help="How long it is good, at most 3650.")
@click.option("--user", default="", help="Whose token it is: it has the rights that this user has when it is used.")
@click.option("--signing", is_flag=True, help="For a sender that signs its requests instead of showing a token.")
@data_option
def create(
    name: str,
    role: str | None,
    accounts: tuple[str, ...],
    everything: bool,
    scopes: tuple[str, ...],
    days: int,
    user: str,
    signing: bool,
    settings: Settings,
) -> int:
    """Create the token NAME and print it, this once."""
    if not role and not user:
        raise click.UsageError("say what the token is for: --role ROLE, or --user NAME for a token of that user")
    # All the accounts of its user are what a user's token has when nothing is said.
    allowed = None if user and not accounts else chosen_accounts(accounts, everything)
    wanted = {
        "role": Role(role) if role else None,
        "accounts": allowed,
        "scopes": scopes or None,
        "days": days,
        "user": user,
        "signing": signing,
    }
    return run_async(_create(name, wanted, settings))


async def _create(name: str, wanted: dict[str, Any], settings: Settings) -> int:
    async with open_office(settings) as office:
        token, text = await office.people.create_token(name, **wanted)
    _print_created(token, text, read_key(settings).secret_of_token(token.id) if token.signing else "")
    return 0


def _print_created(token: Token, text: str, signing_secret: str) -> None:
    """The new token: alone on standard output, so that it can be piped on, and what it is on standard error. `signing_secret` is
    what the holder of a signing token signs with."""
    note = console(stderr=True)
    note.print(f"created: {_line(token)}", markup=False)
    if token.signing:
        note.print(f"messages are posted to /v1/incoming/{token.id}, signed with this secret:", markup=False)
        click.echo(signing_secret)
        return
    click.echo(text)
    note.print("It is shown only now: keep it where nobody else reads it.")


@command.command("list")
@format_option("text", "json")
@data_option
def list_(output: str, settings: Settings) -> int:
    """List all tokens, also those that are good no more."""
    return run_async(_list(output, settings))


async def _list(output: str, settings: Settings) -> int:
    async with open_office(settings) as office:
        tokens = await office.people.tokens()
    print_list(
        "tokens", tokens, output, as_json=token_json, as_line=_line, begin="msgbot token create NAME --role ROLE --all-accounts"
    )
    return 0


@command.command()
@click.argument("name")
@data_option
def revoke(name: str, settings: Settings) -> int:
    """End the token NAME for good. Its name stays taken, so that the trail speaks of one token only."""
    return run_async(_revoke(name, settings))


async def _revoke(name: str, settings: Settings) -> int:
    async with open_office(settings) as office:
        await office.people.revoke(name)
    console().print(f"{name} is revoked; a running service refuses it within two seconds.", markup=False)
    return 0


def _line(token: Token) -> str:
    parts = [token.name, f"of {token.user}" if token.user else token.role.value, accounts_text(token.accounts)]
    if token.scopes is not None:
        parts.append(f"only {', '.join(sorted(token.scopes)) or 'nothing'}")
    if token.signing:
        parts.append("for signing")
    if token.revoked_at is not None:
        parts.append(f"revoked {token.revoked_at:%Y-%m-%d}")
    else:
        parts.append(f"{'expired' if token.expires_at <= system_clock() else 'until'} {token.expires_at:%Y-%m-%d}")
    if token.last_used_at is not None:
        parts.append(f"last used {token.last_used_at:%Y-%m-%d %H:%M}")
    return "  ".join(parts)


def token_json(token: Token) -> dict[str, Any]:
    """A token as plain data, without anything of its secret."""
    return {
        "id": token.id,
        "name": token.name,
        "user": token.user or None,
        "role": token.role.value,
        "scopes": None if token.scopes is None else sorted(token.scopes),
        "accounts": accounts_json(token.accounts),
        "signing": token.signing,
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
        "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
    }
