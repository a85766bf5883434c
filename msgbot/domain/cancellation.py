"""Cancelling: what a seller proposes to do, and why. Before shipping that is a cancellation, after it an order adjustment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class CancelReason(StrEnum):
    """Why a seller cancels, in the spelling of Amazon's feeds (domain.md section 4).

    Only `BUYER_CANCELED` can be free of charge, and only
    with a formal request on file."""

    NO_INVENTORY = "NoInventory"
    BUYER_CANCELED = "BuyerCanceled"
    PRICING_ERROR = "PricingError"
    SHIPPING_ADDRESS_UNDELIVERABLE = "ShippingAddressUndeliverable"
    CUSTOMER_EXCHANGE = "CustomerExchange"
    GENERAL_ADJUSTMENT = "GeneralAdjustment"
    CARRIER_CREDIT_DECISION = "CarrierCreditDecision"
    RISK_ASSESSMENT_INFORMATION_NOT_VALID = "RiskAssessmentInformationNotValid"
    CARRIER_COVERAGE_FAILURE = "CarrierCoverageFailure"
    CUSTOMER_RETURN = "CustomerReturn"
    MERCHANDISE_NOT_RECEIVED = "MerchandiseNotReceived"

    @property
    def label(self) -> str:
        """What Seller Central calls it: `Buyer Canceled`. Reasons that it does not offer are spelled the same way."""
        return _spaced(self.value)


class AdjustReason(StrEnum):
    """Why a seller takes items off an order that was shipped, in the spelling of Amazon's adjustment feed. It knows more reasons
    (domain.md section 4); these two are cancellations."""

    CUSTOMER_CANCEL = "CustomerCancel"
    NO_INVENTORY = "NoInventory"

    @property
    def label(self) -> str:
        """The reason as people read it: `Customer Cancel`."""
        return _spaced(self.value)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A cancellation that somebody wants to make. No `item_ids` means the whole order; `reason` is None when none was given."""

    order_id: str
    reason: CancelReason | None
    item_ids: tuple[str, ...] = ()

    @property
    def free_reason(self) -> CancelReason:
        """The one reason that can be free of charge: with a formal request on file."""
        return CancelReason.BUYER_CANCELED


@dataclass(frozen=True, slots=True)
class Amount:
    """Money to give back. `kind` is a component of Amazon's adjustment feed: `Principal`, `Tax`, `Shipping`, `ShippingTax`,
    `GiftWrap`, `GiftWrapTax`; `currency` is an ISO 4217 code."""

    kind: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A proposal to take `quantity` of one item off an order that was shipped or partly shipped, and to give the money back
    (domain.md section 1). Each item is ruled on by itself; one feed carries many."""

    order_id: str
    item_id: str
    reason: AdjustReason
    quantity: int
    amounts: tuple[Amount, ...] = ()

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The item, as a cancellation names its items."""
        return (self.item_id,)

    @property
    def free_reason(self) -> AdjustReason:
        """The one reason that can be free of charge: with a formal request for this item on file."""
        return AdjustReason.CUSTOMER_CANCEL


def _spaced(reason: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", reason)
