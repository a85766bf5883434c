"""Fixtures for calls to Amazon."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from msgbot.spapi.client import SpApi
from tests.spapi.amazon import Amazon, Ticks, calling, serving


@pytest.fixture
async def amazon() -> AsyncIterator[Amazon]:
    """A server; what it was asked is held against Amazon's models at the end."""
    async with serving() as server:
        yield server
    assert server.faults() == []


@pytest.fixture
def ticks() -> Ticks:
    """Time that passes only while somebody sleeps."""
    return Ticks()


@pytest.fixture
async def client(amazon: Amazon, ticks: Ticks) -> AsyncIterator[SpApi]:
    """A client of that server."""
    async with calling(amazon.base, ticks=ticks) as opened:
        yield opened
