"""Outcomes: what became of an informal request. One class for each, decided by a pure function."""

from __future__ import annotations

from enum import StrEnum

from msgbot.domain.conversation import Conversation
from msgbot.domain.order import FormalRequest, Order, OrderStatus


class Outcome(StrEnum):
    """What became of an informal request."""

    FORMAL_REQUEST = "formal_request"
    """The buyer filed the formal request; cancelling is free of charge."""
    WITHDRAWN = "withdrawn"
    """The buyer took it back."""
    CANCELLED_INFORMALLY = "cancelled_informally"
    """The order is cancelled and no formal request is on file: it counts against the seller."""
    SHIPPED = "shipped"
    """The order went out."""
    OPEN = "open"
    """Nothing has happened yet."""
    UNKNOWN = "unknown"
    """The order is not on file, or its state is not known."""


def outcome_of(conversation: Conversation, order: Order | None, formal: tuple[FormalRequest, ...]) -> Outcome:
    """The outcome of the informal request in `conversation`. A formal request settles it, whatever else was said (domain.md
    section 1)."""
    if formal:
        return Outcome.FORMAL_REQUEST
    if order is not None and order.status is OrderStatus.CANCELLED:
        return Outcome.CANCELLED_INFORMALLY
    if conversation.withdrawal() is not None:
        return Outcome.WITHDRAWN
    if order is None or order.status is OrderStatus.UNKNOWN:
        return Outcome.UNKNOWN
    if order.status in {OrderStatus.SHIPPED, OrderStatus.PARTLY_SHIPPED}:
        return Outcome.SHIPPED
    return Outcome.OPEN
