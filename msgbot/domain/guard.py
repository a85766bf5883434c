"""The guard: may this cancellation go ahead? One pure function over one value (design: guard table). No way to Amazon leads
around it. Order adjustments are ruled on in `guard_adjustment`, by the same rules where they are the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

from msgbot.domain.cancellation import Adjustment, Proposal
from msgbot.domain.order import FormalRequest, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.domain.rate import Rate

INSTRUCT_WAY = (
    "answer the buyer with the instruction (My Account > My Orders > Request cancellation) "
    "and cancel when the formal request is on file"
)
REFRESH_WAY = "import a fresh order report and ask again"
UNKNOWN_WAY = "`msgbot cancel` reads every order that Amazon knows by itself: check the order id, and that it is of this account"
LIVE_WAY = "re-read the order (`msgbot cancel` does it by itself) and ask again"


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
    UNVERIFIED = "unverified"
    STALE = "stale"
    STATUS_UNKNOWN = "status_unknown"
    NOT_UNSHIPPED = "not_unshipped"
    NOT_SHIPPED = "not_shipped"
    WRONG_QUANTITY = "wrong_quantity"
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
    UNDER_WAY = "under_way"
    UNREADABLE = "unreadable"
    REPEATED = "repeated"


OVERRIDABLE = frozenset({RulingCode.DISGUISED})
"""Rulings that a second person may override with a written reason: the stock may really be gone."""


Asked_co = TypeVar("Asked_co", bound=Proposal | Adjustment, covariant=True)


@dataclass(frozen=True, slots=True)
class Case(Generic[Asked_co]):
    """Everything a ruling rests on. `order` is None when it is not on file. `asked`: an informal request is open. `asked_if`: the
    buyer wants it cancelled only if something happens. `withdrawn`: the buyer's last word takes the request back. `solicited`:
    the seller asked the buyer, who had not asked, to file the request. `rate` is the seven-day rate as the orders on file tell
    it. `live`: the account is connected to Amazon; `unreadable` says why the order could not be re-read from there just now, if
    it could not. `adjusted` is how many of the item were taken off before. `under_way` is the id of a cancellation of the same
    items that msgbot hands to Amazon, or has handed there."""

    proposal: Asked_co
    now: datetime
    freshness: timedelta
    order: Order | None
    formal: tuple[FormalRequest, ...] = ()
    asked: bool = False
    asked_if: bool = False
    withdrawn: bool = False
    solicited: bool = False
    rate: Rate | None = None
    live: bool = False
    unreadable: str = ""
    adjusted: int = 0
    under_way: str = ""


AnyCase: TypeAlias = Case[Proposal | Adjustment]


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


def judge(case: Case[Proposal]) -> Ruling:
    """The ruling on one cancellation."""
    order = verified(case)
    if isinstance(order, Ruling):
        return order
    if case.under_way:
        return blocked(
            RulingCode.UNDER_WAY,
            f"msgbot cancels it already (cancellation {case.under_way}): once more could be too often",
            "wait for that one, or withdraw it first",
        )
    if order.status not in {OrderStatus.UNSHIPPED, OrderStatus.PENDING}:
        state = order.status.value.replace("_", " ")
        return blocked(
            RulingCode.NOT_UNSHIPPED,
            f"the order is {state}: only unshipped orders can be cancelled",
            _way_after_shipping(order.status),
        )
    item_ids = {item.id for item in order.items if item.id}
    unknown = [item for item in case.proposal.item_ids if item not in item_ids]
    if unknown and item_ids:
        return blocked(RulingCode.UNKNOWN_ITEM, f"the order has no item {', '.join(unknown)}", "give an item code of this order")
    return judge_reason(case, order)


def verified(case: AnyCase) -> Order | Ruling:
    """The order as it may be relied on, or the ruling on a case that cannot be verified or is Amazon's own to settle."""
    order = case.order
    if case.unreadable:
        reason = f"cannot verify: the order could not be re-read from Amazon ({case.unreadable}), and the guard fails closed"
        return blocked(RulingCode.UNVERIFIED, reason, "try again when Amazon answers: `msgbot amazon status` shows it")
    if order is None:
        way = UNKNOWN_WAY if case.live else REFRESH_WAY
        return blocked(RulingCode.UNKNOWN_ORDER, "the order is not on file, so nothing about it can be verified", way)
    if case.now - order.as_of > case.freshness:
        age = _age(case.now - order.as_of)
        reason = f"what is known of the order is {age} old: a request or a shipment may have come since"
        return blocked(RulingCode.STALE, reason, refresh_way(case))
    if order.status is OrderStatus.UNKNOWN:
        return blocked(RulingCode.STATUS_UNKNOWN, "the orders on file do not tell whether it was shipped", refresh_way(case))
    if order.fulfilment is Fulfilment.AMAZON:
        return blocked(
            RulingCode.AMAZON_FULFILS,
            "Amazon ships this order and cancels it itself",
            "tell the buyer: My Account > My Orders > Request cancellation",
        )
    return order.seen_at(case.now, case.freshness)


def judge_reason(case: AnyCase, order: Order) -> Ruling:
    """The ruling on a case where only the reason is still in question: is it the true one, and does it count?"""
    wanted = _wanted(case, order)
    if case.proposal.reason is case.proposal.free_reason:
        return _buyer_cancels(case, order, wanted)
    return _seller_cancels(case, order, wanted)


def _buyer_cancels(case: AnyCase, order: Order, wanted: tuple[OrderItem, ...]) -> Ruling:
    label = case.proposal.free_reason.label
    missing = tuple(item for item in wanted if not _requested(item, case))
    names = tuple(item.id or item.sku for item in missing)
    if not missing and (wanted or any(not request.item_id for request in case.formal)):
        return _formally_requested(case, wanted)
    if _any_request(case, order):
        reason = f"the formal request does not cover item {', '.join(names)}"
        way = "leave out what the request does not cover"
        return Ruling(Outcome.BLOCKED, RulingCode.PARTLY_REQUESTED, (reason,), way, counts=True, items_without_request=names)
    if not missing or any(item.formal_request is RequestKnowledge.UNKNOWN for item in missing):
        reason = "the orders on file cannot tell whether the buyer filed a formal request; unknown is not yes"
        asked = ("the buyer asked by message",) if case.asked or case.asked_if else ()
        way = refresh_way(case) + ("" if case.live else ": the report must have the column is-buyer-requested-cancellation")
        return Ruling(Outcome.BLOCKED, RulingCode.REQUEST_UNKNOWN, (reason, *asked), way, items_without_request=names)
    if case.asked or case.asked_if:
        reasons = (f"the buyer asked by message only: it would count, also with reason {label}",)
        way = _way_to_ask(order)
        return Ruling(Outcome.BLOCKED, RulingCode.INFORMAL, reasons, way, counts=True, items_without_request=names)
    said = "the buyer took the request back" if case.withdrawn else "the buyer asked for nothing"
    reasons = (f"{said}: {label} would be a wrong reason, it counts and is a violation",)
    way = "ship what was ordered, or give the true reason, which counts"
    return Ruling(Outcome.BLOCKED, RulingCode.WRONG_REASON, reasons, way, counts=True, items_without_request=names)


def _formally_requested(case: AnyCase, wanted: tuple[OrderItem, ...]) -> Ruling:
    if case.solicited:
        # First: nothing that a person confirms makes it right.
        reasons = ("a formal request is on file, but the buyer filed it because the seller asked for it",)
        return Ruling(Outcome.BLOCKED, RulingCode.SOLICITED, reasons, "give the true reason, which counts", counts=False)
    about = [request for request in case.formal if not wanted or any(map(request.covers, wanted))]
    denials = sorted({request.denied_by for request in about if request.denied_by})
    if denials:
        reasons = (f"a formal request is on file, but {', '.join(denials)}, read later, says there is none",)
        return Ruling(Outcome.NEEDS_CONFIRMATION, RulingCode.REQUEST_DENIED, reasons, "look at the order in Seller Central first")
    if case.withdrawn:
        reasons = ("a formal request is on file, but the buyer's last message takes it back",)
        return Ruling(
            Outcome.NEEDS_CONFIRMATION, RulingCode.WITHDRAWN_SINCE, reasons, "ask the buyer which of the two holds", counts=False
        )
    return Ruling(Outcome.ALLOWED, RulingCode.FORMAL_REQUEST, ("formal request on file: it does not count",), counts=False)


def _seller_cancels(case: AnyCase, order: Order, wanted: tuple[OrderItem, ...]) -> Ruling:
    if any(_requested(item, case) for item in wanted) or (not wanted and case.formal):
        label = case.proposal.free_reason.label
        reasons = (f"a formal request is on file: with reason {label} it would not count, with this one it does",)
        way = f"give the reason {label}"
        return Ruling(Outcome.NEEDS_CONFIRMATION, RulingCode.REQUEST_WOULD_BE_FREE, reasons, way, counts=True)
    if case.asked:
        reasons = ("the buyer asked by message: this looks like an informal cancellation under another name",)
        way = f"{_way_to_ask(order)}; if the reason is true, a second person can override with a written reason"
        return Ruling(Outcome.BLOCKED, RulingCode.DISGUISED, reasons, way, counts=True)
    consequences = ["it counts in the Cancellation Rate"]
    if case.rate is not None and case.rate.orders:
        after = case.rate.with_one_more()
        consequences.append(f"the seven-day rate goes from {case.rate} to {after}; the target is below 2.5%")
    if case.proposal.reason is None:
        consequences.append("no reason is given")
    if any(item.formal_request is RequestKnowledge.UNKNOWN for item in order.items):
        free = case.proposal.free_reason.label
        consequences.append(f"it could not be told whether a formal request is on file; with one, {free} would not count")
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


def refresh_way(case: AnyCase) -> str:
    """How newer facts of the order are had."""
    return LIVE_WAY if case.live else REFRESH_WAY


def blocked(code: RulingCode, reason: str, way_out: str) -> Ruling:
    """The ruling that stops what would not happen anyhow, or cannot be verified."""
    return Ruling(Outcome.BLOCKED, code, (reason,), way_out)


def _wanted(case: AnyCase, order: Order) -> tuple[OrderItem, ...]:
    """The items that are to be cancelled: all that are left of the order, or those named; one that the order does not name by id is
    known by its id only."""
    if not case.proposal.item_ids:
        return order.items_left
    by_id = {item.id: item for item in order.items}
    return tuple(by_id.get(item_id, OrderItem(item_id)) for item_id in case.proposal.item_ids)


def _requested(item: OrderItem, case: AnyCase) -> bool:
    return item.formal_request is RequestKnowledge.YES or any(request.covers(item) for request in case.formal)


def _any_request(case: AnyCase, order: Order) -> bool:
    return bool(case.formal) or any(item.formal_request is RequestKnowledge.YES for item in order.items)


def _way_to_ask(order: Order) -> str:
    if order.status is OrderStatus.SHIPPED:
        return "the buyer can no longer file a request: take the items back as a return, and refund them then"
    return INSTRUCT_WAY


def _way_after_shipping(status: OrderStatus) -> str:
    if status is OrderStatus.CANCELLED:
        return "nothing is left to do"
    if status is OrderStatus.PARTLY_SHIPPED:
        return "ship and confirm what can be shipped, and refund the rest with an order adjustment"
    return "tell the buyer to refuse the parcel or return it, and refund it then"


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours else f"{int(age.total_seconds() // 60)} minutes"
