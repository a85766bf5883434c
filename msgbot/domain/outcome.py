"""Outcomes: what became of an informal request. One class for each, decided by a pure function."""

from __future__ import annotations

from enum import StrEnum

from msgbot.domain.conversation import Conversation
from msgbot.domain.order import Canceller, FormalRequest, Fulfilment, Order, OrderStatus, RequestKnowledge


class Outcome(StrEnum):
    """What became of an informal request."""

    FORMAL_REQUEST = "formal_request"
    """The buyer filed the formal request; cancelling is free of charge."""
    WITHDRAWN = "withdrawn"
    """The buyer took it back."""
    CANCELLED_INFORMALLY = "cancelled_informally"
    """The order is cancelled and no formal request is on file: it counts against the seller."""
    CANCELLED_BY_AMAZON = "cancelled_by_amazon"
    """Amazon cancelled the order, as it does with those it ships: the seller's rate is not touched."""
    CANCELLED_BY_BUYER = "cancelled_by_buyer"
    """The buyer cancelled it alone, in the time in which no seller is asked: the seller's rate is not touched."""
    SHIPPED = "shipped"
    """The order went out."""
    OPEN = "open"
    """Nothing has happened yet."""
    UNKNOWN = "unknown"
    """The order or its state is not on file, or it is cancelled and nothing tells whether a formal request was filed."""


def outcome_of(conversation: Conversation, order: Order | None, formal: tuple[FormalRequest, ...]) -> Outcome:
    """The outcome of the informal request in `conversation`. A formal request settles it, whatever else was said (domain.md
    section 1)."""
    if formal:
        return Outcome.FORMAL_REQUEST
    if order is not None and order.status is OrderStatus.CANCELLED:
        return _cancelled(order)
    if conversation.withdrawal() is not None:
        return Outcome.WITHDRAWN
    if order is None or order.status is OrderStatus.UNKNOWN:
        return Outcome.UNKNOWN
    if order.status in {OrderStatus.SHIPPED, OrderStatus.PARTLY_SHIPPED}:
        return Outcome.SHIPPED
    return Outcome.OPEN


def _cancelled(order: Order) -> Outcome:
    if order.fulfilment is Fulfilment.AMAZON or order.cancelled_by is Canceller.AMAZON:
        return Outcome.CANCELLED_BY_AMAZON
    if order.cancelled_by is Canceller.BUYER:
        return Outcome.CANCELLED_BY_BUYER
    if not order.items or any(item.formal_request is RequestKnowledge.UNKNOWN for item in order.items):
        return Outcome.UNKNOWN
    return Outcome.CANCELLED_INFORMALLY
