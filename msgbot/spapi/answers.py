"""Amazon's answers: what a good one holds, and which error a bad one is, in plain words and with what to do."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import Message

from msgbot.amazon.fields import Fields
from msgbot.errors import AmazonAway, AmazonDenied, AmazonError, AmazonRefused, AmazonUnclear, InputError
from msgbot.spapi.exchange import NoReply, Reply
from msgbot.spapi.operations import Operation
from msgbot.spapi.tokens import without_tokens

_TOKEN_TROUBLE = re.compile(r"expired|access token|security token|ExpiredToken|InvalidToken|\bUnauthorized\b", re.IGNORECASE)
_MOST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: `body` is its JSON, `raw` the same as it came, `at` our clock when the call was made, before it was sent."""

    status: int
    body: object
    raw: bytes
    amazon_request_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a bad answer says of itself: the first of Amazon's errors, or what its page says."""

    code: str = ""
    message: str = ""
    details: str = ""

    def __str__(self) -> str:
        text = ": ".join(part for part in (self.code, self.message) if part)
        if self.details and self.details != self.message:
            text += f" ({self.details})"
        return text


class Unreadable(ValueError):
    """An answer that is no JSON; the text says what it is instead."""


def request_id(reply: Reply) -> str:
    """What Amazon's support asks for."""
    return (reply.headers.get("x-amzn-requestid") or reply.headers.get("x-amz-request-id") or "")[:100]


def read_json(reply: Reply) -> object:
    """The JSON in an answer. Raises Unreadable."""
    if not reply.body.strip():
        raise Unreadable("the answer is empty")
    text = _text(reply)
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        pass
    if text.lstrip().startswith("<"):
        raise Unreadable("the answer is a web page, no JSON")
    raise Unreadable("the answer is no JSON, or was cut off")


def read_complaint(reply: Reply) -> Complaint:
    """What a bad answer says; nothing where it says nothing that can be read."""
    try:
        said = read_json(reply)
    except Unreadable as problem:
        return Complaint(message=str(problem))
    errors = said.get("errors") if isinstance(said, dict) else said
    first = errors[0] if isinstance(errors, list) and errors else said
    if not isinstance(first, dict):
        return Complaint()
    return Complaint(*(_words(first.get(name)) for name in ("code", "message", "details")))


def blames_token(reply: Reply) -> bool:
    """Whether another token may help: always after 401, after 403 when Amazon says that the token has expired or is none."""
    return reply.status == 401 or (reply.status == 403 and _TOKEN_TROUBLE.search(str(read_complaint(reply))) is not None)


def only_errors(body: object) -> bool:
    """Whether an answer with a good status holds nothing but errors, as the envelopes of the older interfaces may."""
    return isinstance(body, dict) and bool(body.get("errors")) and body.get("payload") is None and len(body) <= 2


def error_of(reply: Reply, operation: Operation, account: str, host: str) -> AmazonError:
    """The error that a bad answer to the call of `operation` for `account` at `host` is."""
    complaint = read_complaint(reply)
    status = reply.status
    said = f"{operation.name} for account {account}: Amazon answered {status}"
    said += f", {complaint}" if str(complaint) else ""
    kind: type[AmazonError]
    if status in {401, 403}:
        kind, advice = AmazonDenied, _advice_denied(status, host)
    elif 400 <= status < 500 and status not in {408, 429}:
        kind, advice = AmazonRefused, _advice_refused(status, operation)
    elif status == 429:
        kind, advice = AmazonAway, "it was asked too often: try again later"
    elif not operation.repeatable:
        kind, advice = AmazonUnclear, "whether it was done is not known: look it up before asking again"
    elif 300 <= status < 400:
        kind, advice = AmazonRefused, f"it points elsewhere, which is not followed: check that {host} is the address of the API"
    else:
        kind, advice = AmazonAway, "it is in trouble: try again later"
    return kind(
        f"{said}; {advice}", operation=operation.name, status=status, code=complaint.code, amazon_request_id=request_id(reply)
    )


def error_of_silence(silence: NoReply, operation: Operation, account: str) -> AmazonError:
    """The error that no answer is."""
    said = f"{operation.name} for account {account}: {silence.why}"
    if silence.sent and not operation.repeatable:
        return AmazonUnclear(f"{said}; whether it was done is not known: look it up before asking again", operation=operation.name)
    if silence.lasting:
        return AmazonRefused(said, operation=operation.name)
    return AmazonAway(f"{said}; try again later", operation=operation.name)


def id_of_made(answer: Answer, operation: Operation, account: str, name: str, *, within: str = "") -> str:
    """The id of what `operation` made. Raises AmazonUnclear where the answer has none: it may be there all the same."""
    try:
        facts = Fields(answer.body)
        return (facts.required_within(within) if within else facts).required_text(name)
    except InputError as problem:
        raise AmazonUnclear(
            f"{operation.name} for account {account}: Amazon took it, but {problem}; look it up before asking again",
            operation=operation.name,
            status=answer.status,
            amazon_request_id=answer.amazon_request_id,
        ) from problem


def error_of_content(reply: Reply, why: str, operation: Operation, account: str) -> AmazonError:
    """The error that an answer with a good status is when nothing can be made of it."""
    kind, advice = (
        (AmazonAway, "try again later")
        if operation.repeatable
        else (AmazonUnclear, "it may have been done: look it up before asking again")
    )
    said = f"{operation.name} for account {account}: Amazon answered {reply.status}, but {why}; {advice}"
    return kind(said, operation=operation.name, status=reply.status, amazon_request_id=request_id(reply))


def charset_of(reply: Reply) -> str | None:
    """The charset that `Content-Type` names, if it names one."""
    header = Message()
    header["content-type"] = reply.headers.get("content-type", "")
    charset = header.get_param("charset")
    return charset.strip() or None if isinstance(charset, str) else None


def _text(reply: Reply) -> str:
    """The body as text. JSON is UTF-8, whatever the header says: the header is only asked where it is not."""
    try:
        return reply.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    charset = charset_of(reply)
    try:
        return codecs.lookup(charset or "").decode(reply.body)[0]
    except (LookupError, ValueError):
        raise Unreadable(f"the answer's letters cannot be read (charset {charset or 'not given'})") from None


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _words(value: object) -> str:
    """One line of a text that Amazon gives, bounded, and without anything secret."""
    return without_tokens(" ".join(value.split())[:_MOST_WORDS]) if isinstance(value, str) else ""


def _advice_denied(status: int, host: str) -> str:
    if status == 401:
        return "a new access token was not taken either: check the application's credentials"
    return (
        "check that the application's registration has the role for this call and that the seller has authorised it since, "
        f"that the seller takes part in the marketplaces, and that they belong to the region of {host}"
    )


def _advice_refused(status: int, operation: Operation) -> str:
    if status == 404:
        return "there is no such thing for this seller: check the id, and that it is of this account and region"
    return "asked the same way, it would be refused again"
