"""What is put around notifications is taken off, and what is none is told."""

from __future__ import annotations

import json

import pytest

from msgbot.amazon.envelopes import Enclosed, open_envelope
from msgbot.errors import InputError

BARE = '{"NotificationType": "ORDER_CHANGE"}'


def in_sns(text: str) -> str:
    return json.dumps({"Type": "Notification", "Message": text})


@pytest.mark.parametrize(
    ("text", "kind", "data"),
    [
        (BARE, "ORDER_CHANGE", BARE),
        (in_sns(BARE), "ORDER_CHANGE", BARE),
        (in_sns(in_sns(BARE)), "ORDER_CHANGE", BARE),
        (json.dumps({"detail-type": "x", "detail": json.loads(BARE)}), "ORDER_CHANGE", BARE),
        ('{"notificationType": "ANY_OFFER_CHANGED"}', "ANY_OFFER_CHANGED", '{"notificationType": "ANY_OFFER_CHANGED"}'),
        ('{"NotificationType": 7}', "", '{"NotificationType": 7}'),
        ('{"Type": "Notification", "Message": 7}', "", '{"Type": "Notification", "Message": 7}'),
        ('{"detail": {}}', "", '{"detail": {}}'),
        ("{}", "", "{}"),
    ],
)
def test_what_is_inside_comes_out(text: str, kind: str, data: str) -> None:
    assert open_envelope(text.encode()) == Enclosed(kind, data.encode())


def test_envelopes_without_end_are_not_followed() -> None:
    text = BARE
    for _ in range(20):
        text = in_sns(text) if len(text) < 100_000 else text
    assert open_envelope(text.encode()).kind == ""


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is no JSON: Expecting value at line 1, column 1"),
        (b'{"a": SW1A}', "is no JSON: Expecting value at line 1, column 7"),
        (b"\xff\xfe\xff", "is no JSON: it is no UTF-8"),
        (b"[" * 100_000, "is no JSON: it is nested too deeply"),
        (b"[" + b"9" * 10_000 + b"]", "is no JSON: .* a number that is far too long"),
        (b"[]", "is no JSON object"),
        (b"null", "is no JSON object"),
        (in_sns("hello").encode(), "is no JSON: Expecting value"),
    ],
)
def test_what_is_no_json_object_is_told_without_quoting_it(data: bytes, text: str) -> None:
    with pytest.raises(InputError, match=text) as raised:
        open_envelope(data)
    assert "SW1A" not in str(raised.value)
