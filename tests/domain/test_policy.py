"""The policy table of the design, row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from msgbot.domain.message import Kind, Message, Source
from msgbot.domain.order import FormalRequest, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.domain.policy import INSTRUCTIONS, Action, SendingMode, Situation, Template, decide
from msgbot.domain.rulebook import Thresholds
from msgbot.domain.verdict import Intent, Verdict

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ORDER_ID = "114-0000001-0000001"
REQUEST = Verdict(Intent.REQUEST, 0.95, "asks-for-order/en", "asks to cancel the order", language="en")
ON_FILE = (FormalRequest(ORDER_ID, "1", "a report", NOW),)


def order(status: OrderStatus = OrderStatus.UNSHIPPED, **changes: object) -> Order:
    """An order of yesterday, by the seller, without a formal request."""
    made = Order(
        "main",
        ORDER_ID,
        status,
        Fulfilment.SELLER,
        NOW,
        "a report",
        (OrderItem("1", formal_request=RequestKnowledge.NO),),
        purchased_at=NOW - timedelta(days=1),
        request_as_of=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def situation(**changes: object) -> Situation:
    """A buyer's request about an unshipped order that is on file."""
    message = Message("main", "<1@a>", Kind.BUYER, Source.MAIL, "please cancel", NOW, (ORDER_ID,), "b+1@marketplace.amazon.com")
    made = Situation(message, Intent.REQUEST, REQUEST, Thresholds(send=0.85, suggest=0.5), NOW, order(), 1)
    return replace(made, **changes)  # type: ignore[arg-type]


UNKNOWN_ITEMS = (OrderItem("1"),)
MESSAGE = situation().message
ROWS = [
    # unshipped or pending, nothing on file: send the instruction
    ("instruct", {}, Action.SEND, Template.INSTRUCT),
    ("instruct", {"order": order(OrderStatus.PENDING)}, Action.SEND, Template.INSTRUCT),
    # within the buyer's own 30 minutes; the first minute after them is the seller's again
    ("own_window", {"order": order(purchased_at=NOW - timedelta(minutes=29))}, Action.SEND, Template.INSTRUCT_NOW),
    ("instruct", {"order": order(purchased_at=NOW - timedelta(minutes=30))}, Action.SEND, Template.INSTRUCT),
    # Japan: five minutes
    (
        "instruct",
        {"order": order(purchased_at=NOW - timedelta(minutes=6)), "own_window": timedelta(minutes=5)},
        Action.SEND,
        Template.INSTRUCT,
    ),
    # the order's age is not known: the plain instruction is right in any case
    ("instruct", {"order": order(purchased_at=None)}, Action.SEND, Template.INSTRUCT),
    # a formal request is on file, from either table
    ("request_on_file", {"formal": ON_FILE}, Action.TELL_SELLER, Template.REQUEST_ON_FILE),
    (
        "request_on_file",
        {"order": order(items=(OrderItem("1", formal_request=RequestKnowledge.YES),))},
        Action.TELL_SELLER,
        Template.REQUEST_ON_FILE,
    ),
    # whether one is on file cannot be told: not sent blind
    ("formal_request_unknown", {"order": order(items=UNKNOWN_ITEMS)}, Action.SUGGEST, Template.INSTRUCT),
    ("formal_request_unknown", {"order": order(items=())}, Action.SUGGEST, Template.INSTRUCT),
    # shipped, partly shipped, cancelled
    ("partly_shipped", {"order": order(OrderStatus.PARTLY_SHIPPED)}, Action.SUGGEST, Template.PARTLY_SHIPPED),
    ("partly_shipped", {"order": order(OrderStatus.PARTLY_SHIPPED), "formal": ON_FILE}, Action.SUGGEST, Template.PARTLY_SHIPPED),
    ("shipped", {"order": order(OrderStatus.SHIPPED)}, Action.SUGGEST, Template.SHIPPED),
    ("already_cancelled", {"order": order(OrderStatus.CANCELLED)}, Action.SUGGEST, Template.ALREADY_CANCELLED),
    # FBA: the same path, whatever is known of a formal request
    ("fba", {"order": order(fulfilment=Fulfilment.AMAZON)}, Action.SEND, Template.INSTRUCT_FBA),
    ("fba", {"order": order(fulfilment=Fulfilment.AMAZON, items=UNKNOWN_ITEMS)}, Action.SEND, Template.INSTRUCT_FBA),
    ("shipped", {"order": order(OrderStatus.SHIPPED, fulfilment=Fulfilment.AMAZON)}, Action.SUGGEST, Template.SHIPPED),
    # unknown order, unknown status, no order named, several named
    ("unknown_order", {"order": None}, Action.SUGGEST, Template.INSTRUCT),
    ("unknown_status", {"order": order(OrderStatus.UNKNOWN)}, Action.SUGGEST, Template.INSTRUCT),
    ("no_order", {"order": None, "order_count": 0}, Action.SUGGEST, Template.UNKNOWN_ORDER),
    ("several_orders", {"order_count": 2}, Action.SUGGEST, Template.INSTRUCT),
    # instructed before: written after it, the buyer is stuck; written before it, the instruction answers this one too
    ("stuck", {"instructed_at": NOW - timedelta(hours=1)}, Action.TELL_SELLER, Template.STUCK),
    ("answered_already", {"instructed_at": NOW + timedelta(minutes=1)}, Action.NOTHING, None),
    (
        "stuck",
        {"instructed_at": NOW - timedelta(hours=1), "order": order(fulfilment=Fulfilment.AMAZON)},
        Action.TELL_SELLER,
        Template.STUCK,
    ),
    # conditional, withdrawn, none
    ("conditional", {"intent": Intent.CONDITIONAL}, Action.SUGGEST, Template.CONDITIONAL),
    ("conditional", {"intent": Intent.CONDITIONAL, "order": order(OrderStatus.SHIPPED)}, Action.SUGGEST, Template.CONDITIONAL),
    ("withdrawn", {"intent": Intent.WITHDRAWN}, Action.TELL_SELLER, None),
    ("no_request", {"intent": Intent.NONE}, Action.NOTHING, None),
    # between the two thresholds
    ("instruct", {"verdict": replace(REQUEST, score=0.84)}, Action.SUGGEST, Template.INSTRUCT),
    (
        "fba",
        {"verdict": replace(REQUEST, score=0.6), "order": order(fulfilment=Fulfilment.AMAZON)},
        Action.SUGGEST,
        Template.INSTRUCT_FBA,
    ),
    # nobody to send to, or a language that is not sent by itself
    ("instruct", {"message": replace(MESSAGE, buyer_address="")}, Action.SUGGEST, Template.INSTRUCT),
    ("instruct", {"mode": SendingMode.SUGGEST}, Action.SUGGEST, Template.INSTRUCT),
    # the buyer says it was filed, and nothing is on file
    ("says_filed", {"verdict": replace(REQUEST, filed=True)}, Action.SUGGEST, Template.INSTRUCT),
    # what is known of the order is older than the freshness limit: not sent without a person
    ("instruct", {"order": order(as_of=NOW - timedelta(hours=25))}, Action.SUGGEST, Template.INSTRUCT),
    # the message contradicts itself
    ("contradictory", {"verdict": replace(REQUEST, opposes=True)}, Action.TELL_SELLER, None),
    # a later message speaks for the conversation
    ("asked_again_later", {"overtaken_by": "<2@a>", "overtaken_intent": Intent.REQUEST}, Action.NOTHING, None),
    ("withdrawn_later", {"overtaken_by": "<2@a>", "overtaken_intent": Intent.WITHDRAWN}, Action.NOTHING, None),
]


@pytest.mark.parametrize(("code", "changes", "action", "template"), ROWS)
def test_each_row_of_the_table(code: str, changes: dict[str, object], action: Action, template: Template | None) -> None:
    decision = decide(situation(**changes))
    assert (decision.code, decision.action, decision.template) == (code, action, template)
    assert decision.reasons
    assert all(decision.reasons), "every decision says why"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in {Kind.BUYER, Kind.FORMAL_REQUEST_NOTICE}])
def test_what_is_no_buyers_message_gets_no_answer(kind: Kind) -> None:
    """Automatic mail, lists, bounces, strangers and our own mail are recorded as such, whatever their words say."""
    decision = decide(situation(message=replace(MESSAGE, kind=kind, note="a reason")))
    assert (decision.action, decision.template) == (Action.NOTHING, None)


def test_a_notice_of_a_formal_request_is_no_proof() -> None:
    notice = replace(MESSAGE, kind=Kind.FORMAL_REQUEST_NOTICE, note="Amazon says so")
    told = decide(situation(message=notice))
    assert told.action is Action.TELL_SELLER
    assert "no proof" in told.reasons[1]
    assert "on file" in decide(situation(message=notice, formal=ON_FILE)).reasons[1]


def test_a_withdrawal_with_a_formal_request_on_file_says_so() -> None:
    decision = decide(situation(intent=Intent.WITHDRAWN, formal=ON_FILE))
    assert any("formal request is on file" in reason for reason in decision.reasons)


def test_soliciting_is_told_to_the_seller() -> None:
    decision = decide(situation(message=replace(MESSAGE, kind=Kind.SELLER), solicits=True))
    assert (decision.action, decision.code) == (Action.TELL_SELLER, "soliciting")


@pytest.mark.parametrize(("code", "changes", "action", "template"), ROWS)
def test_nothing_is_sent_where_an_order_is_gone_or_a_request_is_on_file(
    code: str, changes: dict[str, object], action: Action, template: Template | None
) -> None:
    """Whatever else holds: no instruction goes out by itself for a shipped or cancelled order, or one with a formal request on
    file."""
    for status in (OrderStatus.SHIPPED, OrderStatus.PARTLY_SHIPPED, OrderStatus.CANCELLED):
        decision = decide(situation(**{**changes, "order": order(status)}))
        assert decision.action is not Action.SEND
    decision = decide(situation(**{**changes, "order": order(), "formal": ON_FILE}))
    assert not (decision.action is Action.SEND and decision.template in INSTRUCTIONS)


OLD = order(as_of=NOW - timedelta(hours=25))


@pytest.mark.parametrize(
    ("changes", "says", "never"),
    [
        ({"order": OLD}, "import a fresh order report", "Amazon"),
        ({"order": OLD, "live": True}, "must be read from Amazon again", "report"),
        ({"live": True, "unreadable": "it is down"}, "could not be read from Amazon just now: it is down", "too old"),
        (
            {"order": None, "live": True, "unreadable": "it is down"},
            "could not be read from Amazon: it is down",
            "report",
        ),
        ({"order": None}, "the order is not on file", "Amazon"),
    ],
)
def test_what_to_do_about_old_facts_depends_on_where_they_come_from(changes: dict[str, object], says: str, never: str) -> None:
    decision = decide(situation(**changes))
    reasons = "; ".join(decision.reasons[1:])
    assert (decision.action, says in reasons, never in reasons) == (Action.SUGGEST, True, False), reasons


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "read the order again before anything else"),
        ({"live": True}, "Amazon shows no formal request yet"),
        ({"live": True, "unreadable": "it is down"}, "Amazon could not be asked just now: it is down"),
    ],
)
def test_a_notice_without_a_request_on_file_says_who_reads_the_order(changes: dict[str, object], says: str) -> None:
    notice = replace(MESSAGE, kind=Kind.FORMAL_REQUEST_NOTICE, note="Amazon says so")
    decision = decide(situation(message=notice, **changes))
    assert says in decision.reasons[1]
    assert "no proof" in decision.reasons[1]
