"""The guard: may this cancellation go ahead? One pure function over one value (design: guard table). No way to Amazon leads
around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.domain.order import FormalRequest, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.domain.rate import Rate

INSTRUCT_WAY = (
    "answer the buyer with the instruction (My Account > My Orders > Request cancellation) "
    "and cancel when the formal request is on file"
)
REFRESH_WAY = "import a fresh order report and ask again"


class Outcome(StrEnum):
    """What the guard says."""

    ALLOWED = "allowed"
    BLOCKED = "blocked"
    NEEDS_CONFIRMATION = "needs_confirmation"


class RulingCode(StrEnum):
    """Why, in one word; stable for programs."""

    FORMAL_REQUEST = "formal_request"
    OTHER_REASON = "other_reason"
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_ITEM = "unknown_item"
    STALE = "stale"
    STATUS_UNKNOWN = "status_unknown"
    NOT_UNSHIPPED = "not_unshipped"
    AMAZON_FULFILS = "amazon_fulfils"
    REQUEST_UNKNOWN = "request_unknown"
    PARTLY_REQUESTED = "partly_requested"
    INFORMAL = "informal"
    WRONG_REASON = "wrong_reason"
    DISGUISED = "disguised"
    REQUEST_WOULD_BE_FREE = "request_would_be_free"
    REQUEST_DENIED = "request_denied"
    WITHDRAWN_SINCE = "withdrawn_since"
    SOLICITED = "solicited"
    UNREADABLE = "unreadable"
    REPEATED = "repeated"


OVERRIDABLE = frozenset({RulingCode.DISGUISED})
"""Rulings that a second person may override with a written reason: the stock may really be gone."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a ruling rests on. `order` is None when it is not on file. `asked`: an informal request is open. `asked_if`: the
    buyer wants it cancelled only if something happens. `withdrawn`: the buyer's last word takes the request back. `solicited`:
    the seller asked the buyer, who had not asked, to file the request. `rate` is the seven-day rate as the orders on file tell
    it."""

    proposal: Proposal
    now: datetime
    freshness: timedelta
    order: Order | None
    formal: tuple[FormalRequest, ...] = ()
    asked: bool = False
    asked_if: bool = False
    withdrawn: bool = False
    solicited: bool = False
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the guard says of a proposal. `counts`: whether the cancellation would count in the rate (None: it would not happen,
    or cannot be told). `items_without_request` are the items that keep a Buyer Canceled from being allowed. `way_out` says what
    to do instead."""

    outcome: Outcome
    code: RulingCode
    reasons: tuple[str, ...]
    way_out: str = ""
    counts: bool | None = None
    items_without_request: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the cancellation may go ahead as it is."""
        return self.outcome is Outcome.ALLOWED

    @property
    def can_be_overridden(self) -> bool:
        """Whether a second person may let it through with a written reason."""
        return self.code in OVERRIDABLE


def judge(case: Case) -> Ruling:
    """The ruling on one proposal."""
    order = case.order
    if order is None:
        return _blocked(RulingCode.UNKNOWN_ORDER, "the order is not on file, so nothing about it can be verified", REFRESH_WAY)
    if case.now - order.as_of > case.freshness:
        age = _age(case.now - order.as_of)
        return _blocked(
            RulingCode.STALE, f"what is known of the order is {age} old: a request or a shipment may have come since", REFRESH_WAY
        )
    if order.status is OrderStatus.UNKNOWN:
        return _blocked(RulingCode.STATUS_UNKNOWN, "the orders on file do not tell whether it was shipped", REFRESH_WAY)
    if order.status not in {OrderStatus.UNSHIPPED, OrderStatus.PENDING}:
        state = order.status.value.replace("_", " ")
        return _blocked(
            RulingCode.NOT_UNSHIPPED,
            f"the order is {state}: only unshipped orders can be cancelled",
            _way_after_shipping(order.status),
        )
    if order.fulfilment is Fulfilment.AMAZON:
        return _blocked(
            RulingCode.AMAZON_FULFILS,
            "Amazon ships this order and cancels it itself",
            "tell the buyer: My Account > My Orders > Request cancellation",
        )
    order = order.seen_at(case.now, case.freshness)
    item_ids = {item.id for item in order.items if item.id}
    unknown = [item for item in case.proposal.item_ids if item not in item_ids]
    if unknown and item_ids:
        return _blocked(RulingCode.UNKNOWN_ITEM, f"the order has no item {', '.join(unknown)}", "give an item code of this order")
    if case.proposal.reason is CancelReason.BUYER_CANCELED:
        return _buyer_canceled(case, order)
    return _other_reason(case, order)


def _buyer_canceled(case: Case, order: Order) -> Ruling:
    wanted = _wanted(case.proposal, order)
    missing = tuple(item for item in wanted if not _requested(item, case))
    names = tuple(item.id or item.sku for item in missing)
    if not missing and (wanted or any(not request.item_id for request in case.formal)):
        return _formally_requested(case, wanted)
    if _any_request(case, order):
        reason = f"the formal request does not cover item {', '.join(names)}"
        way = "cancel only the items that the request covers"
        return Ruling(Outcome.BLOCKED, RulingCode.PARTLY_REQUESTED, (reason,), way, counts=True, items_without_request=names)
    if not missing or any(item.formal_request is RequestKnowledge.UNKNOWN for item in missing):
        reason = "the orders on file cannot tell whether the buyer filed a formal request; unknown is not yes"
        asked = ("the buyer asked by message",) if case.asked or case.asked_if else ()
        way = f"{REFRESH_WAY}: the report must have the column is-buyer-requested-cancellation"
        return Ruling(Outcome.BLOCKED, RulingCode.REQUEST_UNKNOWN, (reason, *asked), way, items_without_request=names)
    if case.asked or case.asked_if:
        reasons = ("the buyer asked by message only: cancelling would count, also with reason Buyer Canceled",)
        return Ruling(Outcome.BLOCKED, RulingCode.INFORMAL, reasons, INSTRUCT_WAY, counts=True, items_without_request=names)
    said = "the buyer took the request back" if case.withdrawn else "the buyer asked for nothing"
    reasons = (f"{said}: Buyer Canceled would be a wrong reason, it counts and is a violation",)
    way = "ship the order, or cancel with the true reason, which counts"
    return Ruling(Outcome.BLOCKED, RulingCode.WRONG_REASON, reasons, way, counts=True, items_without_request=names)


def _formally_requested(case: Case, wanted: tuple[OrderItem, ...]) -> Ruling:
    denials = sorted({request.denied_by for request in case.formal if request.denied_by and any(map(request.covers, wanted))})
    if denials:
        reasons = (f"a formal request is on file, but {', '.join(denials)}, read later, says there is none",)
        return Ruling(Outcome.NEEDS_CONFIRMATION, RulingCode.REQUEST_DENIED, reasons, "look at the order in Seller Central first")
    if case.withdrawn:
        reasons = ("a formal request is on file, but the buyer's last message takes it back",)
        return Ruling(
            Outcome.NEEDS_CONFIRMATION, RulingCode.WITHDRAWN_SINCE, reasons, "ask the buyer which of the two holds", counts=False
        )
    if case.solicited:
        reasons = ("a formal request is on file, but the buyer filed it because the seller asked for it",)
        return Ruling(Outcome.BLOCKED, RulingCode.SOLICITED, reasons, "cancel with the true reason, which counts", counts=False)
    return Ruling(Outcome.ALLOWED, RulingCode.FORMAL_REQUEST, ("formal request on file: it does not count",), counts=False)


def _other_reason(case: Case, order: Order) -> Ruling:
    wanted = _wanted(case.proposal, order)
    if any(_requested(item, case) for item in wanted) or (not wanted and case.formal):
        reasons = ("a formal request is on file: with Buyer Canceled the cancellation would not count, with this reason it does",)
        way = "cancel with reason Buyer Canceled"
        return Ruling(Outcome.NEEDS_CONFIRMATION, RulingCode.REQUEST_WOULD_BE_FREE, reasons, way, counts=True)
    if case.asked:
        reasons = ("the buyer asked by message: this looks like an informal cancellation under another name",)
        way = f"{INSTRUCT_WAY}; if the reason is true, a second person can override with a written reason"
        return Ruling(Outcome.BLOCKED, RulingCode.DISGUISED, reasons, way, counts=True)
    consequences = ["it counts in the Cancellation Rate"]
    if case.rate is not None and case.rate.orders:
        after = case.rate.with_one_more()
        consequences.append(f"the seven-day rate goes from {case.rate} to {after}; the target is below 2.5%")
    if case.proposal.reason is None:
        consequences.append("no reason is given")
    if any(item.formal_request is RequestKnowledge.UNKNOWN for item in order.items):
        consequences.append("it could not be told whether a formal request is on file; with one, Buyer Canceled would not count")
    return Ruling(Outcome.ALLOWED, RulingCode.OTHER_REASON, tuple(consequences), counts=True)


def judge_message(*, asks_to_file: bool, buyer_asked: bool) -> Ruling | None:
    """The ruling on a message that the seller wants to send, or None when there is nothing against it.

    Asking a buyer to file a request who never asked to cancel is soliciting (domain.md section 1)."""
    if not asks_to_file or buyer_asked:
        return None
    reasons = ("it asks the buyer to file a cancellation request though the buyer never asked to cancel",)
    return Ruling(
        Outcome.BLOCKED, RulingCode.SOLICITED, reasons, "cancel with the true reason, which counts, and tell the buyer so"
    )


def _wanted(proposal: Proposal, order: Order) -> tuple[OrderItem, ...]:
    """The items that are to be cancelled: all of the order, or those named; one that the order does not name by id is known by
    its id only."""
    if not proposal.item_ids:
        return order.items
    by_id = {item.id: item for item in order.items}
    return tuple(by_id.get(item_id, OrderItem(item_id)) for item_id in proposal.item_ids)


def _requested(item: OrderItem, case: Case) -> bool:
    return item.formal_request is RequestKnowledge.YES or any(request.covers(item) for request in case.formal)


def _any_request(case: Case, order: Order) -> bool:
    return bool(case.formal) or any(item.formal_request is RequestKnowledge.YES for item in order.items)


def _blocked(code: RulingCode, reason: str, way_out: str) -> Ruling:
    return Ruling(Outcome.BLOCKED, code, (reason,), way_out)


def _way_after_shipping(status: OrderStatus) -> str:
    if status is OrderStatus.CANCELLED:
        return "nothing is left to do"
    if status is OrderStatus.PARTLY_SHIPPED:
        return "ship and confirm what can be shipped, and refund the rest with an order adjustment"
    return "tell the buyer to refuse the parcel or return it, and refund it then"


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours else f"{int(age.total_seconds() // 60)} minutes"
