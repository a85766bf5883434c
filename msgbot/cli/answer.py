"""`msgbot answer`: the main job, on the user's own files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from msgbot.channels.files import Incoming, Unreadable, read_sources, sources_size
from msgbot.channels.outbox import FolderOutbox
from msgbot.cli.handled import Summary, handled_json, needs_nothing, print_handled, print_summary
from msgbot.cli.options import PastMoment, data_options, format_option, run_async
from msgbot.cli.orders import print_report
from msgbot.cli.output import console, print_json
from msgbot.config import Settings
from msgbot.domain.message import Message
from msgbot.drafts import write_drafts
from msgbot.engine import Failure
from msgbot.mailroom import Mailroom
from msgbot.office import Office, open_office
from msgbot.plain.messages import reply_data
from msgbot.store.database import copy_sqlite
from msgbot.take_orders import TakenReport
from msgbot.wiring import open_mailroom

LISTED = 100
"""Up to so many messages are all listed; beyond, only those that something was done about."""
_PATHS = click.Path(path_type=Path)
_FILES = click.Path(path_type=Path, exists=True, dir_okay=False)


@dataclass(frozen=True, slots=True)
class _Task:
    """What the user asked for."""

    mail: tuple[Path, ...]
    orders: tuple[Path, ...]
    as_of: datetime | None
    outbox: Path
    list_all: bool
    for_program: bool
    dry_run: bool


@click.command()
@click.argument("mail", nargs=-1, required=True, type=_PATHS)
@click.option("--orders", multiple=True, type=_FILES, help="Order report; may be given more than once.")
@click.option("--as-of", type=PastMoment(), help="When the order reports were made.  [default: now]")
@click.option("--outbox", type=_PATHS, default=Path("outbox"), show_default=True, help="Folder for the replies.")
@click.option("--all", "list_all", is_flag=True, help=f"List messages that need nothing even when there are more than {LISTED}.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
@format_option("text", "json")
@data_options
def command(
    mail: tuple[Path, ...],
    orders: tuple[Path, ...],
    as_of: datetime | None,
    outbox: Path,
    list_all: bool,
    dry_run: bool,
    output: str,
    settings: Settings,
) -> int:
    """Answer buyers' messages from files.

    MAIL is one or more of: .eml files, .mbox files, Maildir folders, folders of .eml files, and .jsonl or .csv files of messages.
    Replies that may go out are written to the outbox as .eml files, ready to send; what a person should look at first is written to
    OUTBOX/suggestions. A message that was answered before is not answered again, however often it is read.
    """
    task = _Task(mail, orders, as_of, outbox, list_all, output == "json", dry_run)
    if not dry_run:
        return run_async(_answer(task, settings))
    if settings.database:
        raise click.UsageError("--dry-run works with a database in a data folder only")
    with tempfile.TemporaryDirectory(prefix="msgbot-") as scratch:
        # The real thing on a copy of what is on file: so a dry run cannot differ from a run.
        copy = settings.model_copy(update={"data": Path(scratch) / "data"})
        copy_sqlite(settings.data / "msgbot.db", copy.data / "msgbot.db")
        return run_async(_answer(replace(task, outbox=Path(scratch) / "outbox"), copy))


@dataclass(slots=True)
class _Intake:
    """Feeds the mailroom and keeps what cannot be read."""

    progress: Progress
    task: Any
    unreadable: list[Unreadable] = field(default_factory=list)

    def messages(self, sources: Iterator[Incoming | Unreadable]) -> Iterator[tuple[Message, bytes]]:
        """The messages among `sources`, each with its raw content."""
        for each in sources:
            self.progress.update(self.task, completed=each.consumed)
            if isinstance(each, Unreadable):
                self.unreadable.append(each)
            else:
                yield each.message, each.raw


async def _answer(task: _Task, settings: Settings) -> int:
    out = console(stderr=task.for_program)
    async with open_office(settings, connected=True) as office:
        reports = await _take_orders(office, task, settings, out)
        async with open_mailroom(settings, office, FolderOutbox(task.outbox)) as mailroom:
            with Progress(TextColumn("{task.description}"), BarColumn(), console=console(stderr=True), transient=True) as progress:
                intake = _Intake(progress, progress.add_task("reading", total=sources_size(task.mail)))
                sources = read_sources(task.mail, account=settings.account, own_addresses=settings.own_addresses)
                taken = await mailroom.take_in(intake.messages(sources))
                deciding = progress.add_task("deciding", total=None)
                failures = await mailroom.answer_all(lambda left: progress.update(deciding, description=f"deciding ({left} left)"))
            if task.for_program:
                await _tell_program(mailroom, taken, intake.unreadable, failures, reports)
            else:
                await _tell_person(out, task, mailroom, taken, intake.unreadable, failures)
            if task.dry_run:
                out.print("[quiet]dry run: nothing was written[/]")
            else:
                write_drafts(await mailroom.suggestions(), await mailroom.stopped(), task.outbox / "suggestions", settings.store)
    skipped = any(report.report.skipped for report in reports)
    return 1 if intake.unreadable or failures or skipped else 0


async def _take_orders(office: Office, task: _Task, settings: Settings, out: Console) -> list[TakenReport]:
    reports = []
    for path in task.orders:
        report = await office.take_orders.report(settings.account, path.read_bytes(), str(path), task.as_of)
        reports.append(report)
        if not task.for_program:
            print_report(out, str(path), report)
    return reports


async def _tell_person(
    out: Console, task: _Task, mailroom: Mailroom, taken: dict[str, bool], unreadable: list[Unreadable], failures: list[Failure]
) -> None:
    summary = Summary()
    brief = len(taken) > LISTED and not task.list_all
    async for handled in mailroom.handled(taken):
        summary.add(handled)
        if not (brief and needs_nothing(handled)):
            print_handled(out, handled, with_file=not task.dry_run)
    if brief:
        out.print("[quiet]messages that need nothing are not listed; --all lists them[/]")
    for each in unreadable:
        out.print("[bad]unreadable[/]  ", end="")
        out.print(str(each), markup=False)
    for failure in failures:
        out.print(f"[bad]failed[/]  {escape(failure.subject)}: ", end="")
        out.print(failure.text, markup=False)
    print_summary(out, summary, len(unreadable), None if task.dry_run else task.outbox)


async def _tell_program(
    mailroom: Mailroom, taken: dict[str, bool], unreadable: list[Unreadable], failures: list[Failure], reports: list[TakenReport]
) -> None:
    messages = [handled_json(handled) async for handled in mailroom.handled(taken)]
    print_json(
        {
            "messages": messages,
            "unreadable": [
                {"origin": each.origin, "line": each.line, "column": each.column, "reason": each.reason} for each in unreadable
            ],
            "failed": [{"message": each.subject, "reason": each.text} for each in failures],
            "suggestions": [reply_data(reply, turn.message) for reply, turn in await mailroom.suggestions()],
            "orders": [
                {f"{each.report.part}s": each.report.parts, "orders": len(each.report.orders), "skipped": len(each.report.skipped)}
                for each in reports
            ],
        }
    )
