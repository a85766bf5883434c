"""`msgbot backup`: a copy of the database that can be put back."""

from __future__ import annotations

from pathlib import Path

import click

from msgbot.cli.options import data_option
from msgbot.config import Settings
from msgbot.errors import ConfigError
from msgbot.store.backup import back_up
from msgbot.store.connections import sqlite_file


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@data_option
def command(target: Path, settings: Settings) -> int:
    """Copy the database to the new file TARGET.

    A service may go on working meanwhile. The copy is checked, on the disk, and readable by its owner only when its name appears;
    nothing is overwritten. To restore it, stop the service, empty the data folder, and put the file there as msgbot.db.
    """
    source = sqlite_file(settings.database_address)
    if source is None:
        raise ConfigError("this database is PostgreSQL: back it up with pg_dump, as docs/operations.md tells")
    backup = back_up(source, target)
    click.echo(f"{target}: {backup.size / 1e6:,.1f} MB, schema {backup.version}, checked")
    click.echo(f"{backup.messages:,} messages, {backup.orders:,} orders, {backup.entries:,} entries in the audit trail")
    for head in backup.heads:
        click.echo(f"account {head.account}: entry {head.number}, its hash is {head.hash}")
    if not settings.key.get_secret_value():
        click.echo(f"Keep {settings.data / 'msgbot.key'} with it, if there is one: the secrets of webhooks follow from that key.")
    return 0
