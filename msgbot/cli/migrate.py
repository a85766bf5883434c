"""`msgbot migrate`: the database of an earlier release, brought up to this one."""

from __future__ import annotations

import click

from msgbot.cli.options import data_option, run_async
from msgbot.config import Settings
from msgbot.store.database import migrate_database, schema_version
from msgbot.store.schema_version import NEWEST


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; the exit code is 1 when a migration is needed.")
@data_option
def command(check: bool, settings: Settings) -> int:
    """Bring the database up to this release.

    Take a backup first: there is no way back. Processes of the release before may go on working meanwhile; start them anew when
    it is done.
    """
    return run_async(_migrate(check, settings))


async def _migrate(check: bool, settings: Settings) -> int:
    version = await schema_version(settings.database_address)
    if version is None:
        click.echo(f"There is no database yet: the first command that needs it makes it, with schema {NEWEST}.")
    elif version == NEWEST:
        click.echo(f"The database has schema {version}: nothing to do.")
    elif check and version < NEWEST:
        click.echo(f"The database has schema {version}, this msgbot needs {NEWEST}: run `msgbot migrate` (take a backup first).")
        return 1
    else:
        before, after = await migrate_database(settings.database_address)
        click.echo(f"schema {before} -> {after}: done")
    return 0
