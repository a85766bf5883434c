"""A running service on real databases, met over real HTTP by people of every role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from msgbot.clock import system_clock
from msgbot.config import Settings, load_settings
from msgbot.domain.access import Role
from msgbot.fake_amazon import FakeAmazon
from msgbot.service import Service
from msgbot.web.app import application
from msgbot.wiring import open_service

A, B = "114-0000001-0000001", "114-0000002-0000002"
BUYER = "k3jd9sl2+a1b2c3@marketplace.amazon.com"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: Any
    raw: bytes
    data: Any


@dataclass(slots=True)
class Front:
    """The service as a client meets it."""

    service: Service
    server: TestServer
    session: ClientSession
    tokens: dict[str, str] = field(default_factory=dict)

    async def token(self, role: Role | str, *, accounts: frozenset[str] | None = None, name: str = "", **more: Any) -> str:
        """A token of this role, made when first asked for."""
        name = name or f"{role}"
        if name not in self.tokens:
            _, secret = await self.service.people.create_token(name, role=Role(role), accounts=accounts, **more)
            self.tokens[name] = secret
        return self.tokens[name]

    async def call(
        self, method: str, path: str, json: Any = None, *, by: str = "administrator", data: Any = None, **headers: str
    ) -> Answered:
        """One request by the token of this name or role; without one when `by` is empty."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if by:
            sent["Authorization"] = f"Bearer {self.tokens.get(by) or await self.token(by)}"
        url = self.server.make_url("/").join(type(self.server.make_url("/"))(path, encoded=True))
        async with self.session.request(method, url, json=json, data=data, headers=sent) as response:
            raw = await response.read()
            is_json = response.content_type.endswith("json") and response.content_type != "application/x-ndjson"
            return Answered(response.status, response.headers, raw, await response.json(content_type=None) if is_json else None)

    async def until(self, done: Callable[[], Awaitable[bool]]) -> None:
        """Returns when `done` says so."""
        for _ in range(600):
            if await done():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it never came to that")

    async def answered(self, message_id: str, **headers: str) -> Any:
        """The message once it was decided on."""
        found: dict[str, Any] = {}

        async def decided() -> bool:
            shown = await self.call("GET", f"/v1/messages/{message_id}", **headers)
            found.update(shown.data)
            if shown.status != 200 or shown.data["decision"] is None:
                return False
            return (shown.data["reply"] or {}).get("state") not in {"pending", "sending"}

        await self.until(decided)
        return found


def message(text: str = "Please cancel my order", number: int = 1, **fields: Any) -> dict[str, Any]:
    """A message as an integrator sends it."""
    return {"id": f"m{number}", "text": text, "order_id": A, "from": BUYER, **fields}


def order(status: str = "unshipped", formal: str = "no", **fields: Any) -> dict[str, Any]:
    """An order as a trusted ERP pushes it."""
    item = {"id": "1", "sku": "S", "quantity": 1, "formal_request": formal}
    return {"status": status, "fulfilment": "seller", "items": [item], "marketplace": "amazon.com", **fields}


def connected(fake: FakeAmazon, account: str = "main", **changes: Any) -> dict[str, Any]:
    """The settings under which `account` is connected to this Amazon as its seller."""
    access = {
        "marketplaces": list(fake.seller.marketplaces),
        "seller_id": fake.seller.id,
        "refresh_token": fake.seller.refresh_token,
    }
    return {
        "client_id": fake.access.client_id,
        "client_secret": fake.access.client_secret,
        "endpoint": fake.base,
        "token_endpoint": fake.token_endpoint,
        "accounts": {account: {**access, **changes}},
    }


class Doors:
    """Opens services in a folder."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.database = database
        self.stack = AsyncExitStack()
        self.now: datetime | None = None

    def settings(self, **changes: Any) -> Settings:
        """The settings of a test's service."""
        given = {
            "data": self.folder / "data",
            "database": self.database,
            "store": "Sample Store",
            "trusted_sources": frozenset({"administrator", "erp"}),
            "private_webhooks": True,
            "stop_seconds": 5.0,
        }
        return load_settings(**{**given, **changes})

    def clock(self) -> datetime:
        """The time that a test has set, or the real one."""
        return self.now or system_clock()

    async def open(self, *, work: bool = True, **changes: Any) -> Front:
        """A running service."""
        service = await self.stack.enter_async_context(open_service(self.settings(**changes), work=work, clock=self.clock))
        server = TestServer(application(service))
        await server.start_server()
        self.stack.push_async_callback(server.close)
        session = await self.stack.enter_async_context(ClientSession())
        return Front(service, server, session)


@pytest.fixture(params=["sqlite", "postgres"])
async def doors(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Doors]:
    """Opens services on an empty database, once of each kind."""
    made = Doors(tmp_path, "" if request.param == "sqlite" else request.getfixturevalue("postgres").prepared())
    async with made.stack:
        yield made


@pytest.fixture
async def front(doors: Doors) -> Front:
    """A running service."""
    return await doors.open()


@pytest.fixture
async def lone(tmp_path: Path) -> AsyncIterator[Front]:
    """A running service on SQLite, for what no database has a say in."""
    made = Doors(tmp_path, "")
    async with made.stack:
        yield await made.open()
