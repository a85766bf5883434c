"""`msgbot cancel`: one order, past the guard."""

from __future__ import annotations

from pathlib import Path

import click

from msgbot.amazon.cancellation_files import CancellationRow, parse_reason, write_cancellation_file
from msgbot.cancel import Asking
from msgbot.cli.guard import print_reasons
from msgbot.cli.options import data_options, format_option, run_async
from msgbot.cli.output import console, print_json
from msgbot.config import Settings
from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.domain.message import ORDER_ID
from msgbot.plain.orders import ruling_data
from msgbot.wiring import open_office


@click.command()
@click.argument("order")
@click.option("--item", "items", multiple=True, help="Only this item (its item code); may be given more than once.")
@click.option("--reason", required=True, help="Why: " + ", ".join(f"'{reason.label}'" for reason in CancelReason) + ".")
@click.option(
    "--out", "upload", type=click.Path(path_type=Path, dir_okay=False), help="File to upload.  [default: cancel-ORDER.txt]"
)
@format_option("text", "json")
@data_options
def command(order: str, items: tuple[str, ...], reason: str, upload: Path | None, output: str, settings: Settings) -> int:
    """Ask the guard about one order.

    When the cancellation of ORDER is allowed, a file is written that can be uploaded in Seller Central. The exit code is 1 when
    it is not.
    """
    if not ORDER_ID.fullmatch(order):
        raise click.UsageError(f"{order!r} is not an order id; one looks like 114-0000001-0000001")
    parsed = parse_reason(reason)
    if parsed is None:
        known = ", ".join(each.label for each in CancelReason)
        raise click.UsageError(f"{reason!r} is no reason that Amazon knows; the reasons are: {known}")
    return run_async(_cancel(Proposal(order, parsed, items), upload or Path(f"cancel-{order}.txt"), output, settings))


async def _cancel(proposal: Proposal, upload: Path, output: str, settings: Settings) -> int:
    async with open_office(settings) as office:
        ruling = (await office.cancel.rule(settings.account, [proposal], [Asking("msgbot cancel")]))[0].ruling
        item_ids = proposal.item_ids or await office.cancel.item_ids(settings.account, proposal.order_id)
    # The template wants a reason and an item code together (domain.md section 4): the whole order is all of its items.
    rows = [CancellationRow(number, proposal.order_id, proposal.reason, item_id=item) for number, item in enumerate(item_ids, 3)]
    written = ruling.allowed and bool(rows)
    if written:
        upload.write_bytes(write_cancellation_file(rows))
    if output == "json":
        print_json({"order_id": proposal.order_id, **ruling_data(ruling), "file": str(upload) if written else None})
    else:
        out = console()
        word = "[good]allowed[/]" if ruling.allowed else "[bad]not allowed[/]"
        out.print(f"{word}  {proposal.order_id}  {proposal.reason.label if proposal.reason else ''}  [quiet]{ruling.code.value}[/]")
        print_reasons(out, ruling)
        if written:
            out.print(f"File to upload in Seller Central: {upload}", markup=False)
        elif ruling.allowed:
            out.print("No file was written: the item codes are not on file. Import an Unshipped Orders report,")
            out.print("or cancel in Seller Central.")
    return 0 if ruling.allowed else 1
