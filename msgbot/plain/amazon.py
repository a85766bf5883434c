"""The connection to Amazon as plain data."""

from __future__ import annotations

from typing_extensions import TypedDict

from msgbot.amazon.performance_report import AmazonRate
from msgbot.amazon_status import AccountStatus, AsideStatus
from msgbot.plain.messages import moment
from msgbot.store.amazon_reports import Report


class AspectData(TypedDict):
    """Something of the connection that can work or fail by itself: orders, notifications, feeds, reports."""

    aspect: str
    works: bool
    worked_at: str | None
    failing_since: str | None
    error: str


class FeedData(TypedDict):
    """A feed that is under way; or of which nobody can tell whether Amazon has it (`unsure`), as long as one of its cancellations
    is unsure, too."""

    id: str
    amazon_id: str
    type: str
    state: str
    note: str
    changed_at: str


class AmazonRateData(TypedDict):
    """Amazon's own Cancellation Rate of a marketplace from `since` to `until`, both included. `rate` and `target` are shares as
    text (0.025 is 2.5 %); `condition` is how the one must stand to the other, `status` Amazon's verdict, both as Amazon spells
    them."""

    marketplace: str
    since: str
    until: str
    orders: int
    cancelled: int
    rate: str
    target: str | None
    condition: str
    status: str


class AmazonStatusData(TypedDict):
    """What works of the connection of one account, how far its orders were read, and what is under way. `works`: nothing needs a
    look. `reading_due_since` is when orders should have been read again, if nobody is reading them."""

    account: str
    works: bool
    aspects: list[AspectData]
    orders_read_until: str | None
    reading_due_since: str | None
    feeds: list[FeedData]
    cancellations: dict[str, int]
    amazon_rates: list[AmazonRateData]


class AsideMessageData(TypedDict):
    """A message of the queue that nothing could be done with. `account` is empty when it was for none here."""

    at: str
    account: str
    reason: str


class AsideData(TypedDict):
    """Messages of the queue that were moved aside: how many, and why the newest were. `works`: none of them in the last day."""

    works: bool
    count: int
    newest: list[AsideMessageData]


class ReportData(TypedDict):
    """A report asked of Amazon. `state` is wanted, asked (Amazon makes it), read, empty (Amazon has no data for it) or failed;
    `note` says what came of it."""

    id: str
    account: str
    type: str
    state: str
    amazon_id: str
    created_at: str
    changed_at: str
    note: str


def account_status_data(status: AccountStatus) -> AmazonStatusData:
    """The state of one account."""
    return {
        "account": status.account,
        "works": status.works,
        "aspects": [
            {
                "aspect": each.aspect.value,
                "works": each.works,
                "worked_at": moment(each.worked_at),
                "failing_since": moment(each.failing_since),
                "error": each.error,
            }
            for each in status.aspects
        ],
        "orders_read_until": moment(status.sync.since) if status.sync is not None else None,
        "reading_due_since": moment(status.due_since),
        "feeds": [
            {
                "id": each.id,
                "amazon_id": each.amazon_id,
                "type": each.type,
                "state": each.state.value,
                "note": each.note,
                "changed_at": each.changed_at.isoformat(),
            }
            for each in status.feeds
        ],
        "cancellations": {state.value: number for state, number in status.cancellations.items()},
        "amazon_rates": [amazon_rate_data(each) for each in status.rates],
    }


def amazon_rate_data(rate: AmazonRate) -> AmazonRateData:
    """Amazon's own rate of a marketplace as plain data."""
    return {
        "marketplace": rate.marketplace,
        "since": rate.since.isoformat(),
        "until": rate.until.isoformat(),
        "orders": rate.orders,
        "cancelled": rate.cancelled,
        "rate": str(rate.rate),
        "target": str(rate.target) if rate.target is not None else None,
        "condition": rate.condition,
        "status": rate.status,
    }


def report_data(report: Report) -> ReportData:
    """How far a report has come."""
    return {
        "id": report.id,
        "account": report.account,
        "type": report.type,
        "state": report.state.value,
        "amazon_id": report.amazon_id,
        "created_at": report.created_at.isoformat(),
        "changed_at": report.changed_at.isoformat(),
        "note": report.note,
    }


def aside_data(aside: AsideStatus) -> AsideData:
    """What was moved aside."""
    return {
        "works": aside.works,
        "count": aside.count,
        "newest": [{"at": each.at.isoformat(), "account": each.account, "reason": each.reason} for each in aside.newest],
    }
