"""Signatures of webhooks, both ways, as Standard Webhooks 1.0 lays down: three headers, and an HMAC over the bytes of the body."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from standardwebhooks.webhooks import hmac_data

from msgbot.errors import AccessError

ID, TIMESTAMP, SIGNATURE = HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_VERSION = "v1"
# A full stop in the id would let it trade places with the time or the beginning of the body under the same signature.
_ID = re.compile(r"[!-\-/-~]{1,255}")
_SECONDS = re.compile(r"[0-9]{1,12}")


def sign(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers for `body`. `message_id` stays the same when it is sent again; `at` is when it is sent."""
    seconds = str(int(at.timestamp()))
    return {ID: message_id, TIMESTAMP: seconds, SIGNATURE: f"{_VERSION},{_signature(secret, message_id, seconds, body)}"}


def check(secret: str, headers: Mapping[str, str], body: bytes, now: datetime, max_age: timedelta) -> str:
    """The webhook-id of what was signed with `secret` at most `max_age` from `now`, before or after: clocks differ.

    Raises AccessError that says what does not fit."""
    given = {name.lower(): value.strip() for name, value in headers.items()}
    missing = [name for name in HEADERS if not given.get(name)]
    if missing:
        raise _refusal(f"the request has no header {' and no '.join(missing)}")
    message_id, seconds = given[ID], given[TIMESTAMP]
    if not _ID.fullmatch(message_id):
        raise _refusal(f"the {ID} must be at most 255 letters, digits and signs of ASCII, without a full stop or a blank")
    if not _SECONDS.fullmatch(seconds):
        raise _refusal(f"the {TIMESTAMP} must be in whole seconds since 1970")
    age, limit = now.timestamp() - int(seconds), max_age.total_seconds()
    if age > limit:
        raise _refusal(f"the {TIMESTAMP} is {age:.0f} seconds old, more than {limit:.0f}: sign again, or set your clock")
    if age < -limit:
        raise _refusal(f"the {TIMESTAMP} lies {-age:.0f} seconds in the future: set your clock")
    expected = _signature(secret, message_id, seconds, body).encode("ascii")
    for each in given[SIGNATURE].split():
        version, _, signature = each.partition(",")
        if version == _VERSION and hmac.compare_digest(signature.encode("utf-8", "replace"), expected):
            return message_id
    raise _refusal(f"no signature in {SIGNATURE} fits: is it of the raw body, and made with this secret?")


def _signature(secret: str, message_id: str, seconds: str, body: bytes) -> str:
    """In base64. The library's own class takes text only, and looks at a clock of its own."""
    # Blanks around a secret come from copying it; without padding it is read all the same.
    key = base64.b64decode(secret.strip().removeprefix("whsec_") + "==")
    return base64.b64encode(hmac_data(key, f"{message_id}.{seconds}.".encode() + body)).decode("ascii")


def _refusal(reason: str) -> AccessError:
    return AccessError(reason, known=False)
