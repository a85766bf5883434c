"""Errors as problem documents (RFC 9457). The one place that knows which error is which status."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NotRequired

from aiohttp import web
from pydantic import ValidationError
from typing_extensions import TypedDict

from msgbot.errors import (
    AccessError,
    AmazonAway,
    AmazonDenied,
    AmazonError,
    AmazonRefused,
    AmazonUnclear,
    Conflict,
    InputError,
    MsgbotError,
    NotFound,
    Stale,
    StoreError,
    TooOften,
)

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 5
"""When a client may try again after the database could not be used."""
AMAZON_RETRY_SECONDS = 30
"""When a client may try again after Amazon did not answer."""

_TITLES = {
    400: "The request cannot be read",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not there",
    405: "Not that method",
    408: "Too slow",
    409: "It does not fit what is on file",
    412: "Changed in the meantime",
    413: "Too large",
    415: "Not a form msgbot reads",
    422: "Something in it is wrong",
    429: "Too many requests",
    500: "A fault in msgbot itself",
    503: "Not right now",
}


class FaultData(TypedDict):
    """One thing wrong: where (a JSON pointer into the body, or the name of a query parameter or header) and what."""

    path: str
    message: str


class ProblemData(TypedDict):
    """A problem document. `type` is stable and for programs; `detail` says what is wrong and what to do; `request_id` is the one to
    quote."""

    type: str
    title: str
    status: int
    detail: str
    request_id: NotRequired[str]
    errors: NotRequired[list[FaultData]]
    ruling: NotRequired[dict[str, Any]]


class Problem(Exception):
    """An answer that is not what was asked for."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FaultData] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = members

    def __reduce__(self) -> tuple[Callable[..., Problem], tuple[int, str, str]]:
        # Problems come from the reader process, too; a pickled exception would be rebuilt from its text alone.
        return partial(Problem, errors=self.errors, headers=self.headers, **self.members), (self.status, self.code, self.detail)

    def data(self, request_id: str = "") -> dict[str, Any]:
        """The document."""
        document: dict[str, Any] = {
            "type": f"urn:msgbot:problem:{self.code}",
            "title": _TITLES.get(self.status, "It did not work"),
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        if self.errors:
            document["errors"] = self.errors
        if request_id:
            document["request_id"] = request_id
        return document

    def data_bytes(self, request_id: str = "") -> bytes:
        """The document as JSON."""
        return json.dumps(self.data(request_id), ensure_ascii=False).encode("utf-8", "replace")

    def response(self, request_id: str = "") -> web.Response:
        """The document as an answer."""
        return web.Response(status=self.status, body=self.data_bytes(request_id), content_type=CONTENT_TYPE, headers=self.headers)


def problem_of(error: MsgbotError) -> Problem:
    """The problem that an error of a use case is."""
    text = str(error)
    if isinstance(error, AccessError) and not error.known:
        return Problem(401, "unauthenticated", text, headers={"WWW-Authenticate": "Bearer"})
    if isinstance(error, AccessError):
        return Problem(403, "forbidden", text)
    if isinstance(error, TooOften):
        return Problem(429, "rate_limited", text, headers={"Retry-After": str(max(1, math.ceil(error.seconds)))})
    if isinstance(error, NotFound):
        return Problem(404, "not_found", text)
    if isinstance(error, Stale):
        return Problem(412, "changed", text)
    if isinstance(error, Conflict):
        return Problem(409, "conflict", text)
    if isinstance(error, InputError):
        errors: list[FaultData] = [{"path": f"/{error.field}", "message": text}] if error.field else []
        return Problem(422, "invalid", text, errors=errors)
    if isinstance(error, StoreError):
        # What exactly is wrong with the database is for the log, not for strangers.
        detail = "the database cannot be used right now; nothing was changed, try again"
        return Problem(503, "store_unavailable", detail, headers={"Retry-After": str(RETRY_SECONDS)})
    if isinstance(error, AmazonError):
        return _amazon_problem(error)
    return Problem(500, "internal", "a fault in msgbot itself; it is in the log under the request id")


def _amazon_problem(error: AmazonError) -> Problem:
    """The problem that Amazon did not do what it was asked to. Only what may work later is worth trying again."""
    if isinstance(error, AmazonRefused) and error.status == 404:
        return Problem(404, "not_found", str(error))
    if isinstance(error, AmazonAway | AmazonUnclear):
        return Problem(503, "amazon_away", str(error), headers={"Retry-After": str(AMAZON_RETRY_SECONDS)})
    return Problem(503, "amazon_denied" if isinstance(error, AmazonDenied) else "amazon_refused", str(error))


def invalid(error: ValidationError, prefix: str = "") -> Problem:
    """The problem of a body or query that does not have the right shape; every fault is in it."""
    errors = faults(error, prefix)
    detail = "; ".join(f"{fault['path']}: {fault['message']}" for fault in errors[:5])
    return Problem(422, "invalid", detail + ("; ..." if len(errors) > 5 else ""), errors=errors)


def faults(error: ValidationError, prefix: str = "") -> list[FaultData]:
    """Each fault with its JSON pointer (RFC 6901)."""
    return [
        {"path": prefix + _pointer(each["loc"]), "message": each["msg"]}
        for each in error.errors(include_url=False, include_input=False)
    ]


def _pointer(places: tuple[int | str, ...]) -> str:
    return "".join("/" + str(place).replace("~", "~0").replace("/", "~1") for place in places)
