"""`msgbot rules`: tools for people who write rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from msgbot import Detector, Verdict, built_in_rules, read_rules
from msgbot.cli.options import format_option
from msgbot.cli.output import console, print_json, snippet
from msgbot.content.labels import read_labels, read_texts
from msgbot.domain.measure import BINS, Bin, Changed, Labelled, Report, Tally, report_on, transitions
from msgbot.domain.rulebook import Rulebook

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_rules_option = click.option("--rules", type=_FOLDER, help="Folder of rules.  [default: those that msgbot uses]")


@click.group()
def command() -> None:
    """Tools for people who write rules: measure them, compare them, find those that do nothing."""


@command.command("eval")
@click.argument("labels", type=_FILE)
@_rules_option
@click.option("--mistakes", "shown", type=click.IntRange(min=0), default=20, show_default=True, help="How many mistakes to show.")
@format_option("text", "json")
def evaluate(labels: Path, rules: Path | None, shown: int, output: str) -> None:
    """Measure the rules on labelled messages.

    LABELS holds one object a line: {"text": ..., "label": "request" or "other"}, or "intent" with one of the four; perhaps "id",
    "source", "lang" and "tier" (tiers ambiguous and conditional are not scored). Shown are precision, recall and F1 for requests,
    by language and source; the rules that err; whether a score means what it says; and the mistakes.
    """
    detector = Detector(_rulebook(rules))
    report = report_on((label, detector.detect(label.text)) for label in read_labels(labels))
    if output == "json":
        print_json(_report_json(report, shown))
        return
    out = console()
    _print_tallies(out, report)
    _print_rules(out, report.by_rule)
    _print_calibration(out, report)
    _print_mistakes(out, report, shown)


@command.command("diff")
@click.argument("old", type=_FOLDER)
@click.argument("new", type=_FOLDER)
@click.argument("messages", type=_FILE)
@click.option("--scores", is_flag=True, help="Show verdicts of which only the score or the rule changed, too.")
@format_option("text", "json")
def diff(old: Path, new: Path, messages: Path, scores: bool, output: str) -> int:
    """Show which verdicts a change of the rules would change.

    OLD and NEW are folders of rules; MESSAGES holds JSON lines with "text", or one message a line. The exit code is 1 when the
    intent of any message changes.
    """
    before, after = Detector(read_rules(old)), Detector(read_rules(new))
    texts = read_texts(messages)
    changes = list(_changes(before, after, texts))
    if not scores:
        changes = [change for change in changes if change.matters]
    if output == "json":
        print_json({"messages": len(texts), "changes": [_change_json(change) for change in changes]})
    else:
        _print_changes(console(), changes, len(texts))
    return 1 if any(change.matters for change in changes) else 0


@command.command("cover")
@click.argument("messages", type=_FILE)
@_rules_option
@format_option("text", "json")
def cover(messages: Path, rules: Path | None, output: str) -> None:
    """Show which rules and phrases a pile of messages never uses, and which rules decide wrongly.

    MESSAGES holds JSON lines with "text" (and "label" or "intent", if rules that decide wrongly are to be found), or one message a
    line.
    """
    rulebook = _rulebook(rules)
    detector = Detector(rulebook)
    texts = read_texts(messages)
    decided = Counter[str]()
    matched = Counter[tuple[str, str]]()
    for text, _ in texts:
        decided[detector.detect(text).rule.partition("/")[0]] += 1
        matched.update(detector.phrases_in(text))
    idle = [frame.id for frame in rulebook.frames if not decided[frame.id]]
    unused = {
        language.code: [phrase.text for phrase in language.phrases if not matched[language.code, phrase.text]]
        for language in rulebook.languages
        if any(code == language.code for code, _ in matched)
    }
    wrong = _wrong_rules(detector, messages)
    if output == "json":
        print_json({"messages": len(texts), "rules_never_used": idle, "phrases_never_used": unused, "rules_that_err": wrong})
        return
    out = console()
    out.print(f"[head]{len(texts)} messages[/]")
    out.print(f"\n[head]Rules that decided nothing[/] ({len(idle)} of {len(rulebook.frames)})")
    out.print("  " + (", ".join(idle) or "none"), markup=False)
    for code, phrases in unused.items():
        total = next(len(language.phrases) for language in rulebook.languages if language.code == code)
        out.print(f"\n[head]Phrases of {code} that matched nothing[/] ({len(phrases)} of {total})")
        for phrase in phrases:
            out.print(f"  {phrase}", markup=False)
    if wrong:
        out.print("\n[head]Rules that decided wrongly[/]")
        for rule, (times, count) in wrong.items():
            out.print(f"  {rule}: {times} of {count}", markup=False)


def _rulebook(folder: Path | None) -> Rulebook:
    return read_rules(folder) if folder else built_in_rules()


def _changes(before: Detector, after: Detector, texts: Iterable[tuple[str, str]]) -> Iterator[Changed]:
    for text, place in texts:
        old, new = before.detect(text), after.detect(text)
        if (old.intent, old.score, old.rule, old.part, old.opposes) != (new.intent, new.score, new.rule, new.part, new.opposes):
            yield Changed(text, place, old, new)


def _wrong_rules(detector: Detector, messages: Path) -> dict[str, tuple[int, int]]:
    """Each rule that decided wrongly, how often, and how often it decided; nothing when the messages have no labels."""
    with messages.open("rb") as lines:
        first = lines.readline()
    if not first.lstrip().startswith(b"{") or not (b'"label"' in first or b'"intent"' in first):
        return {}
    report = report_on((label, detector.detect(label.text)) for label in read_labels(messages))
    erring = {
        rule: (each.verdicts - each.right, each.verdicts) for rule, each in report.by_rule.items() if each.right < each.verdicts
    }
    return dict(sorted(erring.items(), key=lambda item: -item[1][0]))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"


def _print_tallies(out: Console, report: Report) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "messages", "requests", "precision", "recall", "F1", "four intents"):
        table.add_column(name, justify="left" if not name else "right")
    rows: list[tuple[str, Tally]] = [("all", report.total)]
    rows += [(f"language {name}", tally) for name, tally in sorted(report.by_language.items())]
    rows += [(f"source {name}", tally) for name, tally in sorted(report.by_source.items())]
    for name, tally in rows:
        ratios = map(_percent, (tally.precision, tally.recall, tally.f1, tally.accuracy))
        table.add_row(name, str(tally.messages), str(tally.found + tally.missed), *ratios)
    out.print(table)
    if report.not_scored:
        out.print(f"not scored (tiers ambiguous and conditional): {report.not_scored}")


def _print_rules(out: Console, by_rule: dict[str, Bin]) -> None:
    erring = {rule: each for rule, each in by_rule.items() if each.right < each.verdicts}
    if not erring:
        return
    out.print("\n[head]Rules that erred[/]")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("rule", "decided", "wrong", "right", "score"):
        table.add_column(name, justify="left" if name == "rule" else "right")
    for rule, each in sorted(erring.items(), key=lambda item: item[1].right - item[1].verdicts):
        share = _percent(each.right / each.verdicts)
        table.add_row(rule, str(each.verdicts), str(each.verdicts - each.right), share, _percent(each.scores / each.verdicts))
    out.print(table)


def _print_calibration(out: Console, report: Report) -> None:
    out.print("\n[head]What a score means[/] (verdicts that some rule decided)")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("score", "verdicts", "mean score", "right"):
        table.add_column(name, justify="left" if name == "score" else "right")
    for place, each in enumerate(report.bins):
        if each.verdicts:
            span = f"{place / BINS:.1f} to {(place + 1) / BINS:.1f}"
            table.add_row(span, str(each.verdicts), _percent(each.scores / each.verdicts), _percent(each.right / each.verdicts))
    out.print(table)
    if report.calibration_error is not None:
        out.print(f"on average a score is {report.calibration_error:.3f} away from the share that is right")


def _print_mistakes(out: Console, report: Report, shown: int) -> None:
    if not report.mistakes:
        return
    out.print(f"\n[head]Mistakes[/] ({min(shown, len(report.mistakes))} of {len(report.mistakes)})")
    for label, verdict in report.mistakes[:shown]:
        out.print(f"  should be {_wanted(label)}, is {_short(verdict)}  {label.place}", markup=False)
        out.print(f"    [quiet]{snippet(label.text, 200)}[/]")


def _print_changes(out: Console, changes: list[Changed], messages: int) -> None:
    for change in changes:
        out.print(f"[head]{snippet(change.text, 200)}[/]  [quiet]{change.place}[/]")
        out.print(f"  old  {_short(change.old)}: {change.old.says}", markup=False)
        out.print(f"  new  {_short(change.new)}: {change.new.says}", markup=False)
    for (old, new), count in transitions(changes).most_common():
        out.print(f"{old.value} -> {new.value}: {count}", markup=False)
    out.print(f"{len(changes)} of {messages} verdicts change")


def _wanted(label: Labelled) -> str:
    return label.intent.value if label.intent else "request" if label.request else "no request"


def _short(verdict: Verdict) -> str:
    return f"{verdict.intent.value} {verdict.score:.2f} ({verdict.rule})"


def _tally_json(tally: Tally) -> dict[str, Any]:
    return {
        "messages": tally.messages, "found": tally.found, "missed": tally.missed, "wrong": tally.wrong, "left": tally.left,
        "precision": tally.precision, "recall": tally.recall, "f1": tally.f1, "accuracy": tally.accuracy,
    }  # fmt: skip


def _report_json(report: Report, shown: int) -> dict[str, Any]:
    return {
        "total": _tally_json(report.total),
        "by_language": {name: _tally_json(tally) for name, tally in sorted(report.by_language.items())},
        "by_source": {name: _tally_json(tally) for name, tally in sorted(report.by_source.items())},
        "by_rule": {
            rule: {"decided": each.verdicts, "right": each.right, "mean_score": each.scores / each.verdicts}
            for rule, each in sorted(report.by_rule.items())
        },
        "calibration": [
            {"from": place / BINS, "verdicts": each.verdicts, "right": each.right, "mean_score": each.scores / each.verdicts}
            for place, each in enumerate(report.bins)
            if each.verdicts
        ],
        "calibration_error": report.calibration_error,
        "not_scored": report.not_scored,
        "mistakes": [
            {"id": label.id, "place": label.place, "wanted": _wanted(label), **_verdict_json(verdict), "text": label.text}
            for label, verdict in report.mistakes[:shown]
        ],
    }


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {"intent": verdict.intent.value, "score": round(verdict.score, 4), "rule": verdict.rule, "says": verdict.says}


def _change_json(change: Changed) -> dict[str, Any]:
    return {
        "place": change.place, "text": change.text, "old": _verdict_json(change.old), "new": _verdict_json(change.new),
    }  # fmt: skip
