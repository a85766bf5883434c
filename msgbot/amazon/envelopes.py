"""Envelopes: what Amazon's services put around a notification on its way to a queue, and how it is taken out.

A notification comes bare when Amazon delivers it to the queue itself, as the text `Message` when it came through an SNS topic, and
as the object `detail` when it came through EventBridge.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from msgbot.errors import InputError

_MOST_LAYERS = 3


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What was in a message: `kind` is Amazon's name for it (`ORDER_CHANGE`), empty when it gives none; `data` is its JSON."""

    kind: str
    data: bytes


def open_envelope(data: bytes) -> Enclosed:
    """What is in a message, without what was put around it. Raises InputError when it is no JSON object."""
    for _ in range(_MOST_LAYERS):
        content = _read(data)
        inner = _inner(content)
        if inner is None:
            break
        data = inner
    kind = content.get("NotificationType", content.get("notificationType"))
    return Enclosed(kind if isinstance(kind, str) else "", data)


def _read(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the message is no JSON: {_why(error)}") from error
    if not isinstance(content, dict):
        raise InputError("the message is no JSON object")
    return content


def _why(error: Exception) -> str:
    # The texts of other errors than the parser's own quote what they stumbled over.
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "it is no UTF-8, or holds a number that is far too long"


def _inner(content: dict[str, Any]) -> bytes | None:
    """The message inside this one, or None when this is not an envelope."""
    message, detail = content.get("Message"), content.get("detail")
    if content.get("Type") == "Notification" and isinstance(message, str):
        return message.encode("utf-8", "replace")
    if "detail-type" in content and isinstance(detail, dict):
        return json.dumps(detail).encode("ascii")
    return None
