"""What clients send that is for Amazon: adjustments, and reports that are wanted."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, StrictInt, StrictStr

from msgbot.amazon.order_feeds import AMOUNT_KINDS
from msgbot.domain.cancellation import AdjustReason
from msgbot.fetch_reports import REPORT_TYPES
from msgbot.web.shapes import Body, Word


def _amount_kind(value: str) -> str:
    if value not in AMOUNT_KINDS:
        raise ValueError(f"no kind of amount; these are: {', '.join(AMOUNT_KINDS)}")
    return value


def _positive(value: str) -> str:
    if not Decimal(value):
        raise ValueError("nothing to give back: an amount is more than 0")
    return value


def _fit_together(amounts: list[AmountIn]) -> list[AmountIn]:
    if len({each.currency for each in amounts}) > 1:
        raise ValueError("the amounts are in more than one currency")
    if len({each.kind for each in amounts}) < len(amounts):
        raise ValueError("a kind of amount is there more than once")
    return amounts


def _report_type(value: str) -> str:
    if value not in REPORT_TYPES:
        raise ValueError(f"no report that msgbot reads; these are: {', '.join(REPORT_TYPES)}")
    return value


class AmountIn(Body):
    """Money to give back."""

    kind: Annotated[
        StrictStr, AfterValidator(_amount_kind), Field(json_schema_extra={"enum": list(AMOUNT_KINDS)}, description="Of what.")
    ]
    amount: Annotated[
        StrictStr,
        Field(pattern=r"^[0-9]{1,10}(\.[0-9]{1,2})?$", description="More than 0, as text: `10.00`."),
        AfterValidator(_positive),
    ]
    currency: Annotated[StrictStr, Field(pattern="^[A-Z]{3}$", description="ISO 4217: `EUR`.")]


class AdjustmentIn(Body):
    """What somebody wants to take off one item of an order that was shipped, and to give back. All amounts are in one currency, and
    each kind is there once."""

    item_id: Annotated[Word, Field(min_length=1, max_length=64, description="The item code.")]
    quantity: Annotated[StrictInt, Field(ge=1, le=1_000_000, description="How many of it; ordered and not shipped.")]
    reason: AdjustReason = Field(description="CustomerCancel is free with the buyer's formal request for this item on file.")
    amounts: Annotated[list[AmountIn], Field(min_length=1, max_length=len(AMOUNT_KINDS)), AfterValidator(_fit_together)]
    confirm: Annotated[StrictStr, Field(max_length=32, description="The code of a ruling that needs confirmation.")] = ""


class ReportIn(Body):
    """A report that is wanted."""

    type: Annotated[
        StrictStr, AfterValidator(_report_type), Field(json_schema_extra={"enum": list(REPORT_TYPES)}, description="Amazon's name.")
    ]
