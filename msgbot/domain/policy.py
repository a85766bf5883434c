"""The policy: which answer a message gets, in which state of its order. One pure function over one value (design: policy table)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from msgbot.domain.guard import judge_message
from msgbot.domain.message import Kind, Message
from msgbot.domain.order import FormalRequest, Fulfilment, Order, OrderStatus, RequestKnowledge
from msgbot.domain.rulebook import Thresholds
from msgbot.domain.verdict import Intent, Verdict


class Action(StrEnum):
    """What is done about a message."""

    SEND = "send"
    SUGGEST = "suggest"
    TELL_SELLER = "tell_seller"
    NOTHING = "nothing"


class Template(StrEnum):
    """The answers there are; `replies/` words each of them in every language."""

    INSTRUCT = "instruct"
    INSTRUCT_NOW = "instruct_now"
    INSTRUCT_FBA = "instruct_fba"
    REQUEST_ON_FILE = "request_on_file"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    ALREADY_CANCELLED = "already_cancelled"
    UNKNOWN_ORDER = "unknown_order"
    CONDITIONAL = "conditional"
    STUCK = "stuck"


INSTRUCTIONS = frozenset({Template.INSTRUCT, Template.INSTRUCT_NOW, Template.INSTRUCT_FBA})
"""The answers that tell a buyer how to file the formal request. An order gets one of them, once."""


class SendingMode(StrEnum):
    """What may be done in a language: send by itself, or suggest only."""

    SEND = "send"
    SUGGEST = "suggest"


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a decision rests on.

    `intent` is what the message means in its conversation. `order` is None when it is not on file. `order_count` is how many
    orders the message names. `instructed_at` is when an instruction for the order went out or was set down to go.
    `overtaken_by` is the id of a later message of the same buyer that now speaks for the conversation. `solicits`: the seller's
    own message asks for a formal request; `buyer_asked`: the buyer had asked to cancel before it. `freshness` is how old order
    facts may be for an answer without a person. `live`: the account is connected to Amazon, so that orders are read afresh;
    `unreadable` is why Amazon could not tell of the order just now.
    """

    message: Message
    intent: Intent
    verdict: Verdict
    thresholds: Thresholds
    now: datetime
    order: Order | None = None
    order_count: int = 0
    formal: tuple[FormalRequest, ...] = ()
    own_window: timedelta = timedelta(minutes=30)
    instructed_at: datetime | None = None
    overtaken_by: str = ""
    overtaken_intent: Intent = Intent.NONE
    mode: SendingMode = SendingMode.SEND
    solicits: bool = False
    buyer_asked: bool = False
    freshness: timedelta = timedelta(hours=24)
    live: bool = False
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a message, and why. `code` is stable and names the row of the policy that decided."""

    action: Action
    code: str
    reasons: tuple[str, ...]
    template: Template | None = None

    @property
    def speaks_for_conversation(self) -> bool:
        """Whether this is now what is to be done about the order, so that earlier suggestions for it are out of date."""
        return self.action in {Action.SEND, Action.SUGGEST, Action.TELL_SELLER}


def formal_state(order: Order | None, formal: tuple[FormalRequest, ...]) -> RequestKnowledge:
    """Whether a formal request is on file for any item of the order. Unknown is not no (domain.md section 2)."""
    if formal:
        return RequestKnowledge.YES
    if order is None or not order.items:
        return RequestKnowledge.UNKNOWN
    known = {item.formal_request for item in order.items}
    if RequestKnowledge.YES in known:
        return RequestKnowledge.YES
    return RequestKnowledge.UNKNOWN if RequestKnowledge.UNKNOWN in known else RequestKnowledge.NO


def decide(situation: Situation) -> Decision:
    """The decision on one message."""
    if situation.message.kind is not Kind.BUYER:
        return _not_a_buyer(situation)
    if situation.intent is Intent.NONE:
        return Decision(Action.NOTHING, "no_request", (_says(situation),))
    if situation.overtaken_by:
        return _overtaken(situation)
    if situation.intent is Intent.WITHDRAWN:
        return _withdrawn(situation)
    if situation.intent is Intent.CONDITIONAL:
        return _careful(
            situation,
            Decision(
                Action.SUGGEST, "conditional", (_says(situation), "a condition is for a person to weigh"), Template.CONDITIONAL
            ),
        )
    return _careful(situation, _requested(situation))


def _says(situation: Situation) -> str:
    verdict = situation.verdict
    if verdict.rule == "-":
        return "nothing in the message speaks of cancelling"
    return f"the message {verdict.says} (score {verdict.score:.2f})"


def _not_a_buyer(situation: Situation) -> Decision:
    message = situation.message
    if message.kind is Kind.FORMAL_REQUEST_NOTICE:
        if formal_state(situation.order, situation.formal) is RequestKnowledge.YES:
            reason = "the formal request is on file: cancel with reason Buyer Canceled, it does not count"
        else:
            reason = _no_request_yet(situation)
        return Decision(Action.TELL_SELLER, "formal_request_notice", (message.note, reason))
    ruling = judge_message(asks_to_file=situation.solicits, buyer_asked=situation.buyer_asked)
    if ruling is not None:
        return Decision(Action.TELL_SELLER, "soliciting", (message.note, *ruling.reasons, ruling.way_out))
    return Decision(Action.NOTHING, f"not_a_buyer_{message.kind.value}", (message.note,))


def _no_request_yet(situation: Situation) -> str:
    """What to do about a mail that tells of a formal request where none is on file."""
    if situation.unreadable:
        return f"a mail is no proof, and Amazon could not be asked just now: {situation.unreadable}"
    if situation.live and situation.order is not None:
        return "a mail is no proof, and Amazon shows no formal request yet: the order is read again before it is cancelled"
    return "read the order again before anything else: a mail is no proof, and the orders on file show no formal request"


def _overtaken(situation: Situation) -> Decision:
    if situation.overtaken_intent is Intent.WITHDRAWN:
        return Decision(Action.NOTHING, "withdrawn_later", (_says(situation), "the buyer took it back in a later message"))
    return Decision(Action.NOTHING, "asked_again_later", (_says(situation), "a later message of the buyer gets the answer"))


def _withdrawn(situation: Situation) -> Decision:
    reasons = [_says(situation), "no instruction will be sent; ship as usual"]
    if formal_state(situation.order, situation.formal) is RequestKnowledge.YES:
        reasons[1] = "but a formal request is on file: ask the buyer to withdraw it in their account, or settle it before shipping"
    return Decision(Action.TELL_SELLER, "withdrawn", tuple(reasons))


def _requested(situation: Situation) -> Decision:
    says = _says(situation)
    order = situation.order
    if situation.verdict.opposes:
        reason = "it asks to cancel and not to cancel: a person must read it"
        return Decision(Action.TELL_SELLER, "contradictory", (says, reason))
    if situation.order_count > 1:
        reason = "it names more than one order: a person must see which of them is meant"
        return Decision(Action.SUGGEST, "several_orders", (says, reason), Template.INSTRUCT)
    if order is None:
        if situation.order_count:
            return Decision(Action.SUGGEST, "unknown_order", (says, _not_on_file(situation)), Template.INSTRUCT)
        return Decision(Action.SUGGEST, "no_order", (says, "it names no order"), Template.UNKNOWN_ORDER)
    formal = formal_state(order, situation.formal)
    if order.status is OrderStatus.CANCELLED:
        return Decision(Action.SUGGEST, "already_cancelled", (says, "the order is cancelled already"), Template.ALREADY_CANCELLED)
    if order.status is OrderStatus.SHIPPED:
        return Decision(Action.SUGGEST, "shipped", (says, "the order is shipped: it can be refused or returned"), Template.SHIPPED)
    if order.status is OrderStatus.PARTLY_SHIPPED:
        reason = "a part is shipped: what is unshipped can be requested, what is shipped can be returned"
        return Decision(Action.SUGGEST, "partly_shipped", (says, reason), Template.PARTLY_SHIPPED)
    if order.status is OrderStatus.UNKNOWN:
        return Decision(
            Action.SUGGEST, "unknown_status", (says, "the orders on file do not tell whether it was shipped"), Template.INSTRUCT
        )
    if order.fulfilment is Fulfilment.AMAZON:
        if situation.instructed_at is not None:
            return _instructed_before(situation, situation.instructed_at, says)
        return Decision(
            Action.SEND,
            "fba",
            (says, "Amazon ships this order and handles its cancellation; the path is the same"),
            Template.INSTRUCT_FBA,
        )
    if formal is RequestKnowledge.YES:
        reason = "formal request on file: cancel with Buyer Canceled, it does not count"
        return Decision(Action.TELL_SELLER, "request_on_file", (says, reason), Template.REQUEST_ON_FILE)
    if situation.instructed_at is not None:
        return _instructed_before(situation, situation.instructed_at, says)
    if formal is RequestKnowledge.UNKNOWN:
        reason = "the orders on file cannot tell whether a formal request exists"
        return Decision(Action.SUGGEST, "formal_request_unknown", (says, reason), Template.INSTRUCT)
    if situation.verdict.filed:
        reason = "the buyer says that a request was already filed, and none is on file: look at the order first"
        return Decision(Action.SUGGEST, "says_filed", (says, reason), Template.INSTRUCT)
    if order.purchased_at is not None and situation.now - order.purchased_at < situation.own_window:
        minutes = int(situation.own_window.total_seconds() // 60)
        reason = f"ordered less than {minutes} minutes ago: the buyer can still cancel alone"
        return Decision(Action.SEND, "own_window", (says, reason), Template.INSTRUCT_NOW)
    return Decision(
        Action.SEND,
        "instruct",
        (says, "no formal request is on file, so cancelling would count against the seller"),
        Template.INSTRUCT,
    )


def _not_on_file(situation: Situation) -> str:
    reason = "the order is not on file"
    return f"{reason}, and could not be read from Amazon: {situation.unreadable}" if situation.unreadable else reason


def _instructed_before(situation: Situation, instructed_at: datetime, says: str) -> Decision:
    sent = situation.message.sent_at
    if sent is not None and sent <= instructed_at:
        return Decision(Action.NOTHING, "answered_already", (says, "the instruction sent for this order answers this message too"))
    reason = "the instruction was sent and the buyer writes again: the buyer is stuck"
    return Decision(Action.TELL_SELLER, "stuck", (says, reason), Template.STUCK)


def _careful(situation: Situation, decision: Decision) -> Decision:
    """`decision` made weaker where sending by itself would be too bold; the reason is added."""
    if decision.action is not Action.SEND:
        return decision
    doubts = []
    if situation.unreadable:
        doubts.append(f"the order could not be read from Amazon just now: {situation.unreadable}")
    if situation.order is not None and situation.now - situation.order.as_of > situation.freshness:
        way = "it must be read from Amazon again" if situation.live else "import a fresh order report"
        doubts.append(f"what is known of the order is too old: {way}")
    if situation.verdict.score < situation.thresholds.send:
        doubts.append(f"not sure enough to send: the score is below {situation.thresholds.send:.2f}")
    if not situation.message.buyer_address:
        doubts.append("there is no relay address to send to")
    if situation.mode is not SendingMode.SEND:
        doubts.append("the reply's wording in this language is not verified, or sending is switched off for it")
    if not doubts:
        return decision
    return replace(decision, action=Action.SUGGEST, reasons=(*decision.reasons, *doubts))
