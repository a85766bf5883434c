"""Cancelling: what a seller proposes to do, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.value)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A cancellation that somebody wants to make. No `item_ids` means the whole order; `reason` is None when none was given."""

    order_id: str
    reason: CancelReason | None
    item_ids: tuple[str, ...] = ()
