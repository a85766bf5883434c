"""`msgbot demo`: a sample mailbox and order reports through the real thing, in a folder of their own."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path

import click
from rich.console import Console

from msgbot.amazon.cancellation_files import write_cancellation_file
from msgbot.channels.files import Unreadable, read_sources
from msgbot.channels.outbox import FolderOutbox
from msgbot.cli.audit import print_audit
from msgbot.cli.guard import print_rulings
from msgbot.cli.handled import Summary, print_handled, print_summary
from msgbot.cli.options import run_async
from msgbot.cli.orders import print_report
from msgbot.cli.output import console
from msgbot.config import Settings, load_settings
from msgbot.drafts import write_drafts
from msgbot.office import Office, open_office
from msgbot.store.database import migrate_database
from msgbot.wiring import open_mailroom

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""The demo's clock stands still, so that it says the same on every day."""
FOLDER = Path("msgbot-demo")
OWN_ADDRESS = "orders@lindgrove-home.example"


@click.command()
@click.option("--live", is_flag=True, help="Show the service connected to a fake Amazon instead; needs no network.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to work.  [default: msgbot-demo, or msgbot-demo-live]",
)
def command(live: bool, folder: Path | None) -> int:
    """Show msgbot at work on a sample mailbox.

    48 mails and two order reports of an invented seller go through the real thing, in a folder of their own. Run it twice: the
    second run changes nothing and answers nobody again.

    With --live, a buyer's message, a formal request and a cancellation go their whole way between the service and an Amazon that
    runs in the same process, in half a minute.
    """
    if live:
        from msgbot.cli import demo_live

        return run_async(demo_live.live_demo(folder or demo_live.FOLDER))
    with as_file(files("msgbot.demo") / "world") as world:
        return run_async(_demo(world, folder or FOLDER))


async def _demo(world: Path, folder: Path) -> int:
    settings = load_settings(
        data=folder / "data",
        account="lindgrove",
        store="Lindgrove Home",
        own_addresses=frozenset({OWN_ADDRESS}),
        database="",
        undo_seconds=0.0,
    )
    out = console()
    # The folder may be left from an earlier release. Nobody's data are in it.
    await migrate_database(settings.database_address)
    async with open_office(settings, lambda: NOW) as office:
        await _orders(out, office, settings, world)
        await _mail(out, office, settings, world, folder / "outbox")
        await _guard(out, office, settings, world, folder / "cancellations-clean.txt")
        _head(out, "4. The audit")
        print_audit(out, await office.audit.report(settings.account))
        for proof in await office.audit.verify(settings.account):
            out.print(
                f"Audit trail: {proof.entries} entries, "
                + (f"[bad]broken[/]: {proof.broken}" if proof.broken else "the chain holds.")
            )
    _what_next(out, folder)
    return 0


def _head(out: Console, title: str) -> None:
    out.print()
    out.rule(f"[head]{title}[/]", align="left")


async def _orders(out: Console, office: Office, settings: Settings, world: Path) -> None:
    _head(out, "1. Order reports")
    for name in ("orders-all.txt", "orders-unshipped.txt"):
        print_report(out, name, await office.take_orders.report(settings.account, (world / name).read_bytes(), name))


async def _mail(out: Console, office: Office, settings: Settings, world: Path, outbox: Path) -> None:
    _head(out, "2. The mailbox: what was decided about each message, and why")
    async with open_mailroom(settings, office, FolderOutbox(outbox), lambda: NOW) as mailroom:
        sources = read_sources([world / "mail"], account=settings.account, own_addresses=settings.own_addresses)
        taken = await mailroom.take_in((each.message, each.raw) for each in sources if not isinstance(each, Unreadable))
        await mailroom.answer_all()
        everything = [handled async for handled in mailroom.handled(taken)]
        write_drafts(await mailroom.suggestions(), await mailroom.stopped(), outbox / "suggestions", settings.store)
    summary = Summary()
    for handled in everything:
        print_handled(out, handled)
        summary.add(handled)
    print_summary(out, summary, 0, outbox)
    first = next((handled.reply for handled in everything if handled.reply is not None and handled.reply.delivered_to), None)
    if first is not None:
        out.print()
        out.print("One of the replies:", style="head")
        for line in first.body.rstrip().split("\n"):
            out.print(f"  │ {line}", markup=False, style="quiet")


async def _guard(out: Console, office: Office, settings: Settings, world: Path, clean: Path) -> None:
    _head(out, "3. A cancellation file, ruled on row by row")
    file = world / "cancellations.txt"
    rows, rulings = await office.cancel.rule_file(settings.account, file.read_bytes(), file.name)
    clean.write_bytes(write_cancellation_file(row for row, ruling in zip(rows, rulings, strict=True) if ruling.allowed))
    print_rulings(out, rows, rulings)
    out.print(f"The allowed rows: {clean}", markup=False)


def _what_next(out: Console, folder: Path) -> None:
    _head(out, "What to try next")
    if shutil.which("msgbot") is None:
        # Run from its own environment, which this shell does not know yet.
        out.print(f"  source {Path(sys.prefix) / 'bin' / 'activate'}", markup=False, style="head")
        out.print("      so that the shell finds msgbot")
    for line, words in (
        (f"ls {folder}/outbox", "the replies, ready to send; a person's work is in suggestions/"),
        ("msgbot demo", "once more: nothing changes, nobody is answered twice"),
        ("msgbot demo --live", "the service connected to a fake Amazon: from the message to the cancelled order"),
        ('msgbot try "pls cancle my order"', "what the detector sees, and the reply"),
        ("msgbot answer YOUR.mbox --orders YOUR-REPORT.txt --dry-run", "the same on your own mail; writes nothing"),
        (f"msgbot audit --data {folder}/data --account lindgrove", "the audit; with --format csv for a spreadsheet"),
    ):
        out.print(f"  {line}", markup=False, style="head")
        out.print(f"      {words}", markup=False)
