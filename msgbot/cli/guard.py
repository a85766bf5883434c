"""`msgbot guard`: a cancellation file, ruled on row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from msgbot.amazon.cancellation_files import CancellationRow, read_cancellation_file, write_cancellation_file
from msgbot.cli.options import data_options, format_option, run_async
from msgbot.cli.output import console, print_json
from msgbot.config import Settings
from msgbot.domain.cancellation import Proposal
from msgbot.domain.guard import Outcome, Ruling, RulingCode
from msgbot.wiring import Office, open_office

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

    FILE is Amazon's order cancellation template. Each row is ruled on with the orders and messages on file. The exit code is 1
    when any row was not allowed.
    """
    return run_async(_guard(file, clean, output, settings))


async def _guard(file: Path, clean: Path | None, output: str, settings: Settings) -> int:
    async with open_office(settings) as office:
        rows, rulings = await rule_on_file(office, settings.account, file)
    if clean is not None:
        clean.write_bytes(write_cancellation_file(row for row, ruling in zip(rows, rulings, strict=True) if ruling.allowed))
    if output == "json":
        print_json(
            {
                "rows": [row_json(row, ruling) for row, ruling in zip(rows, rulings, strict=True)],
                "clean": str(clean) if clean else None,
            }
        )
    else:
        out = console()
        print_rulings(out, rows, rulings)
        if clean is not None:
            out.print(f"The allowed rows are in {clean}.", markup=False)
    return 0 if all(ruling.allowed for ruling in rulings) else 1


async def rule_on_file(office: Office, account: str, file: Path) -> tuple[list[CancellationRow], list[Ruling]]:
    """The rows of a cancellation file and the ruling on each. Raises InputError when it is no such file."""
    rows = list(read_cancellation_file(file.read_bytes(), str(file)).rows)
    sound = [row for row in rows if not row.flaws]
    proposals = [Proposal(row.order_id, row.reason, (row.item_id,) if row.item_id else ()) for row in sound]
    made = iter(await office.cancel.rule(account, proposals, [f"{file.name} line {row.line}" for row in sound]))
    return rows, [_flawed(row) if row.flaws else next(made) for row in rows]


def _flawed(row: CancellationRow) -> Ruling:
    return Ruling(Outcome.BLOCKED, RulingCode.UNREADABLE, row.flaws, "correct the row; Amazon would refuse it")


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


def ruling_json(ruling: Ruling) -> dict[str, Any]:
    """A ruling as plain data."""
    return {
        "outcome": ruling.outcome.value,
        "code": ruling.code.value,
        "reasons": list(ruling.reasons),
        "way_out": ruling.way_out,
        "counts": ruling.counts,
        "items_without_request": list(ruling.items_without_request),
        "can_be_overridden": ruling.can_be_overridden,
    }


def row_json(row: CancellationRow, ruling: Ruling) -> dict[str, Any]:
    """A row and its ruling as plain data."""
    reason = row.reason.value if row.reason else row.reason_text
    return {"line": row.line, "order_id": row.order_id, "item_id": row.item_id, "reason": reason, **ruling_json(ruling)}
