"""`msgbot guard`: a cancellation file, ruled on row by row."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from msgbot.amazon.cancellation_files import CancellationRow, write_cancellation_file
from msgbot.cli.options import data_options, format_option, run_async
from msgbot.cli.output import console, print_json
from msgbot.config import Settings
from msgbot.domain.guard import Outcome, Ruling
from msgbot.office import open_office
from msgbot.plain.orders import row_data

_PATIENCE = 3_600.0
"""Seconds that the orders of a file may take to be read from Amazon."""
_SHOWN = {Outcome.ALLOWED: "[good]allowed[/]", Outcome.BLOCKED: "[bad]BLOCKED[/]", Outcome.NEEDS_CONFIRMATION: "[care]CONFIRM[/]"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out", "clean", type=click.Path(path_type=Path, dir_okay=False), help="Write a clean file with only the allowed rows."
)
@format_option("text", "json")
@data_options
def command(file: Path, clean: Path | None, output: str, settings: Settings) -> int:
    """Check a cancellation file row by row.

    FILE is Amazon's order cancellation template. Each row is ruled on with the orders and messages on file; with an account that is
    connected to Amazon, the orders are read again before. The exit code is 1 when any row was not allowed.
    """
    return run_async(_guard(file, clean, output, settings))


async def _guard(file: Path, clean: Path | None, output: str, settings: Settings) -> int:
    connected = settings.account in settings.amazon.accounts
    if connected and output != "json":
        console().print("Reading the orders from Amazon, which lets an account read one every two seconds ...", style="quiet")
    async with open_office(settings, connected=connected) as office:
        rows, rulings = await office.cancel.rule_file(settings.account, file.read_bytes(), str(file), patience=_PATIENCE)
    if clean is not None:
        clean.write_bytes(write_cancellation_file(row for row, ruling in zip(rows, rulings, strict=True) if ruling.allowed))
    if output == "json":
        print_json(
            {
                "rows": [row_data(row, ruling) for row, ruling in zip(rows, rulings, strict=True)],
                "clean": str(clean) if clean else None,
            }
        )
    else:
        out = console()
        print_rulings(out, rows, rulings)
        if clean is not None:
            out.print(f"The allowed rows are in {clean}.", markup=False)
    return 0 if all(ruling.allowed for ruling in rulings) else 1


def print_rulings(out: Console, rows: list[CancellationRow], rulings: list[Ruling]) -> None:
    """Each row with its ruling, and the count."""
    for row, ruling in zip(rows, rulings, strict=True):
        reason = row.reason.label if row.reason else row.reason_text or "no reason"
        item = f"  item {row.item_id}" if row.item_id else ""
        what = escape(f"{row.order_id}{item}  {reason}")
        out.print(f"{_SHOWN[ruling.outcome]}  line {row.line}  {what}  [quiet]{ruling.code.value}[/]")
        print_reasons(out, ruling)
    allowed = sum(ruling.allowed for ruling in rulings)
    out.print()
    out.print(f"[head]{len(rows)} rows[/]: {allowed} allowed, {len(rows) - allowed} not allowed")


def print_reasons(out: Console, ruling: Ruling) -> None:
    """Why, and the way out."""
    for reason in ruling.reasons:
        out.print(f"    {reason}", markup=False)
    if ruling.way_out:
        out.print(f"    what to do: {ruling.way_out}", markup=False)
