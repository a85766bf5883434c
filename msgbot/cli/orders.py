"""`msgbot orders`: take order reports and saved answers in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from msgbot.cli.options import PastMoment, data_options, format_option, run_async
from msgbot.cli.output import console, print_json
from msgbot.config import Settings
from msgbot.errors import InputError
from msgbot.office import open_office
from msgbot.take_orders import TakenReport

_OLD_HOURS = 24


@click.group()
def command() -> None:
    """Take order reports and saved answers in."""


@command.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE...")
@click.option("--as-of", type=PastMoment(), help="When the reports or answers were made.  [default: now]")
@format_option("text", "json")
@data_options
def import_reports(files: tuple[Path, ...], as_of: Any, output: str, settings: Settings) -> int:
    """Take order reports in: unshipped orders, order reports, and all-orders reports, tab-separated as Amazon delivers them. Also
    saved answers: MWS ListOrders and ListOrderItems in XML, and the Orders API v0 and 2026-01-01 in JSON.

    Says what was read, what was skipped and why, and whether the file tells of formal requests at all. Newer facts replace older
    ones; a formal request, once on file, stays.
    """
    return run_async(_import(files, as_of, output, settings))


async def _import(files: tuple[Path, ...], as_of: Any, output: str, settings: Settings) -> int:
    out = console(stderr=output == "json")
    reports: list[dict[str, Any]] = []
    code = 0
    async with open_office(settings) as office:
        for path in files:
            try:
                taken = await office.take_orders.report(settings.account, path.read_bytes(), str(path), as_of)
            except InputError as error:
                # One file that cannot be read does not keep the others out.
                out.print(f"[bad]not read[/]  {escape(str(error))}")
                reports.append({"file": str(path), "error": str(error)})
                code = 1
                continue
            if taken.report.skipped:
                code = 1
            if output == "json":
                reports.append(report_json(str(path), taken))
            else:
                print_report(out, str(path), taken)
                _warn_if_old(out, path, as_of)
    if output == "json":
        print_json({"reports": reports})
    return code


def _warn_if_old(out: Console, path: Path, as_of: datetime | None) -> None:
    hours = (datetime.now(UTC).timestamp() - path.stat().st_mtime) / 3600
    if as_of is None and hours > _OLD_HOURS:
        out.print(
            f"    [care]the file was last changed {int(hours)} hours ago: if the report is that old, give its time with --as-of[/]"
        )


def print_report(out: Console, name: str, taken: TakenReport) -> None:
    """What was read from a file and what it changed."""
    report, changes = taken.report, taken.taken
    out.print(
        f"[head]{escape(name)}[/]: {_counted(report.parts, report.part)}, {_counted(len(report.orders), 'order')}; "
        f"{escape(report.kind)}"
    )
    out.print(
        f"    {len(changes.new)} new, {len(changes.changed)} changed, {len(changes.older)} older than what is on file; "
        f"formal requests: {len(taken.filed.new)} new"
        + (f", {len(taken.filed.denied)} on file that this file denies" if taken.filed.denied else "")
        + (f", {len(taken.filed.confirmed)} denied before that it confirms" if taken.filed.confirmed else "")
    )
    if not report.tells_of_requests:
        out.print("    [care]nothing is said of formal requests: whether a buyer filed one is unknown[/]")
    for note in report.notes:
        out.print(f"    {note}", markup=False)
    for skipped in report.skipped:
        out.print("    [bad]skipped[/] " + (f"line {skipped.line}: " if skipped.line else ""), end="")
        out.print(skipped.reason, markup=False)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def report_json(name: str, taken: TakenReport) -> dict[str, Any]:
    """What was read from a file, as plain data."""
    report, changes = taken.report, taken.taken
    return {
        "file": name,
        "kind": report.kind,
        f"{report.part}s": report.parts,
        "orders": len(report.orders),
        "new": len(changes.new),
        "changed": len(changes.changed),
        "older": len(changes.older),
        "formal_requests": [request.order_id for request in taken.filed.new],
        "formal_requests_denied": [request.order_id for request in taken.filed.denied],
        "tells_of_formal_requests": report.tells_of_requests,
        "formal_requests_confirmed": [request.order_id for request in taken.filed.confirmed],
        "notes": list(report.notes),
        "skipped": [{"line": skipped.line, "reason": skipped.reason} for skipped in report.skipped],
        **report.details,
    }
