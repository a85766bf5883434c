"""The seller performance report (`GET_V2_SELLER_PERFORMANCE_REPORT`): Amazon's own Cancellation Rate (domain.md section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from msgbot.amazon.fields import Fields
from msgbot.amazon.json_documents import read_json
from msgbot.errors import InputError

# The second is what the example in Amazon's own schema calls it.
_NAMES = ("preFulfillmentCancellationRate", "prefulfillmentCancelRate")


@dataclass(frozen=True, slots=True)
class AmazonRate:
    """The rate of one marketplace from `since` to `until`, both included, in UTC.

    `rate` and `target` are shares (0.025 is 2.5 %); `condition` is how the rate must stand to the target (`LESS_THAN`), and
    `status` Amazon's verdict (GOOD, BAD, NONE).
    """

    marketplace: str
    since: date
    until: date
    orders: int
    cancelled: int
    rate: Decimal
    target: Decimal | None
    condition: str
    status: str


def read_performance_report(data: bytes) -> tuple[AmazonRate, ...]:
    """The rates in the report, one for each marketplace that has one; none where Amazon has not measured any.

    Raises InputError when it is no such report, or a rate in it lacks something, with the path.
    """
    fields = Fields(read_json(data, "performance report"))
    rates = []
    for value, path in fields.required_list("performanceMetrics"):
        metrics = Fields(value, path)
        name = next((name for name in _NAMES if metrics.get(name) is not None), "")
        if name and not _not_measured(measured := metrics.required_within(name)):
            rates.append(_rate(metrics.required_text("marketplaceId"), measured))
    return tuple(rates)


def _not_measured(fields: Fields) -> bool:
    return fields.get("rate") is None and fields.text("status") == "NONE"


def _rate(marketplace: str, fields: Fields) -> AmazonRate:
    dates = fields.required_within("reportingDateRange")
    return AmazonRate(
        marketplace=marketplace,
        since=dates.required_moment("reportingDateFrom").date(),
        until=dates.required_moment("reportingDateTo").date(),
        orders=fields.required_number("orderCount"),
        cancelled=fields.required_number("cancellationCount"),
        rate=_share(fields, "rate"),
        target=_share(fields, "targetValue") if fields.get("targetValue") is not None else None,
        condition=fields.text("targetCondition"),
        status=fields.required_text("status"),
    )


def _share(fields: Fields, name: str) -> Decimal:
    value = fields.get(name)
    if isinstance(value, Decimal | int) and not isinstance(value, bool) and 0 <= value <= 100:
        return Decimal(value)
    raise InputError(f"{fields.place(name)} is {'missing' if value is None else 'no share that a rate can be'}")
