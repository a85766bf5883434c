"""What was measured, as tables, plain values and a plot."""

from __future__ import annotations

import importlib
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accuracy import Score
from methods import METHODS
from speed import Speed


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table that reads well as plain text; all columns but the first are figures."""
    widths = [max(len(line[at]) for line in (head, *lines)) for at in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join([cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])]) + " |"

    return "\n".join([row(head), row(rule), *map(row, lines)])


def fraction(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def rounded(value: float) -> str:
    """Three figures and no more: the rest is noise."""
    return f"{float(f'{value:.3g}'):,.0f}"


def source_cell(score: Score) -> str:
    """F1, or where there was nothing to be found, how many were found all the same."""
    return f"{score.fp} false" if score.f1 is None else f"{score.f1:.3f}"


@dataclass
class Report:
    """What was measured, and how."""

    facts: dict[str, Any]
    scores: dict[str, dict[str, Score]] = field(default_factory=dict)
    speeds: dict[str, Speed] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def markdown(self) -> str:
        lines = []
        for method in METHODS:
            if method.name in self.speeds:
                score = self.scores.get(method.name, {}).get("")
                right = [fraction(score.figures()[name]) if score else "–" for name in ("precision", "recall", "f1")]
                speed = self.speeds[method.name].figures()
                fast = [
                    rounded(speed["fresh_per_second"]),
                    rounded(speed["again_per_second"]),
                    f"{speed['load_seconds'] * 1000:,.1f}",
                ]
                lines.append([method.name, *right, *fast])
        parts = [
            table(("method", "precision", "recall", "F1", "fresh/s", "again/s", "load, ms"), lines),
            self._by_source(),
            self._notes(),
        ]
        return "\n\n".join(filter(None, parts)) + "\n"

    def _by_source(self) -> str:
        if not self.scores:
            return ""
        first = next(iter(self.scores.values()))
        lines = [
            [name, f"{sum((score.tp, score.fp, score.fn, score.tn)):,}", f"{score.tp + score.fn:,}"]
            + [source_cell(scores[name]) for scores in self.scores.values()]
            for name, score in sorted(first.items())
            if name
        ]
        return "F1 by source:\n\n" + table(("source", "messages", "requests", *self.scores), lines)

    def _notes(self) -> str:
        facts, speed = self.facts, self.facts["speed"]
        spread = max((each.spread for each in self.speeds.values()), default=0.0)
        notes = [
            f"Right: {facts['scored']:,} messages, {facts['requests']:,} requests. {facts['training']}."
            if facts["scored"]
            else "No labelled messages were given, so how right the methods are was not measured.",
            f"Fast: {speed['messages']:,} messages of {speed['mean_length']:.0f} characters on average, {speed['with_cancel']:.1%}"
            f' with "cancel" in them; median of {speed["rounds"]} rounds; up to {spread:.0%} apart; {speed["clock"]}.',
            ", ".join([f"Python {facts['python']}", facts["machine"], *map(" ".join, facts["versions"].items())]) + ".",
            *(f"{method.name}: {method.note}." for method in METHODS if method.note and method.name in self.speeds),
            *(f"{name}: skipped: {reason}." for name, reason in self.skipped.items()),
        ]
        return "\n".join(f"- {note}" for note in notes)

    def plain(self) -> dict[str, Any]:
        """Everything as plain values."""
        methods = {
            name: {"speed": speed.figures()}
            | (
                {"total": scores[""].figures(), "sources": {source: each.figures() for source, each in scores.items() if source}}
                if scores
                else {}
            )
            for name, speed in self.speeds.items()
            for scores in [self.scores.get(name, {})]
        }
        return {**self.facts, "methods": methods, "skipped": self.skipped}


def plot(report: Report, folder: Path) -> None:
    """F1 against speed, as `detect.png` and `detect.svg`."""
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.hashsalt": "msgbot", "font.size": 11})
    plt = importlib.import_module("matplotlib.pyplot")
    figure, axes = plt.subplots(figsize=(9, 5.5), dpi=150)
    speeds = {name: statistics.median(speed.fresh) for name, speed in report.speeds.items()}
    points = {name: (speeds[name], scores[""].f1) for name, scores in report.scores.items() if scores[""].f1 is not None}
    limits = sorted((speed, name) for name, speed in speeds.items() if name not in report.scores)
    axes.set(
        xscale="log",
        xlim=(min(speeds.values()) / 3, max(speeds.values()) * 4),
        ylim=(0, 1.05),
        xlabel="messages per second, fresh messages, one core (logarithmic)",
        ylabel="F1",
        title="Finding requests to cancel an order: how right, how fast",
    )
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.25, which="major")
    axes.spines[["top", "right"]].set_visible(False)
    taken = []
    for place, (speed, name) in enumerate(limits):
        axes.axvline(speed, color="0.55", linestyle=(0, (4, 3)), linewidth=1.2)
        # The limits lie close together: the slower is labelled on its left, the faster on its right.
        left = place == 0 and len(limits) > 1
        at = {"xy": (speed, 0.02), "xytext": (-4 if left else 4, 0), "textcoords": "offset points", "rotation": 90, "fontsize": 9}
        taken.append(axes.annotate(name, **at, ha="right" if left else "left", va="bottom", color="0.4"))
    for name, (speed, f1) in points.items():
        ours = name == "msgbot"
        axes.scatter(
            [speed], [f1], s=110 if ours else 60, color="#c0392b" if ours else "#2c5f8a", marker="D" if ours else "o", zorder=3
        )
    figure.tight_layout()
    label(figure, axes, points, taken)
    figure.savefig(folder / "detect.png")
    figure.savefig(folder / "detect.svg", metadata={"Date": None})
    plt.close(figure)


def label(figure: Any, axes: Any, points: Mapping[str, tuple[float, float | None]], taken: Sequence[Any]) -> None:
    """Writes each point's name and F1 at the first place around it that is inside the axes and covers nothing."""
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in taken]
    dots = {name: axes.transData.transform(point) for name, point in points.items()}
    lines = [axes.transData.transform((line.get_xdata()[0], 0.0))[0] for line in axes.lines]
    places = [
        (side * 11, up, {-1: "right", 0: "center", 1: "left"}[side])
        for up in (0, 12, -12, 24, -24, 36, -36, 50, -50)
        for side in (1, -1, 0)
        if side or up
    ]
    for name in points:
        best, least = None, float("inf")
        for x, up, align in places:
            text = axes.annotate(
                f"{name} ({points[name][1]:.2f})", points[name], (x, up), textcoords="offset points", ha=align, va="center",
                fontweight="bold" if name == "msgbot" else "normal",
            )  # fmt: skip
            box = text.get_window_extent().padded(3)
            hits = sum(box.overlaps(other) for other in boxes)
            hits += sum(box.padded(8).contains(*dot) for dot in dots.values())
            hits += sum(box.x0 < line < box.x1 for line in lines)
            hits += 10 * (not (axes.bbox.contains(box.x0, box.y0) and axes.bbox.contains(box.x1, box.y1)))
            if hits < least:
                if best is not None:
                    best.remove()
                best, least = text, hits
            else:
                text.remove()
            if least == 0:
                break
        if best is not None:
            boxes.append(best.get_window_extent().padded(3))
