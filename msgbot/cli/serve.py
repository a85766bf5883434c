"""`msgbot serve`: the HTTP service. `msgbot worker`: one more process that does its share of the work."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import click

from msgbot.cli.options import data_options, run_async
from msgbot.config import Settings
from msgbot.errors import ConfigError
from msgbot.logs import configure
from msgbot.people import FirstStart
from msgbot.web.app import application, operation_only
from msgbot.web.server import serve
from msgbot.wiring import open_service

FIRST = "first-start.txt"
STRUCK_OFF = 1


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on; 0: any that is free.  [default: 8080]")
@click.option("--no-work", is_flag=True, help="Answer HTTP only; leave the rest to workers (PostgreSQL).")
@data_options
def command(host: str | None, port: int | None, no_work: bool, settings: Settings) -> int:
    """Run the HTTP service.

    The first start creates the database, an administrator and a token, and says where they are written down. Takes messages in,
    answers them, rules on cancellations. Stops on SIGTERM or Ctrl-C, when what it has begun is done.
    """
    if no_work and not settings.database.startswith("postgresql"):
        raise click.UsageError("--no-work needs a PostgreSQL database: with SQLite there are no other processes to do the work")
    return run_async(_run(_listening(settings, host, port), work=not no_work, http=True))


@click.command("worker")
@click.option("--host", help="Address to show health and metrics on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, show_default="any that is free", help="Port to show them on.")
@data_options
def worker(host: str | None, port: int, settings: Settings) -> int:
    """Do a share of the work on a PostgreSQL database.

    Any number of them may run, on any machines. When one dies, the others take over what it had begun.
    """
    if not settings.database.startswith("postgresql"):
        raise click.UsageError(
            "a worker needs a PostgreSQL database (setting database): with SQLite `msgbot serve` does all the work"
        )
    return run_async(_run(_listening(settings, host, port), work=True, http=False))


def _listening(settings: Settings, host: str | None, port: int | None) -> Settings:
    changes: dict[str, Any] = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    return settings.model_copy(update=changes)


async def _run(settings: Settings, *, work: bool, http: bool) -> int:
    configure(settings.log_level, settings.log_format)
    asyncio.get_running_loop().set_debug(False)
    async with open_service(settings, work=work) as service:
        if http:
            first = await service.people.first_start(service.clock())
            if first is not None:
                click.echo(f"first start: the administrator's password and a token are in {_write_down(settings, first)}", err=True)
        app = application(service) if http else operation_only(service)
        await serve(app, service, settings.host, settings.port, lambda address: _say(address, settings, http=http))
        return STRUCK_OFF if service.struck_off else 0


def _say(address: str, settings: Settings, *, http: bool) -> None:
    if http:
        click.echo(f"msgbot serves {address} - what it can do: {address}/docs", err=True)
        click.echo(f"replies go to {settings.outbox_folder}", err=True)
    else:
        click.echo(f"msgbot works; its health is at {address}/healthz", err=True)


def _write_down(settings: Settings, first: FirstStart) -> Path:
    """Writes the secrets of the first start where only the owner reads them; they are never printed or logged."""
    path = settings.data / FIRST
    lines = (
        "Made when msgbot was started for the first time. Delete this file when you have put both in a safe place.",
        "",
        f"administrator: {first.user.name}",
        f"password:      {first.password}",
        f"token:         {first.token_text}",
        "",
    )
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; make a user with `msgbot user add`") from error
    with os.fdopen(file, "w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), 0o600)
        out.write("\n".join(lines))
        out.flush()
        os.fsync(out.fileno())
    return path
