"""Precision, recall, calibration: counted by hand and by the code."""

from __future__ import annotations

import pytest

from msgbot.domain.measure import Changed, Labelled, Report, report_on, transitions
from msgbot.domain.verdict import Intent, Span, Verdict

R, C, W, N = Intent.REQUEST, Intent.CONDITIONAL, Intent.WITHDRAWN, Intent.NONE


def label(request: bool, intent: Intent | None = None, **more: str) -> Labelled:
    return Labelled("1", "text", request, intent, **more)


def test_counts() -> None:
    given = [
        (label(True, language="de", source="a"), Verdict(R, 0.9, "asks/de")),
        (label(True, language="de", source="a"), Verdict(N, 0.6, "other/de")),
        (label(False, language="en", source="b"), Verdict(R, 0.8, "asks/en")),
        (label(False, language="en", source="b"), Verdict(N, 1.0)),
        (label(False, C, language="en"), Verdict(C, 0.9, "if/en")),
        (label(False, tier="ambiguous"), Verdict(R, 0.9)),
    ]
    report = report_on(given)
    assert report.not_scored == 1
    total = report.total
    assert (total.found, total.missed, total.wrong, total.left) == (1, 1, 1, 2)
    assert (total.precision, total.recall, total.f1) == (0.5, 0.5, 0.5)
    assert (total.judged, total.right, total.accuracy) == (1, 1, 1.0)
    assert {name: tally.messages for name, tally in report.by_language.items()} == {"de": 2, "en": 3}
    assert {name: tally.messages for name, tally in report.by_source.items()} == {"a": 2, "b": 2}
    assert [verdict.rule for _, verdict in report.mistakes] == ["other/de", "asks/en"]
    assert report.by_rule["asks/en"].right == 0


def test_nothing_to_divide_by() -> None:
    total = Report().total
    assert (total.precision, total.recall, total.f1, total.accuracy, Report().calibration_error) == (None,) * 5


def test_four_intents_count_as_one_label() -> None:
    report = report_on([(label(True, R), Verdict(W, 0.9, "x")), (label(False, W), Verdict(W, 0.9, "x"))])
    assert report.total.accuracy == 0.5
    assert len(report.mistakes) == 1


@pytest.mark.parametrize(
    ("scores", "right", "error"), [([0.9] * 10, 9, 0.0), ([0.9] * 10, 5, 0.4), ([0.5, 0.9], 2, 0.3), ([1.0], 1, 0.0)]
)
def test_calibration(scores: list[float], right: int, error: float) -> None:
    given = [(label(place < right), Verdict(R, score, "x")) for place, score in enumerate(scores)]
    assert report_on(given).calibration_error == pytest.approx(error)


def test_what_changes() -> None:
    only_score = Changed("a", "f:1", Verdict(R, 0.9, "x"), Verdict(R, 0.8, "x"))
    intent = Changed("b", "f:2", Verdict(R, 0.9, "x"), Verdict(N, 0.8, "y"))
    part = Changed("c", "f:3", Verdict(R, 0.9, "x"), Verdict(R, 0.9, "x", part=(Span(0, 1, "1", "part"),)))
    assert [change.matters for change in (only_score, intent, part)] == [False, True, True]
    assert transitions([only_score, intent, part]) == {(R, N): 1}
