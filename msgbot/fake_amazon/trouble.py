"""Trouble on demand: what may go wrong with a call to Amazon, and which calls are to meet it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from msgbot.fake_amazon.call import Reply


class Trouble(StrEnum):
    """What happens to a call."""

    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    QUOTA = "429"
    EXPIRED_TOKEN = "expired token"  # noqa: S105 - no password
    """403, as if the access token had expired."""
    DENIED = "denied"
    """403, as if the seller had not given the application the role for it."""
    CUT_BEFORE = "cut before"
    """The connection ends and nothing was done."""
    CUT_AFTER = "cut after"
    """It was done, and the answer is lost."""
    ERROR_AFTER = "500 after"
    """It was done, and the answer is a 500."""
    SLOW = "slow"
    """It was done, and the answer comes after `seconds`."""
    HTML = "html"
    """503 with a page for people."""
    TRUNCATED = "truncated"
    """It was done, and the answer is half of the JSON."""
    FATAL = "fatal"
    """The feed or report that this call makes ends as FATAL."""
    CANCELLED = "cancelled"
    """The feed or report that this call makes ends as CANCELLED."""


BEFORE = frozenset(
    {
        Trouble.SERVER_ERROR,
        Trouble.UNAVAILABLE,
        Trouble.QUOTA,
        Trouble.EXPIRED_TOKEN,
        Trouble.DENIED,
        Trouble.CUT_BEFORE,
        Trouble.HTML,
    }
)
"""Nothing is done by a call that meets one of these."""

_PAGE = b"<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head><body><h1>We're sorry</h1></body></html>"
_ERRORS = {
    Trouble.SERVER_ERROR: (500, "InternalFailure", "We encountered an internal error. Please try again.", ""),
    Trouble.ERROR_AFTER: (500, "InternalFailure", "We encountered an internal error. Please try again.", ""),
    Trouble.UNAVAILABLE: (503, "ServiceUnavailable", "Service is temporarily unavailable.", ""),
    Trouble.QUOTA: (429, "QuotaExceeded", "You exceeded your quota for the requested resource.", ""),
    Trouble.EXPIRED_TOKEN: (
        403,
        "Unauthorized",
        "Access to requested resource is denied.",
        "The access token you provided has expired.",
    ),
    Trouble.DENIED: (403, "Unauthorized", "Access to requested resource is denied.", ""),
}


def answer_to(kind: Trouble) -> Reply:
    """What Amazon answers in this trouble. Raises KeyError for trouble that is no answer."""
    if kind is Trouble.HTML:
        return Reply(503, raw=_PAGE, content_type="text/html")
    status, code, message, details = _ERRORS[kind]
    return Reply(status, {"errors": [{"code": code, "message": message, "details": details}]})


@dataclass(frozen=True, slots=True)
class Ordered:
    """One piece of trouble that waits for its call; `seconds` is for slow answers."""

    kind: Trouble
    seconds: float = 0.0


class Troubles:
    """The trouble that was ordered, by the name of the operation, in the order in which it is to come; `*` is any operation."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Ordered]] = {}
        self._down_until: datetime | None = None

    def order(self, operation: str, kind: Trouble, times: int, seconds: float) -> None:
        """The next `times` calls of `operation` meet this, after what was ordered before."""
        self._waiting.setdefault(operation, deque()).extend([Ordered(kind, seconds)] * times)

    def down(self, until: datetime | None) -> None:
        """Everything is answered with 503 until then; None: from now on it works again."""
        self._down_until = until

    def meet(self, operation: str, now: datetime) -> Ordered | None:
        """The trouble that this call meets, taken off the list; None mostly."""
        if self._down_until is not None and now < self._down_until:
            return Ordered(Trouble.UNAVAILABLE)
        for name in (operation, "*"):
            if self._waiting.get(name):
                return self._waiting[name].popleft()
        return None


FOREVER = timedelta(days=36_500)
