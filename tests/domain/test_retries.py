"""When what could not be delivered is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from msgbot.domain.retries import SCHEDULE, asked_wait, wait_after

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NONE = timedelta(0)


def test_waits_grow_and_end() -> None:
    waits = [wait_after(tries, "msg_1") for tries in range(1, len(SCHEDULE) + 2)]
    assert waits.pop() is None
    assert [wait is not None and planned <= wait <= planned * 1.2 for planned, wait in zip(SCHEDULE, waits, strict=True)] == [
        True
    ] * 9


def test_what_failed_together_is_tried_again_apart() -> None:
    assert len({wait_after(5, f"msg_{number}") for number in range(100)}) == 100
    assert wait_after(5, "msg_1") == wait_after(5, "msg_1")


@pytest.mark.parametrize(
    ("asked", "wait"),
    [(timedelta(hours=2), timedelta(hours=2)), (timedelta(days=9), DAY), (timedelta(seconds=1), None)],
)
def test_a_receiver_may_ask_for_more_time_but_not_for_less(asked: timedelta, wait: timedelta | None) -> None:
    assert wait_after(1, "msg_1", asked) == (wait or wait_after(1, "msg_1"))


def test_asking_for_time_does_not_bring_another_try() -> None:
    assert wait_after(3, "msg_1", DAY, SCHEDULE[:2]) is None


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", NONE),
        ("9" * 5000, DAY),
        ("Fri, 20 Nov 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Fri, 20 Nov 2026 12:01:00 -0000", timedelta(minutes=1)),
        ("Fri, 20 Nov 2026 11:00:00 GMT", NONE),
        ("Fri, 20 Nov 99999 11:00:00 GMT", NONE),
        (f"Fri, 20 Nov {'9' * 30} 11:00:00 GMT", NONE),
        ("", NONE),
        ("-5", NONE),
        ("1.5", NONE),
        ("²", NONE),
        ("soon", NONE),
    ],
)
def test_what_a_receiver_asks_for(header: str, wait: timedelta) -> None:
    assert asked_wait(header, NOW) == wait
