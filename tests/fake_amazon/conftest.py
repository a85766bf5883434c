"""A fake on a clock that tests move, and a plain caller that knows nothing of msgbot's own client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from msgbot.fake_amazon import FakeAmazon, FakeSeller
from tests.amazon_models import judged

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class Watch:
    """A clock that tests move."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **durations: float) -> None:
        """Time passes: `wait(minutes=3)`."""
        self.now += timedelta(**durations)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: status, JSON (None where there is none) and headers."""

    status: int
    value: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """The code of the first error."""
        code: str = self.value["errors"][0]["code"]
        return code


@dataclass
class Caller:
    """Calls the fake with a token, which it gets and keeps."""

    fake: FakeAmazon
    session: aiohttp.ClientSession
    token: str = ""

    async def get_token(self, seller: FakeSeller | None = None, /, **form: str) -> Told:
        """Asks for a token for `seller`; `form` changes what is asked. A token that is given is used from now on."""
        fields = {
            "grant_type": "refresh_token",
            "refresh_token": (seller or self.fake.seller).refresh_token,
            "client_id": self.fake.access.client_id,
            "client_secret": self.fake.access.client_secret,
            **form,
        }
        async with self.session.post(self.fake.token_endpoint, data=fields) as answer:
            value = await answer.json()
            self.token = value.get("access_token", self.token)
            return Told(answer.status, value, answer.headers)

    async def be_grantless(self) -> None:
        """From now on calls are for no seller."""
        await self.get_token(grant_type="client_credentials", scope="sellingpartnerapi::notifications")

    async def __call__(self, method: str, path: str, body: object = None, **query: str) -> Told:
        """Calls the Selling Partner API."""
        headers = {"x-amz-access-token": self.token} if self.token else {}
        async with self.session.request(method, self.fake.base + path, params=query, json=body, headers=headers) as answer:
            return Told(answer.status, await answer.json() if answer.content_length else None, answer.headers)

    async def bytes_at(self, url: str) -> tuple[int, bytes, str]:
        """What is at an address: status, bytes as they are, and Content-Type."""
        async with self.session.get(url) as answer:
            return answer.status, await answer.read(), answer.headers["Content-Type"]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def fake(watch: Watch) -> AsyncIterator[FakeAmazon]:
    async with judged(FakeAmazon(watch)) as running:
        yield running


@pytest.fixture
async def nobody(fake: FakeAmazon) -> AsyncIterator[Caller]:
    """A caller without a token."""
    async with aiohttp.ClientSession() as session:
        yield Caller(fake, session)


@pytest.fixture
async def call(nobody: Caller) -> Caller:
    """A caller for the fake's first seller."""
    await nobody.get_token()
    return nobody
