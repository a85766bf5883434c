"""A proposal handed to Amazon from the command line: what the guard says, and what becomes of it."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console

from msgbot.cancel import Asking, Proposed, Ruled
from msgbot.cli import waiting
from msgbot.cli.guard import print_reasons
from msgbot.cli.output import console, print_json
from msgbot.config import Settings
from msgbot.domain.guard import Outcome
from msgbot.domain.message import ORDER_ID
from msgbot.office import Office, open_office
from msgbot.plain.orders import cancellation_data, ruling_data
from msgbot.store.cancellations import Cancellation, CancellationState

ENDED = {
    CancellationState.DONE,
    CancellationState.LAPSED,
    CancellationState.REFUSED,
    CancellationState.UNSURE,
    CancellationState.BY_HAND,
}
SAID = {
    CancellationState.READY: "waits to be handed to Amazon",
    CancellationState.BY_HAND: "must be done by a person in Seller Central",
    CancellationState.SUBMITTED: "is on its way to Amazon",
    CancellationState.ACCEPTED: "was taken by Amazon; the order is read again until it is seen cancelled",
    CancellationState.DONE: "is done",
    CancellationState.LAPSED: "is not to be done any more",
    CancellationState.REFUSED: "was refused by Amazon",
    CancellationState.UNSURE: "may or may not have reached Amazon: look at the order in Seller Central",
}
confirm_option = click.option("--confirm", default="", help="Code of a ruling that needs confirmation, to confirm it.")
wait_option = click.option("--wait", is_flag=True, help="Show what becomes of it, and end when Amazon has done it or not.")


def check_order(order: str) -> None:
    """Raises UsageError for what is no order id."""
    if not ORDER_ID.fullmatch(order):
        raise click.UsageError(f"{order!r} is not an order id; one looks like 114-0000001-0000001")


async def hand_over(proposal: Proposed, origin: str, confirm: str, output: str, settings: Settings, *, wait: bool) -> int:
    """Asks for what is proposed in the name of the command `origin`, and with `wait` shows what becomes of it; the exit code."""
    out = console(stderr=output == "json")
    async with open_office(settings, connected=True) as office:
        ruled = await office.cancel.request(settings.account, proposal, Asking(origin), confirm=confirm)
        made = ruled.cancellation
        _print_ruled(out, proposal, ruled)
        if made is not None and wait:
            made = await _follow(out, office, settings, made)
        elif made is not None:
            out.print(f"Cancellation {made.id} waits to be handed to Amazon by `msgbot serve`; --wait does it here and now.")
        if output == "json":
            print_json(
                {
                    "order_id": proposal.order_id,
                    **ruling_data(ruled.ruling),
                    "cancellation": cancellation_data(made) if made is not None else None,
                }
            )
    if made is None:
        return 1
    return 0 if made.state not in ENDED or made.state is CancellationState.DONE else 1


def _print_ruled(out: Console, proposal: Proposed, ruled: Ruled) -> None:
    confirmed = ruled.cancellation is not None and ruled.ruling.outcome is Outcome.NEEDS_CONFIRMATION
    word = "[good]allowed[/]" if ruled.ruling.allowed else "[care]confirmed[/]" if confirmed else "[bad]not allowed[/]"
    label = proposal.reason.label if proposal.reason else ""
    out.print(f"{word}  {proposal.order_id}  {label}  [quiet]{ruled.ruling.code.value}[/]")
    print_reasons(out, ruled.ruling)
    if ruled.cancellation is None and ruled.ruling.outcome is Outcome.NEEDS_CONFIRMATION:
        out.print(f"    to go on all the same: --confirm {ruled.ruling.code.value}", markup=False)


async def _follow(out: Console, office: Office, settings: Settings, made: Cancellation) -> Cancellation:
    """Shows what becomes of a cancellation until it has come to its end; hands it over here, if nobody else does."""
    told: Any = None

    async def ended() -> bool:
        nonlocal made, told
        made = await office.cancel.get(settings.account, made.id)
        if told != (made.state, made.note):
            told = (made.state, made.note)
            note = f": {made.note}" if made.note else ""
            out.print(f"    {made.changed_at:%H:%M:%S} {made.state.value}: it {SAID[made.state]}{note}", markup=False)
        return made.state in ENDED

    await waiting.wait(out, settings, office, ended)
    if made.state is CancellationState.REFUSED:
        out.print("    what to do: look at the order in Seller Central; if it still stands, ask again", markup=False)
    return made
