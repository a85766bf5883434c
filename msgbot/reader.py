"""The reader: gives each message its verdict. Needs nothing but rules and words, so it can work in any thread or process."""

from __future__ import annotations

from msgbot.content.replies import built_in_replies
from msgbot.content.rules import built_in_rules
from msgbot.domain.conversation import Turn
from msgbot.domain.detector import Detector
from msgbot.domain.message import Kind, Message
from msgbot.domain.solicitation import asks_to_file, last_steps
from msgbot.domain.verdict import Intent, Verdict

_NOT_READ = Verdict(Intent.NONE, 1.0, says="not read: only buyers' messages are")


class Reader:
    """`buttons` are what the button for a formal request is called, by which a seller's own instruction is recognised."""

    def __init__(self, detector: Detector, buttons: frozenset[str]) -> None:
        self.detector = detector
        self.buttons = buttons

    def read(self, message: Message) -> Turn:
        """The message with its verdict."""
        if message.kind is Kind.BUYER:
            text = message.text if message.text.strip() else message.subject
            return Turn(message, self.detector.detect(text, message.language))
        return Turn(message, _NOT_READ, solicits=message.kind is Kind.SELLER and self._solicits(message.text))

    def _solicits(self, text: str) -> bool:
        return asks_to_file(text, self.buttons) or self.detector.detect(text).intent is Intent.REQUEST


def built_in_reader() -> Reader:
    """A reader with the rules and replies that come with msgbot. Loading them takes a moment."""
    return Reader(Detector(built_in_rules()), last_steps(built_in_replies().paths))
