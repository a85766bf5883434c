"""`msgbot audit`: what became of informal requests, and the proof that the record was not changed."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from msgbot.audit import AuditReport
from msgbot.cli.options import Moment, data_options, format_option, run_async
from msgbot.cli.output import amazon_rate_text, console, print_json, words_of
from msgbot.config import Settings, load_settings
from msgbot.domain.outcome import Outcome
from msgbot.office import open_office
from msgbot.plain.audits import audit_data, case_data, proof_data

_WORDS = {
    Outcome.FORMAL_REQUEST: "the buyer filed the formal request: cancelling is free",
    Outcome.WITHDRAWN: "the buyer took it back",
    Outcome.CANCELLED_INFORMALLY: "cancelled without a formal request: counts",
    Outcome.CANCELLED_BY_AMAZON: "cancelled by Amazon: does not count",
    Outcome.CANCELLED_BY_BUYER: "cancelled by the buyer alone: does not count",
    Outcome.SHIPPED: "the order was shipped",
    Outcome.OPEN: "open: no formal request yet",
    Outcome.UNKNOWN: "unknown: the orders on file do not tell",
}


@click.group(invoke_without_command=True)
@click.option("--from", "since", type=Moment(), help="From this time or day on.")
@click.option("--to", "until", type=Moment(), help="Before this time or day.")
@format_option("table", "json", "csv")
@data_options
@click.pass_context
def command(context: click.Context, since: Any, until: Any, output: str, settings: Settings) -> int:
    """Show what became of informal requests, which cancellations were ruled on, and which orders were cancelled on a message
    alone."""
    context.obj = settings
    return 0 if context.invoked_subcommand else run_async(_report(since, until, output, settings))


@command.command()
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of the database; may stand before `verify`, too."
)
@click.option("--account", help="Name of the seller account; may stand before `verify`, too.")
@click.option("--all", "everyone", is_flag=True, help="The chains of all accounts.")
@format_option("text", "json")
@click.pass_context
def verify(context: click.Context, data: Path | None, account: str | None, everyone: bool, output: str) -> int:
    """Prove that the audit trail was not changed, or name the first entry where it was. The exit code is then 1."""
    given: Settings = context.obj
    settings = load_settings(data=data or given.data, account=account or given.account)
    return run_async(_verify(settings, everyone, output))


async def _verify(settings: Settings, everyone: bool, output: str) -> int:
    async with open_office(settings) as office:
        proofs = await office.audit.verify(None if everyone else settings.account)
    if output == "json":
        print_json([proof_data(proof) for proof in proofs])
    else:
        for proof in proofs:
            if proof.broken:
                click.echo(f"BROKEN: {proof.broken}")
            else:
                click.echo(f"account {proof.account}: {proof.entries} entries, the chain holds; its head is {proof.head}")
    return 1 if any(proof.broken for proof in proofs) else 0


async def _report(since: Any, until: Any, output: str, settings: Settings) -> int:
    async with open_office(settings) as office:
        report = await office.audit.report(settings.account, since, until)
    if output == "json":
        print_json(audit_data(report))
    elif output == "csv":
        _print_csv(report)
    else:
        print_audit(console(), report)
    return 0


def print_audit(out: Console, report: AuditReport) -> None:
    """The audit for people."""
    period = " ".join(
        f"{word} {moment:%Y-%m-%d %H:%M}" for word, moment in (("from", report.since), ("to", report.until)) if moment
    )
    out.print(f"[head]Informal requests[/] of account {report.account}{' ' + period if period else ''}: {len(report.cases)}")
    for outcome, count in report.outcomes.items():
        if count:
            style = "bad" if outcome is Outcome.CANCELLED_INFORMALLY else "quiet" if outcome is Outcome.WITHDRAWN else "head"
            out.print(f"  [{style}]{count:4}[/]  {_WORDS[outcome]}")
    for case in report.cancelled_informally:
        asked = f"{case.asked_at:%Y-%m-%d %H:%M}"
        words = words_of(case.message, 60)
        out.print(f"  [bad]cancelled on a message alone[/]: order {escape(case.order_id)}, asked {asked}: {words}")
    for order_id in report.solicited:
        out.print(
            f"  [bad]solicited[/]: on order {escape(order_id or '?')} the seller asked for a formal request, unasked by the buyer"
        )
    outcomes = Counter(ruling.outcome.replace("_", " ") for ruling in report.rulings)
    codes = Counter(ruling.code.replace("_", " ") for ruling in report.rulings)
    counts = "".join(f", {count} {name}" for name, count in sorted(outcomes.items()))
    out.print(f"[head]Cancellations ruled on[/]: {len(report.rulings)}{counts}")
    if codes:
        out.print("  " + ", ".join(f"{name} {count}" for name, count in codes.most_common()))
    out.print(f"[head]Cancellation Rate[/], 7 days, from the orders on file: {report.rate}; the target is below 2.5%")
    for rate in report.amazon_rates:
        out.print(f"  Amazon's own: {amazon_rate_text(rate)}", markup=False)


def _print_csv(report: AuditReport) -> None:
    rows = [case_data(case) for case in report.cases]
    names = list(rows[0]) if rows else ["order_id", "message_id", "asked_at", "outcome"]
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
