"""Cancellations of an order taken back from the command line: those that wait, and those of which nobody can tell."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from msgbot.cancel import Asking
from msgbot.cli.hand_over import SAID
from msgbot.cli.output import console, print_json
from msgbot.config import Settings
from msgbot.office import open_office
from msgbot.plain.orders import cancellation_data
from msgbot.store import cancellations
from msgbot.store.cancellations import OPEN, WITHDRAWABLE, Cancellation, CancellationState


async def withdraw(order_id: str, origin: str, output: str, settings: Settings) -> int:
    """Takes back what waits or is unsure of an order, in the name of the command `origin`; the exit code: 1 when there is nothing
    to take back, or Amazon has some of it."""
    out = console(stderr=output == "json")
    withdrawn: list[Cancellation] = []
    too_late: list[Cancellation] = []
    async with open_office(settings) as office:
        async with office.database.reading() as connection:
            found = await cancellations.of_orders(connection, settings.account, [order_id], OPEN)
        for known in found:
            if known.state not in WITHDRAWABLE:
                too_late.append(known)
                out.print(f"[bad]too late[/]   {_named(known)}  {SAID[known.state]}")
                continue
            withdrawn.append(await office.cancel.withdraw(settings.account, known.id, Asking(origin, origin)))
            _print_withdrawn(out, known)
    if not found:
        out.print(f"Nothing of {order_id} waits or is unsure: there is nothing to take back.")
    if output == "json":
        taken, left = ([cancellation_data(each) for each in some] for some in (withdrawn, too_late))
        print_json({"order_id": order_id, "withdrawn": taken, "too_late": left})
    return 0 if withdrawn and not too_late else 1


def _print_withdrawn(out: Console, known: Cancellation) -> None:
    note = f": {escape(known.note)}" if known.note else ""
    out.print(f"[good]withdrawn[/]  {_named(known)}  it was {known.state.value}{note}")
    if known.state is CancellationState.UNSURE:
        out.print("    If Amazon has it all the same, it may still be done. Before you ask for it again, see in Seller Central")
        out.print("    that it was not.")


def _named(known: Cancellation) -> str:
    what = "adjustment" if known.adjustment is not None else "cancellation"
    return f"{what} {known.id} of {known.order_id}"
