"""`msgbot adjust`: what was not shipped is taken off an order, past the guard."""

from __future__ import annotations

import re
from decimal import Decimal

import click

from msgbot.amazon.order_feeds import AMOUNT_KINDS
from msgbot.cli.hand_over import check_order, confirm_option, hand_over, wait_option
from msgbot.cli.options import data_options, format_option, run_async
from msgbot.config import Settings
from msgbot.domain.cancellation import Adjustment, AdjustReason, Amount

_AMOUNT = re.compile(r"(?P<kind>[A-Za-z]+)[= ](?P<amount>\d+(?:\.\d+)?) ?(?P<currency>[A-Z]{3})")


@click.command()
@click.argument("order")
@click.option("--item", required=True, help="The item (its item code).")
@click.option("--quantity", required=True, type=click.IntRange(1), help="How many of it.")
@click.option("--reason", required=True, help="Why: " + ", ".join(f"'{reason.label}'" for reason in AdjustReason) + ".")
@click.option("--refund", "refunds", required=True, multiple=True, help="What to give back: 'Principal=10.00 EUR', 'Tax=1.90 EUR'.")
@confirm_option
@wait_option
@format_option("text", "json")
@data_options
def command(
    order: str,
    item: str,
    quantity: int,
    reason: str,
    refunds: tuple[str, ...],
    confirm: str,
    wait: bool,
    output: str,
    settings: Settings,
) -> int:
    """Take what was not shipped off an order that was shipped in part, and give the money back.

    The guard rules on it as on a cancellation: 'Customer Cancel' needs the buyer's formal request for this item of ORDER. Needs an
    account that is connected to Amazon. The exit code is 1 when it is not allowed, or was not done.
    """
    check_order(order)
    parsed = next((each for each in AdjustReason if each.label.replace(" ", "").lower() == reason.replace(" ", "").lower()), None)
    if parsed is None:
        raise click.UsageError(f"{reason!r} is no reason for it; the reasons are: {', '.join(each.label for each in AdjustReason)}")
    if settings.account not in settings.amazon.accounts:
        raise click.UsageError(
            f"the account {settings.account!r} is not connected to Amazon (setting amazon): refund in Seller Central"
        )
    proposal = Adjustment(order, item, parsed, quantity, tuple(_amount(refund) for refund in refunds))
    return run_async(hand_over(proposal, "msgbot adjust", confirm, output, settings, wait=wait))


def _amount(text: str) -> Amount:
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or Decimal(found["amount"]) <= 0:
        raise click.UsageError(f"{text!r} is no amount to give back; write it like 'Principal=10.00 EUR'")
    kind = next((each for each in AMOUNT_KINDS if each.lower() == found["kind"].lower()), None)
    if kind is None:
        raise click.UsageError(f"{found['kind']!r} is no kind of amount; the kinds are: {', '.join(AMOUNT_KINDS)}")
    return Amount(kind, Decimal(found["amount"]), found["currency"])
