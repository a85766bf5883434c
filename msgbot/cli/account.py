"""`msgbot account`: the seller accounts of an installation."""

from __future__ import annotations

from typing import Any

import click

from msgbot.cli.options import data_option, format_option, run_async
from msgbot.cli.output import console, print_list
from msgbot.config import Settings
from msgbot.office import open_office
from msgbot.store.accounts import Account


@click.group()
def command() -> None:
    """Add, list and change seller accounts."""


@command.command()
@click.argument("name")
@click.option("--store", default="", help="The seller's name under replies.")
@click.option(
    "--own-address", "own", multiple=True, help="A mail address of the seller, never answered; may be given more than once."
)
@data_option
def add(name: str, store: str, own: tuple[str, ...], settings: Settings) -> int:
    """Add the seller account NAME."""
    return run_async(_add(name, store, own, settings))


async def _add(name: str, store: str, own: tuple[str, ...], settings: Settings) -> int:
    async with open_office(settings) as office:
        account = await office.accounts.add(name, store=store, own_addresses=own)
    console().print(f"added: {_line(account)}", markup=False)
    return 0


@command.command("list")
@format_option("text", "json")
@data_option
def list_(output: str, settings: Settings) -> int:
    """List all accounts."""
    return run_async(_list(output, settings))


async def _list(output: str, settings: Settings) -> int:
    async with open_office(settings) as office:
        accounts = await office.accounts.all()
    print_list("accounts", accounts, output, as_json=account_json, as_line=_line, begin="msgbot account add NAME")
    return 0


@command.command()
@click.argument("name")
@click.option("--store", help="The seller's name under replies.")
@click.option(
    "--own-address",
    "own",
    multiple=True,
    help="A mail address of the seller, in the place of all that are on file; may be given more than once.",
)
@data_option
def change(name: str, store: str | None, own: tuple[str, ...], settings: Settings) -> int:
    """Change the seller account NAME. What is not given stays as it is."""
    if store is None and not own:
        raise click.UsageError("nothing to change: give --store or --own-address")
    return run_async(_change(name, store, own, settings))


async def _change(name: str, store: str | None, own: tuple[str, ...], settings: Settings) -> int:
    async with open_office(settings) as office:
        known = await office.accounts.get(name)
        account = await office.accounts.change(name, known.version, store=store, own_addresses=own or None)
    console().print(f"changed: {_line(account)}", markup=False)
    return 0


def _line(account: Account) -> str:
    store = f"store “{account.store}”" if account.store else "no store name"
    own = ", ".join(sorted(account.own_addresses)) or "no own addresses"
    return f"{account.name}  {store}  {own}"


def account_json(account: Account) -> dict[str, Any]:
    """An account as plain data."""
    return {
        "name": account.name,
        "store": account.store,
        "own_addresses": sorted(account.own_addresses),
        "created_at": account.created_at.isoformat(),
        "version": account.version,
    }
