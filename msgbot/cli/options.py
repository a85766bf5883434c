"""Options that several commands share, and times as people type them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from msgbot.clock import system_clock
from msgbot.config import load_settings
from msgbot.logs import configure

Command = TypeVar("Command", bound=Callable[..., Any])
_data = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of the database.  [default: msgbot-data]"
)


def data_options(command: Command) -> Command:
    """Adds `--data` and `--account`, and passes the command its `settings` instead."""

    @wraps(command)
    def with_settings(*args: Any, data: Path | None, account: str | None, **kwargs: Any) -> Any:
        return command(*args, settings=load_settings(data=data, account=account), **kwargs)

    account = click.option("--account", help="Name of the seller account.  [default: main]")
    return _data(account(with_settings))  # type: ignore[return-value]


def data_option(command: Command) -> Command:
    """Adds `--data` to a command that is not about one account, and passes it its `settings` instead."""

    @wraps(command)
    def with_settings(*args: Any, data: Path | None, **kwargs: Any) -> Any:
        return command(*args, settings=load_settings(data=data), **kwargs)

    return _data(with_settings)  # type: ignore[return-value]


def format_option(*choices: str) -> Callable[[Command], Command]:
    """Adds `--format` with these choices; the first is the default."""
    return click.option(
        "--format", "output", type=click.Choice(choices), default=choices[0], show_default=True, help="For people or for programs."
    )


class Moment(click.ParamType[datetime]):
    """A time or a day (`2026-11-20`, `2026-11-20T14:30`, `2026-11-20T14:30+01:00`); UTC unless it says otherwise."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time, aware."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time; write 2026-11-20 or 2026-11-20T14:30", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class PastMoment(Moment):
    """A time that has been: facts from the future would never grow old."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time, aware."""
        moment = super().convert(value, param, ctx)
        if moment > system_clock():
            self.fail(f"{value!r} lies in the future", param, ctx)
        return moment


def run_async(work: Coroutine[Any, Any, int]) -> int:
    """Runs `work` to its end; its exit code. A command says what it has to say itself; the service sets its own log."""
    configure("error", "text")
    return asyncio.run(work)
