"""What commands print: one console for people, and values made plain for programs."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.theme import Theme

from msgbot.domain.conversation import Turn
from msgbot.domain.verdict import Reading, Span, Verdict

THEME = Theme({"good": "green", "care": "yellow", "bad": "red", "quiet": "dim", "head": "bold"})


def console(*, stderr: bool = False) -> Console:
    """The console; on a pipe the lines are not cut to a terminal's width."""
    piped = not (sys.stderr if stderr else sys.stdout).isatty()
    return Console(theme=THEME, stderr=stderr, highlight=False, soft_wrap=piped, emoji=False)


def print_json(value: Any) -> None:
    """`value` as JSON that any program can read, whatever characters it holds."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "replace").decode("utf-8") + "\n")


def span_json(span: Span) -> dict[str, Any]:
    """A span as plain data."""
    return {"start": span.start, "end": span.end, "text": span.text, "role": span.role}


def reading_json(reading: Reading) -> dict[str, Any]:
    """A reading as plain data."""
    return {
        "rule": reading.rule,
        "intent": reading.intent.value,
        "score": round(reading.score, 4),
        "says": reading.says,
        "words": [span.text for span in reading.spans],
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data."""
    return {
        "intent": verdict.intent.value,
        "score": round(verdict.score, 4),
        "language": verdict.language,
        "rule": verdict.rule,
        "says": verdict.says,
        "evidence": [span_json(span) for span in verdict.evidence],
        "against": [reading_json(reading) for reading in verdict.against],
        "partial": verdict.partial,
        "part": [span_json(span) for span in verdict.part],
        "filed": verdict.filed,
        "opposes": verdict.opposes,
        "notes": list(verdict.notes),
    }


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
