"""The errors msgbot raises, as one small tree.

    MsgbotError               anything below; its text is fit to show to a person
    ├── ConfigError           a setting is wrong or missing
    ├── ContentError          rules or replies have faults (all of them, with file and line)
    ├── InputError            a file or value from outside is not what it claims to be
    ├── StoreError            the database cannot be used
    ├── DeliveryError         a reply could not be handed over
    ├── AmazonError           Amazon did not do what it was asked to
    │   ├── AmazonDenied      it does not know us, or does not let us: credentials, access, region
    │   ├── AmazonRefused     it says that the call itself is wrong; the same again would be refused again
    │   ├── AmazonAway        not now: it is down, slow, or was asked too often; later it may work
    │   └── AmazonUnclear     nobody knows whether it was done: the answer to a call that must not be repeated was lost
    ├── NotFound              no such message, order or reply on file
    ├── Conflict              what is asked does not fit what is on file now
    │   └── Stale             somebody changed it since whoever asks looked at it
    ├── AccessError           nobody we know, or not allowed
    └── TooOften              asked again too soon

Adapters translate what libraries raise into these and keep the cause. The domain answers with values instead of raising for what
is to be expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class MsgbotError(Exception):
    """Base of all errors that msgbot raises on purpose; `str()` says what was wrong, where, and what to do."""


class ConfigError(MsgbotError):
    """A setting is wrong or missing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file that a person wrote; `line` and `column` count from 1, 0 means the whole file."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}"
            if self.column:
                place += f":{self.column}"
        return f"{place}: {self.text}"


class ContentError(MsgbotError):
    """Rules or replies have faults; `faults` lists every one."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults

    def __reduce__(self) -> tuple[type[ContentError], tuple[list[Fault]]]:
        # The durable engine keeps errors pickled, which would rebuild this one from its text.
        return ContentError, (self.faults,)


class InputError(MsgbotError):
    """A file or value from outside is not what it claims to be; the text names the place. `field` is the name of the value, where
    it has one."""

    def __init__(self, text: str, *, file: str = "", line: int = 0, column: int = 0, field: str = "") -> None:
        super().__init__(str(Fault(file, line, column, text)) if file else text)
        self.fault = Fault(file, line, column, text)
        self.field = field


class StoreError(MsgbotError):
    """The database cannot be used: locked by another process, of another version, or damaged."""


class DeliveryError(MsgbotError):
    """A reply could not be handed over; nothing was sent."""


class AmazonError(MsgbotError):
    """Amazon did not do what it was asked to. `code` is Amazon's own (`QuotaExceeded`), `status` the HTTP status (0: there was no
    answer), `amazon_request_id` what Amazon's support asks for."""

    def __init__(self, text: str, *, operation: str = "", status: int = 0, code: str = "", amazon_request_id: str = "") -> None:
        super().__init__(f"{text} (Amazon's request id {amazon_request_id})" if amazon_request_id else text)
        self.text = text
        self.operation = operation
        self.status = status
        self.code = code
        self.amazon_request_id = amazon_request_id

    def __reduce__(self) -> tuple[Any, ...]:
        # The durable engine keeps errors pickled, which would rebuild this one from its text.
        return _rebuilt, (type(self), self.text, self.operation, self.status, self.code, self.amazon_request_id)


def _rebuilt(kind: type[AmazonError], text: str, operation: str, status: int, code: str, amazon_request_id: str) -> AmazonError:
    return kind(text, operation=operation, status=status, code=code, amazon_request_id=amazon_request_id)


class AmazonDenied(AmazonError):
    """Amazon does not know us or does not let us: wrong or expired credentials, revoked access, another region."""


class AmazonRefused(AmazonError):
    """Amazon says that the call itself is wrong: the same again would be refused again."""


class AmazonAway(AmazonError):
    """Not now: Amazon is down or slow, or was asked too often. Later it may work."""


class AmazonUnclear(AmazonError):
    """Nobody knows whether it was done: the answer to a call that must not be repeated was lost."""


class NotFound(MsgbotError):
    """No such message, order or reply on file."""


class Conflict(MsgbotError):
    """What is asked does not fit what is on file now: look at it again before asking anew."""


class Stale(Conflict):
    """Somebody changed it since whoever asks looked at it."""


class AccessError(MsgbotError):
    """Whoever asks is nobody we know (`known` is False), or is not allowed to do this."""

    def __init__(self, text: str, *, known: bool = True) -> None:
        super().__init__(text)
        self.known = known


class TooOften(MsgbotError):
    """Asked again too soon; after `seconds` it may be tried again."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds
