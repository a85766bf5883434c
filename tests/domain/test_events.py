"""Events and how they are put."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from msgbot.domain.events import SUBSCRIBABLE, EventType, payload

AT = datetime(2026, 11, 20, 13, 0, 0, 250_000, timezone(timedelta(hours=1)))


def test_an_event_is_put_as_receivers_of_standard_webhooks_expect() -> None:
    text = payload(EventType.REQUEST_DETECTED, "main", AT, {"message": "<1@ä>", "orders": ["A", "B"], "score": 0.9})
    assert text.isascii()
    assert json.loads(text) == {
        "type": "request.detected",
        "timestamp": "2026-11-20T12:00:00.250Z",
        "data": {"account": "main", "message": "<1@ä>", "orders": ["A", "B"], "score": 0.9},
    }


def test_no_fact_can_pass_for_the_account() -> None:
    assert json.loads(payload(EventType.TEST, "main", AT, {"account": "other"}))["data"] == {"account": "main"}


@pytest.mark.parametrize("event", EventType)
def test_every_event_has_its_meaning(event: EventType) -> None:
    assert event.meaning.endswith(".")
    assert (event in SUBSCRIBABLE) == (event is not EventType.TEST)
