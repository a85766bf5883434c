"""`msgbot cancel`: one order, past the guard, to Amazon or into a file to upload; or what was asked for before, taken back."""

from __future__ import annotations

from pathlib import Path

import click

from msgbot.amazon.cancellation_files import CancellationRow, parse_reason, write_cancellation_file
from msgbot.cancel import Asking
from msgbot.cli.guard import print_reasons
from msgbot.cli.hand_over import check_order, confirm_option, hand_over, wait_option
from msgbot.cli.options import data_options, format_option, run_async
from msgbot.cli.output import console, print_json
from msgbot.cli.withdraw import withdraw
from msgbot.config import Settings
from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.office import open_office
from msgbot.plain.orders import ruling_data

ORIGIN = "msgbot cancel"


@click.command()
@click.argument("order")
@click.option("--item", "items", multiple=True, help="Only this item (its item code); may be given more than once.")
@click.option("--reason", default="", help="Why: " + ", ".join(f"'{reason.label}'" for reason in CancelReason) + ".")
@click.option("--withdraw", "takes_back", is_flag=True, help="Take back what waits or is unsure of this order, and cancel nothing.")
@confirm_option
@wait_option
@click.option(
    "--out",
    "upload",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a file to upload by hand, and hand nothing to Amazon.  [default without Amazon: cancel-ORDER.txt]",
)
@format_option("text", "json")
@data_options
def command(
    order: str,
    items: tuple[str, ...],
    reason: str,
    takes_back: bool,
    confirm: str,
    wait: bool,
    upload: Path | None,
    output: str,
    settings: Settings,
) -> int:
    """Cancel one order, if the guard allows it.

    With an account that is connected to Amazon, ORDER is read again, and handed to Amazon when the guard allows it. Without, a file
    is written that can be uploaded in Seller Central. The exit code is 1 when it is not allowed, or was not done.

    With --withdraw, what was asked for before is taken back, as long as Amazon does not have it. A cancellation that is unsure is
    settled so, too: look at ORDER in Seller Central first. The exit code is 1 when nothing was taken back, or Amazon has some of
    it.
    """
    check_order(order)
    if takes_back:
        if reason or items or confirm or wait or upload is not None:
            raise click.UsageError("--withdraw goes with no --item, --reason, --confirm, --wait and --out: it is for all of ORDER")
        return run_async(withdraw(order, ORIGIN, output, settings))
    if not reason:
        raise click.UsageError("give a --reason, or --withdraw to take back what was asked for")
    parsed = parse_reason(reason)
    if parsed is None:
        known = ", ".join(each.label for each in CancelReason)
        raise click.UsageError(f"{reason!r} is no reason that Amazon knows; the reasons are: {known}")
    proposal = Proposal(order, parsed, items)
    if settings.account in settings.amazon.accounts and upload is None:
        return run_async(hand_over(proposal, ORIGIN, confirm, output, settings, wait=wait))
    if wait or confirm:
        raise click.UsageError("--wait and --confirm need an account that is connected to Amazon, and no --out")
    return run_async(_write(proposal, upload or Path(f"cancel-{order}.txt"), output, settings))


async def _write(proposal: Proposal, upload: Path, output: str, settings: Settings) -> int:
    async with open_office(settings, connected=settings.account in settings.amazon.accounts) as office:
        ruling = (await office.cancel.rule(settings.account, [proposal], [Asking(ORIGIN)]))[0].ruling
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
