"""What a processing report means for each cancellation in a feed (domain.md section 4). Silence is no success: what the report
counts as failed and does not name leaves everything unsure that it does not name. Nor is it failure: of a feed that ended FATAL,
some or all may have been done (feeds model, `processingStatus`)."""

from __future__ import annotations

from collections.abc import Sequence

from msgbot.amazon.order_feeds import ACKNOWLEDGEMENT_FEED, ADJUSTMENT_FEED
from msgbot.amazon.processing_reports import ProcessingReport
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.feeds import Feed

Outcome = tuple[CancellationState, str]
"""The state that a cancellation has come to, and why."""


_MADE_IN = {ACKNOWLEDGEMENT_FEED: "order", ADJUSTMENT_FEED: "refund"}
"""Where a person sees what was done of a feed of this type."""


def is_about(report: ProcessingReport, inside: Sequence[Cancellation]) -> bool:
    """Whether a report can be that of the feed that holds these: it may have been found by its time alone."""
    ours = {each.order_id for each in inside}
    named = {result.order_id for result in report.results if result.order_id}
    return named <= ours and report.processed in {0, len(inside)}


def outcomes(feed: Feed, report: ProcessingReport | None, inside: Sequence[Cancellation], *, fatal: bool) -> dict[str, Outcome]:
    """What each cancellation has come to, by its id; `fatal` is a feed that failed as a whole, as one without a report has."""
    failed = [result for result in report.results if result.failed] if report is not None else []
    named = {result.message_id for result in failed}
    counted = report is not None and report.with_error > len(named)
    # What is said of the whole feed is said of each only when nothing of it was done.
    of_all = 0 in named and report is not None and not report.successful
    vague = not of_all and (counted or 0 in named)
    nothing = report is not None and not report.processed
    found: dict[str, Outcome] = {}
    for each in inside:
        said = "; ".join(
            f"Amazon says: {result.text} (code {result.message_code})"
            for result in failed
            if result.message_id == each.number or (of_all and not result.message_id)
        )
        if said:
            found[each.id] = (CancellationState.REFUSED, said)
        elif fatal and nothing:
            found[each.id] = (CancellationState.REFUSED, "Amazon could not read the feed, and did nothing of it")
        elif fatal:
            note = f"Amazon stopped in the middle of feed {feed.amazon_id}: look at the {_MADE_IN[feed.type]}"
            found[each.id] = (CancellationState.UNSURE, note)
        elif (vague or nothing) and report is not None:
            found[each.id] = (CancellationState.UNSURE, f"Amazon's report does not tell ({summary(report)}): look at the order")
        else:
            # An adjustment leaves nothing to be seen in the order: Amazon's word is all there is.
            state = CancellationState.DONE if feed.type == ADJUSTMENT_FEED else CancellationState.ACCEPTED
            found[each.id] = (state, f"Amazon took it (feed {feed.amazon_id})")
    return found


def summary(report: ProcessingReport) -> str:
    """The counts of a report, for people."""
    return f"{report.processed} processed, {report.successful} successful, {report.with_error} with an error"
