"""How a handled message is shown: for people and for programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from msgbot.cli.output import words_of
from msgbot.mailroom import Handled
from msgbot.plain.messages import decision_data, reply_data
from msgbot.plain.verdicts import verdict_data
from msgbot.store.replies import ReplyState

_SHOWN = {
    "sent": "[good]ANSWERED[/]",
    "suggest": "[care]SUGGESTED[/]",
    "tell_seller": "[care]FOR YOU[/]",
    "nothing": "[quiet]nothing[/]",
    "stopped": "[care]STOPPED[/]",
    "failed": "[bad]FAILED[/]",
}


def _what(handled: Handled) -> str:
    if handled.decided is None:
        return "failed"
    if handled.reply is not None and handled.reply.state in {ReplyState.SENT, ReplyState.STOPPED, ReplyState.FAILED}:
        return handled.reply.state.value
    return handled.decided.decision.action.value


def _file_of(origin: str) -> str:
    """The origin without its folders, which are the same for all."""
    return origin.rpartition("/")[2]


def needs_nothing(handled: Handled) -> bool:
    """Whether nothing was done about it, and nobody needs to."""
    return _what(handled) == "nothing"


def print_handled(out: Console, handled: Handled, *, with_file: bool = True) -> None:
    """One message: what was decided, on what, and why."""
    message, verdict = handled.turn.message, handled.turn.verdict
    order = ", ".join(message.order_ids) or "no order"
    known = "" if handled.new else "  [quiet](known from an earlier run)[/]"
    language = f"  {verdict.language}" if verdict.language and message.kind.value == "buyer" else ""
    out.print(f"{_SHOWN[_what(handled)]}  {escape(order)}{language}  [quiet]{escape(_file_of(message.origin))}[/]{known}")
    if words := words_of(handled.turn):
        out.print(f"    [quiet]{words}[/]")
    if handled.decided is not None:
        for reason in handled.decided.decision.reasons:
            if reason:
                out.print(f"    {reason}", markup=False)
    if with_file and handled.reply is not None and handled.reply.state is ReplyState.SENT:
        out.print(f"    → {handled.reply.delivered_to}", markup=False)
    if handled.reply is not None and handled.reply.note:
        out.print(f"    {handled.reply.note}", markup=False)
    for flaw in message.flaws:
        out.print(f"    [quiet]note: {escape(flaw)}[/]")


@dataclass(slots=True)
class Summary:
    """Counts of what was done."""

    counts: Counter[str] = field(default_factory=Counter)
    known: int = 0

    def add(self, handled: Handled) -> None:
        """Counts one message."""
        self.counts[_what(handled)] += 1
        self.known += not handled.new


def print_summary(out: Console, summary: Summary, unreadable: int, outbox: Path | None) -> None:
    """The count of what was done, and where to look; nowhere, if nothing was written."""
    counts = summary.counts
    words = {
        "sent": "answered",
        "suggest": "with a suggestion",
        "tell_seller": "for you to look at",
        "stopped": "stopped",
        "failed": "failed",
        "nothing": "that need nothing",
    }
    parts = [f"{counts[name]} {said}" for name, said in words.items() if counts[name]]
    if unreadable:
        parts.append(f"{unreadable} unreadable")
    out.print()
    out.print(f"[head]{counts.total()} messages[/]" + (": " + ", ".join(parts) if parts else ""))
    if summary.known:
        out.print(f"{summary.known} of them were known from an earlier run; nobody was answered twice.")
    if outbox is not None and counts["sent"]:
        out.print(f"Replies, ready to send: {outbox}", markup=False)
    if outbox is not None and (counts["suggest"] or counts["tell_seller"]):
        out.print(f"Suggestions for a person: {outbox / 'suggestions'}", markup=False)


def handled_json(handled: Handled) -> dict[str, Any]:
    """A handled message as plain data."""
    message = handled.turn.message
    decided = handled.decided
    return {
        "id": message.id,
        "origin": message.origin,
        "kind": message.kind.value,
        "note": message.note,
        "new": handled.new,
        "order_ids": list(message.order_ids),
        "from": message.buyer_address,
        "subject": message.subject,
        "sent_at": message.sent_at.isoformat() if message.sent_at else None,
        "marketplace": message.marketplace,
        "text": message.text,
        "flaws": list(message.flaws),
        "verdict": verdict_data(handled.turn.verdict),
        "decision": None if decided is None else decision_data(decided),
        "reply": None if handled.reply is None else reply_data(handled.reply, message),
    }
