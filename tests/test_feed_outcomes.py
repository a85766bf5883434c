"""What Amazon's processing report means for each cancellation in a feed."""

from __future__ import annotations

import pytest

from msgbot.amazon.order_feeds import ACKNOWLEDGEMENT_FEED, ADJUSTMENT_FEED
from msgbot.amazon.processing_reports import FeedResult, ProcessingReport
from msgbot.domain.cancellation import CancelReason
from msgbot.feed_outcomes import is_about, outcomes
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.feeds import Feed, FeedState
from tests.conftest import NOW

ACCEPTED, DONE, REFUSED, UNSURE = (
    CancellationState.ACCEPTED,
    CancellationState.DONE,
    CancellationState.REFUSED,
    CancellationState.UNSURE,
)


def made(number: int) -> Cancellation:
    state = CancellationState.SUBMITTED
    return Cancellation(
        "main", f"c{number}", f"o{number}", (), CancelReason.BUYER_CANCELED, state, "r", "agent", False, NOW, NOW, number=number
    )


def feed(feed_type: str) -> Feed:
    return Feed("main", "f", feed_type, b"", FeedState.SUBMITTED, NOW, NOW, "77")


def error(number: int, order_id: str = "", code: str = "Error") -> FeedResult:
    return FeedResult(number, code, "20001", "it is too late", order_id)


def report(processed: int, successful: int, *results: FeedResult, failed: int | None = None) -> ProcessingReport:
    counted = processed - successful if failed is None else failed
    return ProcessingReport("Complete", processed, successful, counted, 0, results)


INSIDE = [made(1), made(2)]
ROWS = [
    # (report, fatal, what each of the two has come to)
    (report(2, 2), False, [ACCEPTED, ACCEPTED]),
    (report(2, 1, error(2)), False, [ACCEPTED, REFUSED]),
    (report(2, 2, error(1, code="Warning"), failed=0), False, [ACCEPTED, ACCEPTED]),
    (report(2, 1, error(1, code="Strange")), False, [REFUSED, ACCEPTED]),
    # what is counted as failed and not named may be any
    (report(2, 1), False, [UNSURE, UNSURE]),
    (report(2, 0, error(1)), False, [REFUSED, UNSURE]),
    (report(0, 0), False, [UNSURE, UNSURE]),
    # what is said of the whole feed
    (report(2, 0, error(0), failed=1), False, [REFUSED, REFUSED]),
    (report(0, 0, error(0), failed=1), False, [REFUSED, REFUSED]),
    (report(2, 1, error(0), failed=1), False, [UNSURE, UNSURE]),
    (report(2, 1, error(0), error(2), failed=2), False, [UNSURE, REFUSED]),
    # Amazon stopped: some, none or all may have been done
    (None, True, [UNSURE, UNSURE]),
    (report(1, 1), True, [UNSURE, UNSURE]),
    (report(2, 1, error(1)), True, [REFUSED, UNSURE]),
    (report(0, 0), True, [REFUSED, REFUSED]),
    (report(0, 0, error(0), failed=1), True, [REFUSED, REFUSED]),
]


@pytest.mark.parametrize("feed_type", [ACKNOWLEDGEMENT_FEED, ADJUSTMENT_FEED])
@pytest.mark.parametrize(("given", "fatal", "expected"), ROWS)
def test_each_row_of_the_table(
    given: ProcessingReport | None, fatal: bool, expected: list[CancellationState], feed_type: str
) -> None:
    found = outcomes(feed(feed_type), given, INSIDE, fatal=fatal)
    taken = DONE if feed_type == ADJUSTMENT_FEED else ACCEPTED
    assert [found[each.id][0] for each in INSIDE] == [taken if state is ACCEPTED else state for state in expected]
    assert all(note for _, note in found.values())


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        (report(2, 2), True),
        (report(0, 0), True),
        (report(3, 3), False),
        (report(2, 1, error(1, "o1")), True),
        (report(2, 1, error(1, "another")), False),
    ],
)
def test_whose_report_it_is(given: ProcessingReport, ours: bool) -> None:
    assert is_about(given, INSIDE) is ours
