"""`msgbot try`: what the detector sees in a text, and the reply it would lead to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.text import Text

from msgbot import Detector, Verdict, built_in_rules
from msgbot.cli.output import console, print_json
from msgbot.content.replies import Replies, built_in_replies
from msgbot.domain.message import Kind, Message, Source, order_ids_in
from msgbot.domain.order import FormalRequest, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.domain.policy import Decision, Situation, decide
from msgbot.plain.verdicts import verdict_data

_STATES = ("unshipped", "just-ordered", "requested", "partly-shipped", "shipped", "cancelled", "fba", "unknown", "instructed")
_SAMPLE = "114-0000001-0000001"
_ROLE_STYLE = {"not": "red", "cannot": "red", "if": "yellow", "foreign": "red"}


@click.command()
@click.argument("text")
@click.option("--language", default="", help="The language you think it is in (en, de, ja ...); breaks ties.")
@click.option("--order", "state", type=click.Choice(_STATES), default="unshipped", show_default=True, help="State of the order.")
@click.option(
    "--format", "output", type=click.Choice(("text", "json")), default="text", show_default=True, help="For people or for programs."
)
def command(text: str, language: str, state: str, output: str) -> None:
    """Show what the detector sees in TEXT: intent, score, the words and the rule that made it say so, what spoke against it,
    and the reply that it would lead to."""
    replies = built_in_replies()
    detector = Detector(built_in_rules())
    verdict = detector.detect(text, language)
    decision, order_ids = _decide(detector, verdict, text, state, replies)
    wording = replies.choose(verdict.language, language)
    reply = replies.word(decision.template, wording, order_ids, "").text if decision.template else ""
    if output == "json":
        print_json(
            {
                **verdict_data(verdict),
                "decision": {"action": decision.action.value, "code": decision.code, "reasons": list(decision.reasons)},
                "reply": reply,
            }
        )
        return
    out = console()
    _print_verdict(out, verdict, text)
    out.print()
    out.print(f"[head]For an order that is {state}[/]: {decision.action.value.replace('_', ' ')} ({decision.code})")
    for reason in decision.reasons:
        out.print(f"  - {reason}", markup=False)
    if reply:
        out.print()
        for line in reply.rstrip().split("\n"):
            out.print(Text("  │ " + line, style="quiet"))


def _decide(detector: Detector, verdict: Verdict, text: str, state: str, replies: Replies) -> tuple[Decision, tuple[str, ...]]:
    now = datetime.now(UTC)
    order_ids = order_ids_in(text) or (_SAMPLE,)
    message = Message("try", "try", Kind.BUYER, Source.FILE, text, now, order_ids, "buyer@marketplace.amazon.com")
    situation = Situation(
        message=message,
        intent=verdict.intent,
        verdict=verdict,
        thresholds=detector.rulebook.thresholds,
        now=now,
        order=_order(order_ids[0], state, now),
        order_count=len(order_ids),
        formal=(FormalRequest(order_ids[0], "1", "an example", now),) if state == "requested" else (),
        instructed_at=now - timedelta(days=1) if state == "instructed" else None,
        mode=replies.mode(replies.choose(verdict.language)),
    )
    return decide(situation), order_ids


def _order(order_id: str, state: str, now: datetime) -> Order | None:
    if state == "unknown":
        return None
    status = {
        "partly-shipped": OrderStatus.PARTLY_SHIPPED,
        "shipped": OrderStatus.SHIPPED,
        "cancelled": OrderStatus.CANCELLED,
    }.get(state, OrderStatus.UNSHIPPED)
    requested = RequestKnowledge.YES if state == "requested" else RequestKnowledge.NO
    ordered = now - timedelta(minutes=3) if state == "just-ordered" else now - timedelta(days=1)
    fulfilment = Fulfilment.AMAZON if state == "fba" else Fulfilment.SELLER
    return Order("try", order_id, status, fulfilment, now, "an example", (OrderItem("1", formal_request=requested),), "", ordered)


def _print_verdict(out: Console, verdict: Verdict, text: str) -> None:
    marked = Text(text)
    for span in verdict.evidence:
        marked.stylize(f"bold underline {_ROLE_STYLE.get(span.role, 'green')}", span.start, span.end)
    out.print(marked)
    out.print()
    out.print(
        f"[head]{verdict.intent.value}[/]  score {verdict.score:.2f}  language {verdict.language or '?'}  rule {verdict.rule}"
    )
    if verdict.says:
        out.print(f"  it {verdict.says}" if verdict.rule != "-" else f"  {verdict.says}", markup=False)
    for span in verdict.evidence:
        out.print(f"  {span.text!r} is read as: {span.role}", markup=False)
    for reading in verdict.against:
        words = ", ".join(repr(span.text) for span in reading.spans)
        out.print(
            f"  against it: {reading.intent.value} {reading.score:.2f} ({reading.rule}): it {reading.says}: {words}", markup=False
        )
    flags = [
        name
        for name, holds in (
            (f"only part of the order is meant: {', '.join(span.text for span in verdict.part)}", verdict.partial),
            ("the buyer says a formal request was filed", verdict.filed),
            ("it asks not to cancel", verdict.opposes),
        )
        if holds
    ]
    for note in (*flags, *verdict.notes):
        out.print(f"  note: {note}", markup=False)
