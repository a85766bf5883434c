"""Token buckets on a clock that tests move."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.errors import AmazonAway
from msgbot.spapi.buckets import Bucket, Buckets
from msgbot.spapi.operations import GET_ORDER, SEARCH_ORDERS, Operation
from msgbot.spapi.patience import Patience
from tests.spapi.amazon import NOW, Ticks


def buckets(ticks: Ticks) -> Buckets:
    return Buckets(lambda: NOW, ticks.pace)


def row(rate: float, burst: int) -> Operation:
    return Operation("row", "GET", "/", rate, burst, True)


@given(
    rate=st.floats(0.005, 50),
    burst=st.integers(1, 40),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("pass"), st.floats(0, 300)),
            st.tuples(st.just("call"), st.integers(1, 12)),
            st.tuples(st.just("refuse"), st.just(0)),
        ),
        max_size=40,
    ),
)
async def test_in_no_window_more_calls_start_than_burst_and_rate_allow(
    rate: float, burst: int, steps: list[tuple[str, float]]
) -> None:
    ticks = Ticks()
    line = buckets(ticks)
    operation = row(rate, burst)
    starts: list[float] = []

    async def call() -> None:
        await line.acquire("a", operation, Patience(1e9, ticks.pace))
        starts.append(ticks.now)

    for kind, size in steps:
        if kind == "pass":
            ticks.now += size
        elif kind == "refuse":
            line.refuse("a", operation)
        else:
            await asyncio.gather(*(call() for _ in range(int(size))))
    assert len(starts) == sum(int(size) for kind, size in steps if kind == "call")
    for first in range(len(starts)):
        for last in range(first, len(starts)):
            assert last - first + 1 <= burst + rate * (starts[last] - starts[first]) + 1e-3


async def test_turns_are_first_come_first_served_and_a_second_apart(ticks: Ticks) -> None:
    line, operation, order = buckets(ticks), row(1.0, 2), []

    async def call(name: int) -> None:
        await line.acquire("a", operation, Patience(60, ticks.pace))
        order.append((name, ticks.now - 1000))

    await asyncio.gather(*(call(name) for name in range(5)))
    assert order == [(0, 0), (1, 0), (2, pytest.approx(1)), (3, pytest.approx(2)), (4, pytest.approx(3))]


async def test_whoever_would_wait_too_long_is_told_when_at_once(ticks: Ticks) -> None:
    line = buckets(ticks)
    for _ in range(20):
        assert await line.acquire("a", SEARCH_ORDERS, Patience(0, ticks.pace)) == 0
    with pytest.raises(AmazonAway, match=r"no searchOrders before 2026-11-20 12:02:58 UTC \(179 seconds"):
        await line.acquire("a", SEARCH_ORDERS, Patience(30, ticks.pace))
    assert ticks.slept == []
    await line.acquire("b", SEARCH_ORDERS, Patience(0, ticks.pace))


async def test_those_before_count_in_how_long_it_would_take(ticks: Ticks) -> None:
    line, operation = buckets(ticks), row(1.0, 1)
    await line.acquire("a", operation, Patience(0, ticks.pace))
    first = asyncio.create_task(line.acquire("a", operation, Patience(1.5, ticks.pace)))
    second = asyncio.create_task(line.acquire("a", operation, Patience(1.5, ticks.pace)))
    done = await asyncio.gather(first, second, return_exceptions=True)
    assert done[0] == pytest.approx(1)
    assert isinstance(done[1], AmazonAway)


async def test_one_that_gives_up_leaves_its_turn_to_the_next(ticks: Ticks) -> None:
    line, operation = buckets(ticks), row(1.0, 1)
    await line.acquire("a", operation, Patience(0, ticks.pace))
    gone = asyncio.create_task(line.acquire("a", operation, Patience(60, ticks.pace)))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    began = ticks.now
    await line.acquire("a", operation, Patience(60, ticks.pace))
    assert ticks.now - began <= 1


async def test_a_refusal_empties_the_bucket(ticks: Ticks) -> None:
    line = buckets(ticks)
    line.refuse("a", GET_ORDER)
    assert await line.acquire("a", GET_ORDER, Patience(30, ticks.pace)) == pytest.approx(2)


async def test_a_refusal_while_they_wait_puts_them_back(ticks: Ticks) -> None:
    line, operation = buckets(ticks), row(1.0, 1)
    await line.acquire("a", operation, Patience(0, ticks.pace))
    waiting = asyncio.create_task(line.acquire("a", operation, Patience(60, ticks.pace)))
    await asyncio.sleep(0)
    line.refuse("a", operation)
    assert await waiting == pytest.approx(2)


async def test_amazons_rate_takes_the_place_of_the_published_one(ticks: Ticks) -> None:
    line = buckets(ticks)
    line.refuse("a", GET_ORDER)
    line.learn("a", GET_ORDER, "5.0")
    assert await line.acquire("a", GET_ORDER, Patience(30, ticks.pace)) == pytest.approx(0.2)
    ticks.now += 1000
    waits = [await line.acquire("a", GET_ORDER, Patience(30, ticks.pace)) for _ in range(31)]
    assert waits == [0] * 30 + [pytest.approx(0.2)]


@pytest.mark.parametrize("limit", ["", "fast", "nan", "inf", "-1", "0"])
async def test_what_is_no_rate_is_not_heeded(limit: str, ticks: Ticks) -> None:
    line = buckets(ticks)
    line.refuse("a", GET_ORDER)
    line.learn("a", GET_ORDER, limit)
    assert await line.acquire("a", GET_ORDER, Patience(30, ticks.pace)) == pytest.approx(2)


async def test_full_buckets_of_a_hundred_thousand_accounts_are_not_kept(ticks: Ticks) -> None:
    line = buckets(ticks)
    for number in range(100_000):
        await line.acquire(f"account {number}", GET_ORDER, Patience(0, ticks.pace))
        ticks.now += 0.01
    assert len(line) < 5_000


def test_time_that_steps_back_gives_nothing() -> None:
    bucket = Bucket(1.0, 5, 0.0, 100.0)
    bucket.fill(50.0)
    assert bucket.tokens == 0


def test_a_token_is_never_more_than_the_burst() -> None:
    bucket = Bucket(1.0, 5, 0.0, datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    bucket.fill(1e12)
    assert bucket.tokens == 5
