"""`msgbot prune`: personal data that is old enough, removed."""

from __future__ import annotations

import dataclasses
from typing import Any

import click
from rich.console import Console

from msgbot.cli.options import data_option, format_option, run_async
from msgbot.cli.output import console, print_json
from msgbot.config import Settings
from msgbot.office import open_office
from msgbot.prune import Pruned


@click.command()
@click.option("--days", type=click.IntRange(min=1), help="Remove what was taken in longer ago.  [default: the setting keep_days]")
@click.option("--dry-run", is_flag=True, help="Count what would be removed; remove nothing.")
@format_option("text", "json")
@data_option
def command(days: int | None, dry_run: bool, output: str, settings: Settings) -> int:
    """Remove personal data that is old enough, in all accounts.

    Of messages taken in longer ago, words, names, addresses and the raw mail are deleted, and the texts of the replies to them.
    What happened stays: ids, times, decisions, rulings, and the audit trail, which still verifies. Deliveries of webhooks as old
    go, too, and idempotency keys after a day. A service may go on working meanwhile.

    The exit code is 1 when messages as old had to stay, because nobody has decided on them or their reply is on its way.
    """
    days = days or settings.keep_days
    if not days:
        raise click.UsageError("after how many days? Give --days, or the setting keep_days")
    return run_async(_prune(days, dry_run, output, settings))


async def _prune(days: int, dry_run: bool, output: str, settings: Settings) -> int:
    out = console()
    async with open_office(settings) as office:
        if dry_run:
            pruned = await office.prune.dry_run(days)
        else:
            with console(stderr=True).status("removing") as status:
                pruned = await office.prune.run(days, on_progress=lambda done: status.update(f"removing: {done:,} messages"))
    if output == "json":
        print_json(_plain(pruned))
    else:
        _print(out, pruned, days, dry_run)
    return 1 if pruned.waiting else 0


def _print(out: Console, pruned: Pruned, days: int, dry_run: bool) -> None:
    said = "Would be removed" if dry_run else "Removed"
    out.print(f"[head]{said}[/], from before {pruned.before:%Y-%m-%d %H:%M} UTC ({days} days):")
    out.print(f"{pruned.messages:9,}  messages: words, names, addresses, raw mail")
    out.print(f"{pruned.replies:9,}  replies to them: texts")
    out.print(f"{pruned.deliveries:9,}  deliveries of webhooks")
    out.print(f"{pruned.keys:9,}  idempotency keys older than a day")
    if not dry_run:
        out.print(f"{pruned.workflows:9,}  workflows that had ended")
    if pruned.waiting:
        out.print(f"[care]{pruned.waiting:,} messages as old stay[/]: nobody has decided on them, or their reply is on its way.")
        out.print("`msgbot answer`, or a running service, takes them up again.")


def _plain(pruned: Pruned) -> dict[str, Any]:
    return {**dataclasses.asdict(pruned), "before": pruned.before.isoformat()}
