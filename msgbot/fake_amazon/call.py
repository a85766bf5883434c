"""One call as the fake sees it, what it answers, and the reading of parameters with Amazon's refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A request that came in. `path` has no query; `names` are the parts of it that the route names; `seller_id` is empty for calls
    that no seller makes (tokens, documents, grantless calls)."""

    operation: str
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    names: Mapping[str, str] = field(default_factory=dict)
    seller_id: str = ""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Refusal when it is none."""
        try:
            read = json.loads(self.body)
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise invalid("The request body is no JSON object.")
        return read

    def one(self, name: str) -> str:
        """A parameter's value, or empty. Raises Refusal when it is given more than once."""
        values = self.query.get(name, [])
        if len(values) > 1:
            raise invalid(f"{name} is given more than once.")
        return values[0] if values else ""

    def several(self, name: str, allowed: frozenset[str] = frozenset(), most: int = 0) -> tuple[str, ...]:
        """A list, which Amazon writes with commas. Raises Refusal for an entry that is not `allowed` (where any is named), an empty
        one, or more than `most`."""
        if name not in self.query:
            return ()
        values = tuple(self.one(name).split(","))
        if "" in values or (allowed and not allowed.issuperset(values)) or (most and len(values) > most):
            raise invalid(f"Invalid value for {name}.")
        return values

    def moment(self, name: str) -> datetime | None:
        """A time with its offset, in UTC; None where it is not given. Raises Refusal for anything else."""
        return read_moment(name, self.one(name)) if name in self.query else None

    def number(self, name: str, default: int) -> int:
        """A number from 1 to 100. Raises Refusal for anything else."""
        text = self.one(name) or str(default)
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
            raise invalid(f"{name} must be between 1 and 100.")
        return int(text)

    def only(self, *names: str) -> None:
        """Raises Refusal when a parameter of another name is given."""
        for name in self.query:
            if name not in names:
                raise invalid(f"Unknown parameter {name}.")


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a status and a JSON value (None: no body), or `raw` bytes of some other kind."""

    status: int
    value: object = None
    raw: bytes | None = None
    content_type: str = "application/json"

    def data(self) -> bytes:
        """The body's bytes."""
        if self.raw is not None:
            return self.raw
        return b"" if self.value is None else json.dumps(self.value, ensure_ascii=False).encode()


class Refusal(Exception):
    """Amazon's no: status, its code and its words."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.reply = Reply(status, {"errors": [{"code": code, "message": message, "details": details}]})


def invalid(message: str) -> Refusal:
    """400: the request is wrong."""
    return Refusal(400, "InvalidInput", message)


def denied(details: str, status: int = 403) -> Refusal:
    """403: whoever asks may not, with Amazon's words on why in the details."""
    return Refusal(status, "Unauthorized", "Access to requested resource is denied.", details)


def missing(message: str) -> Refusal:
    """404."""
    return Refusal(404, "NotFound", message)


def read_moment(name: str, text: object) -> datetime:
    """A time with its offset, in UTC. Raises Refusal for anything else."""
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        raise invalid(f"{name} is not in ISO 8601 format.") from None
    if read.tzinfo is None or "T" not in str(text):
        raise invalid(f"{name} is not in ISO 8601 format.")
    return read.astimezone(UTC)


def text_in(body: Mapping[str, Any], name: str) -> str:
    """The text `name` of a JSON body. Raises Refusal when it is missing, empty or something else."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"{name} is required and must be a string.")
    return value


def texts_in(body: Mapping[str, Any], name: str, most: int) -> tuple[str, ...]:
    """The list of 1 to `most` texts `name` of a JSON body. Raises Refusal for anything else."""
    value = body.get(name)
    if not isinstance(value, list) or not 1 <= len(value) <= most or not all(isinstance(each, str) for each in value):
        raise invalid(f"{name} is required and must be a list of 1 to {most} strings.")
    return tuple(value)


def spell(moment: datetime) -> str:
    """A time as Amazon writes it: UTC, with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
