"""Conversations: what all messages about an order say together, as they stand now, in whatever order they came in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgbot.domain.message import Kind, Message
from msgbot.domain.verdict import Intent, Verdict

_NO_DATE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """A message with its verdict. `solicits`: the seller asks the buyer in it to file a formal request. `pruned_at` is when its
    words and addresses were removed, if they were."""

    message: Message
    verdict: Verdict
    solicits: bool = False
    received_at: datetime | None = field(default=None, compare=False)
    pruned_at: datetime | None = field(default=None, compare=False)

    @property
    def place(self) -> tuple[datetime, str]:
        """What turns are ordered by: when they were written, then their ids, so that the order of arrival never matters. Only
        where nothing says when a message was written, the time it came in stands for it."""
        return (self.message.sent_at or self.received_at or _NO_DATE, self.message.id)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns about one order, in the order they were written."""

    turns: tuple[Turn, ...]

    @staticmethod
    def of(turns: Iterable[Turn]) -> Conversation:
        """A conversation of `turns`, which may come in any order."""
        return Conversation(tuple(sorted(turns, key=lambda turn: turn.place)))

    def intent_of(self, turn: Turn) -> Intent:
        """What `turn` means here: a plain "do not cancel" takes an earlier request back, if there is one."""
        if turn.message.kind is not Kind.BUYER:
            return Intent.NONE
        if turn.verdict.intent is Intent.NONE and turn.verdict.opposes and self.asked_before(turn):
            return Intent.WITHDRAWN
        return turn.verdict.intent

    def asked_before(self, turn: Turn) -> bool:
        """Whether the buyer had asked to cancel, with or without a condition, before `turn` was written."""
        return any(
            each.place < turn.place
            and each.message.kind is Kind.BUYER
            and each.verdict.intent in {Intent.REQUEST, Intent.CONDITIONAL}
            for each in self.turns
        )

    def last_word(self) -> Turn | None:
        """The buyer's latest message that says anything about cancelling, or None."""
        return next((turn for turn in reversed(self.turns) if self.intent_of(turn) is not Intent.NONE), None)

    def open_request(self) -> Turn | None:
        """The buyer's informal request as it stands: None when there never was one or it was taken back."""
        last = self.last_word()
        return last if last is not None and self.intent_of(last) in {Intent.REQUEST, Intent.CONDITIONAL} else None

    def asks(self) -> bool:
        """Whether a plain request stands that was not taken back since; a condition added later does not undo it."""
        for turn in reversed(self.turns):
            intent = self.intent_of(turn)
            if intent is Intent.WITHDRAWN:
                return False
            if intent is Intent.REQUEST:
                return True
        return False

    def withdrawal(self) -> Turn | None:
        """The message by which the buyer took the request back, if that is the last word."""
        last = self.last_word()
        return last if last is not None and self.intent_of(last) is Intent.WITHDRAWN else None

    def soliciting(self) -> Turn | None:
        """The seller's message that asked a buyer to file a request who had not asked before (domain.md section 1), if any."""
        for turn in self.turns:
            if turn.solicits and not self.asked_before(turn):
                return turn
        return None
