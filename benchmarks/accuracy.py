"""How right a method is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from methods import Method
from rows import Row, checksum, same

FOLDS = 5
LEAST_REQUESTS = 10
"""With fewer requests (or others) in the training rows, nothing is trained."""


class TooFewError(Exception):
    """The rows do not suffice to train on."""


@dataclass
class Score:
    """How often a method was right."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def add(self, wanted: bool, given: bool) -> None:
        self.tp += wanted and given
        self.fp += given and not wanted
        self.fn += wanted and not given
        self.tn += not (wanted or given)

    def figures(self) -> dict[str, float | int | None]:
        """The counts, and what is worked out of them; nothing where nothing can be."""
        return {
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
            "tn": self.tn,
            "precision": ratio(self.tp, self.tp + self.fp),
            "recall": ratio(self.tp, self.tp + self.fn),
            "f1": self.f1,
        }

    @property
    def f1(self) -> float | None:
        # Without a request there is nothing to be found, and no F1.
        return ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn) if self.tp + self.fn else None


def ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def judged(method: Method, rows: Sequence[Row], training: Sequence[Row] | None) -> list[bool]:
    """The verdict on each row. Without `training` the rows are both: each is judged by what was learned from the other folds."""
    texts = [row.text for row in rows]
    if method.learn is None:
        return method.make(None)(texts)
    if training is not None:
        return method.make(learned(method, training))(texts)
    given = [False] * len(rows)
    # Texts that are alike fall into the same fold.
    folds = [checksum(same(text)) % FOLDS for text in texts]
    for fold in range(FOLDS):
        judge = method.make(learned(method, [row for row, place in zip(rows, folds, strict=True) if place != fold]))
        mine = [at for at, place in enumerate(folds) if place == fold]
        for at, verdict in zip(mine, judge([texts[at] for at in mine]), strict=True):
            given[at] = verdict
    return given


def learned(method: Method, rows: Sequence[Row]) -> object:
    """What the method finds in `rows`. Raises TooFewError."""
    if method.learn is None:
        return None
    requests = sum(row.is_request for row in rows)
    if method.judges and min(requests, len(rows) - requests) < LEAST_REQUESTS:
        raise TooFewError(f"needs {LEAST_REQUESTS} requests and {LEAST_REQUESTS} others to learn from")
    try:
        return method.learn(rows)
    except ValueError as error:  # no two rows have a word in common
        raise TooFewError(f"could not learn: {error}") from error


def scores_of(rows: Sequence[Row], given: Iterable[bool]) -> dict[str, Score]:
    """The score in total (under an empty name) and by source."""
    scores = {"": Score()}
    for row, verdict in zip(rows, given, strict=True):
        for name in ("", row.source):
            scores.setdefault(name, Score()).add(row.is_request, verdict)
    return scores
