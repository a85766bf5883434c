"""How good verdicts are: precision and recall, accuracy over the four intents, and whether a score means what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgbot.domain.verdict import Intent, Verdict

BINS = 10
NOT_SCORED = frozenset({"ambiguous", "conditional"})
"""Tiers that people label differently; they are counted apart."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message with the intent that people gave it. `request`: whether it is one. `intent` is empty when only that is known.
    `place` tells where the label stands."""

    id: str
    text: str
    request: bool
    intent: Intent | None = None
    source: str = ""
    language: str = ""
    tier: str = ""
    place: str = ""

    def is_right(self, verdict: Verdict) -> bool:
        """Whether the verdict is the label's."""
        if self.intent is not None:
            return verdict.intent is self.intent
        return (verdict.intent is Intent.REQUEST) == self.request


@dataclass(slots=True)
class Tally:
    """Counts of verdicts on requests (`found`, `missed`) and on other messages (`wrong`, `left`), and over four intents (`right` of
    `judged`). Ratios are between 0 and 1, and None when there is nothing to divide by."""

    found: int = 0
    missed: int = 0
    wrong: int = 0
    left: int = 0
    right: int = 0
    judged: int = 0

    def add(self, label: Labelled, verdict: Verdict) -> None:
        """Counts one verdict."""
        is_request = verdict.intent is Intent.REQUEST
        if label.request:
            self.found += is_request
            self.missed += not is_request
        else:
            self.wrong += is_request
            self.left += not is_request
        if label.intent is not None:
            self.judged += 1
            self.right += verdict.intent is label.intent

    @property
    def messages(self) -> int:
        """How many were counted."""
        return self.found + self.missed + self.wrong + self.left

    @property
    def precision(self) -> float | None:
        """Of the verdicts that say request, the share that is right."""
        return _share(self.found, self.found + self.wrong)

    @property
    def recall(self) -> float | None:
        """Of the requests, the share that is found."""
        return _share(self.found, self.found + self.missed)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall."""
        return _share(2 * self.found, 2 * self.found + self.wrong + self.missed)

    @property
    def accuracy(self) -> float | None:
        """Of the messages labelled with one of four intents, the share that got it."""
        return _share(self.right, self.judged)


@dataclass(slots=True)
class Bin:
    """Verdicts with about the same score: how many, how many of them right, and the sum of their scores."""

    verdicts: int = 0
    right: int = 0
    scores: float = 0.0


@dataclass(slots=True)
class Report:
    """The verdicts on labelled messages: in `total`, by language, source and deciding rule; `bins` of the scores of all but a plain
    "nothing"; the `mistakes` in the order they came."""

    total: Tally = field(default_factory=Tally)
    by_language: dict[str, Tally] = field(default_factory=dict)
    by_source: dict[str, Tally] = field(default_factory=dict)
    by_rule: dict[str, Bin] = field(default_factory=dict)
    bins: list[Bin] = field(default_factory=lambda: [Bin() for _ in range(BINS)])
    mistakes: list[tuple[Labelled, Verdict]] = field(default_factory=list)
    not_scored: int = 0

    def add(self, label: Labelled, verdict: Verdict) -> None:
        """Counts one verdict."""
        if label.tier in NOT_SCORED:
            self.not_scored += 1
            return
        right = label.is_right(verdict)
        self.total.add(label, verdict)
        self.by_language.setdefault(label.language or verdict.language or "?", Tally()).add(label, verdict)
        if label.source:
            self.by_source.setdefault(label.source, Tally()).add(label, verdict)
        rule = self.by_rule.setdefault(verdict.rule, Bin())
        counted = [rule] if verdict.rule == "-" else [rule, self.bins[min(BINS - 1, int(verdict.score * BINS))]]
        for each in counted:
            each.verdicts += 1
            each.right += right
            each.scores += verdict.score
        if not right:
            self.mistakes.append((label, verdict))

    @property
    def calibration_error(self) -> float | None:
        """How far the scores are from the share of verdicts that are right, on average over the verdicts (0 is perfect)."""
        gaps = [abs(each.scores - each.right) for each in self.bins]
        return _share(sum(gaps), sum(each.verdicts for each in self.bins))


def report_on(pairs: Iterable[tuple[Labelled, Verdict]]) -> Report:
    """The report on labels and the verdicts that were given."""
    report = Report()
    for label, verdict in pairs:
        report.add(label, verdict)
    return report


@dataclass(frozen=True, slots=True)
class Changed:
    """A text that two rulebooks read differently."""

    text: str
    place: str
    old: Verdict
    new: Verdict

    @property
    def matters(self) -> bool:
        """Whether more than the score changed."""
        return (
            self.old.intent is not self.new.intent or self.old.partial != self.new.partial or self.old.opposes != self.new.opposes
        )


def transitions(changes: Sequence[Changed]) -> Counter[tuple[Intent, Intent]]:
    """How many verdicts went from which intent to which."""
    return Counter((change.old.intent, change.new.intent) for change in changes if change.old.intent is not change.new.intent)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
