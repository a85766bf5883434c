"""What commands print: one console for people, and values made plain for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.theme import Theme

from msgbot.amazon.marketplaces import by_id
from msgbot.amazon.performance_report import AmazonRate
from msgbot.domain.conversation import Turn

Each = TypeVar("Each")
_CONDITIONS = {"LESS_THAN": "below", "GREATER_THAN": "above"}
THEME = Theme({"good": "green", "care": "yellow", "bad": "red", "quiet": "dim", "head": "bold"})


def console(*, stderr: bool = False) -> Console:
    """The console; on a pipe the lines are not cut to a terminal's width."""
    piped = not (sys.stderr if stderr else sys.stdout).isatty()
    return Console(theme=THEME, stderr=stderr, highlight=False, soft_wrap=piped, emoji=False)


def print_json(value: Any) -> None:
    """`value` as JSON that any program can read, whatever characters it holds."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "replace").decode("utf-8") + "\n")


def print_list(
    kind: str, found: Sequence[Each], form: str, *, as_json: Callable[[Each], Any], as_line: Callable[[Each], str], begin: str
) -> None:
    """What was found, in the form `text` or `json`; `kind` is what they are called, and `begin` the command that makes the first
    one."""
    if form == "json":
        print_json({kind: [as_json(each) for each in found]})
        return
    out = console()
    for each in found:
        out.print(as_line(each), markup=False)
    if not found:
        out.print(f"There are no {kind} yet; begin with: {begin}", markup=False)


def amazon_rate_text(rate: AmazonRate) -> str:
    """Amazon's own Cancellation Rate of a marketplace, with its period, its target and Amazon's verdict."""
    place = by_id(rate.marketplace)
    condition = _CONDITIONS.get(rate.condition, rate.condition.lower().replace("_", " "))
    target = f", target {condition} {rate.target:.1%}" if rate.target is not None else ""
    share = f"{rate.rate:.2%} ({rate.cancelled} of {rate.orders}{target})"
    return f"{place.domain if place else rate.marketplace}, {rate.since} to {rate.until}: {share} {rate.status}"


def words_of(turn: Turn, length: int = 100) -> str:
    """The beginning of what was written, or that it was removed, as markup; empty where there are no words."""
    if turn.pruned_at is not None:
        return f"its words were removed on {turn.pruned_at:%Y-%m-%d}"
    words = snippet(turn.message.text or turn.message.subject, length)
    return f"“{words}”" if words else ""


def snippet(text: str, length: int = 100) -> str:
    """The beginning of `text` on one line, safe to print as markup."""
    # Control characters from a stranger's mail could move the cursor and fake what stands on the screen.
    flat = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return escape(flat if len(flat) <= length else flat[: length - 1] + "…")
