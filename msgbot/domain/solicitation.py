"""Soliciting: does a seller's message ask the buyer to file a cancellation request? Allowed only in answer to the buyer's own
wish to cancel (domain.md section 1)."""

from __future__ import annotations

from collections.abc import Iterable

from msgbot.domain.text import fold


def last_steps(paths: Iterable[str]) -> frozenset[str]:
    """What the button is called in each language, folded: the last step of each way through the account."""
    return frozenset(_plain(path.rpartition(">")[2]) for path in paths)


def asks_to_file(text: str, buttons: frozenset[str]) -> bool:
    """Whether `text` names the button by which a buyer files a formal request."""
    plain = _plain(text)
    return any(button in plain for button in buttons)


def _plain(text: str) -> str:
    return " ".join(fold(text).split())
