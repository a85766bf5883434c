"""A server for one test: answers what the test tells it to, and remembers every request as it came over the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from msgbot.spapi.access import Application, OrdersApi, Seller
from msgbot.spapi.client import SpApi, open_spapi
from msgbot.spapi.operations import OPERATIONS, Operation
from msgbot.spapi.patience import Pace
from tests import amazon_models

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = "client-secret-4711"
REFRESH = "Atzr|refresh-0815"
ORDER = "902-3159896-1390916"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    raw: str

    @property
    def form(self) -> dict[str, str]:
        """The form that was sent."""
        return dict(parse_qsl(self.body.decode()))


class Ticks:
    """Time that passes only while somebody sleeps; `chance` is always the most."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def pace(self) -> Pace:
        return Pace(lambda: self.now, self.sleep, lambda: 1.0)


@dataclass(slots=True)
class Amazon:
    """The server's state: `says` gives the answers to calls, one after the other, the last one again and again."""

    base: str = ""
    asked: list[Asked] = field(default_factory=list)
    tokens: list[Asked] = field(default_factory=list)
    says: list[web.Response | Handler] = field(default_factory=list)
    lwa: list[web.Response | Handler] = field(default_factory=list)
    given: int = 0
    ends_in: Any = 3600

    def operation(self, asked: Asked) -> amazon_models.Operation:
        return amazon_models.operation_of(asked.method, asked.path)

    def faults(self) -> list[str]:
        """What Amazon's models find wrong with what was asked."""
        found = []
        for each in self.asked:
            if each.path.startswith("/store/"):
                continue
            operation = self.operation(each)
            body = json.loads(each.body) if each.body else None
            found += amazon_models.check_request(operation.model, operation.id, each.query, body)
        return found

    async def answer(self, request: web.Request) -> web.StreamResponse:
        query = {name: request.query.getall(name) for name in request.query}
        asked = Asked(request.method, request.path, query, request.headers.copy(), await request.read(), request.raw_path)
        if request.path == "/auth/o2/token":
            self.tokens.append(asked)
            self.given += 1
            if self.lwa:
                return await _told(self.lwa, request)
            return web.json_response(
                {"access_token": f"Atza|access-{self.given}", "token_type": "bearer", "expires_in": self.ends_in}
            )
        self.asked.append(asked)
        return await _told(self.says, request)


async def _told(answers: list[web.Response | Handler], request: web.Request) -> web.StreamResponse:
    told = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(told, web.Response):
        # A response can be sent only once.
        return web.Response(status=told.status, body=told.body, headers=told.headers)
    return await told(request)


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[Amazon]:
    """The server, until the block ends."""
    amazon = Amazon()
    app = web.Application(client_max_size=128 * 1024 * 1024)
    app.router.add_route("*", "/{tail:.*}", amazon.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    amazon.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield amazon
    finally:
        await runner.cleanup()


def application(base: str) -> Application:
    return Application("amzn1.application-oa2-client.1", SECRET, f"{base}/auth/o2/token")


def seller(base: str, account: str = "main", orders_api: OrdersApi = "2026-01-01") -> Seller:
    return Seller(account, "A2SELLER", ("A1PA6795UKMFR9", "A13V1IB3VIYZZH"), orders_api, base, REFRESH)


@asynccontextmanager
async def calling(
    base: str, *, orders_api: OrdersApi = "2026-01-01", ticks: Ticks | None = None, seconds: float = 30.0
) -> AsyncIterator[SpApi]:
    """A client for two accounts of one region, whose waits take no time."""
    sellers = {name: seller(base, name, orders_api) for name in ("main", "other")}
    async with open_spapi(application(base), sellers, lambda: NOW, pace=(ticks or Ticks()).pace, seconds=seconds) as client:
        yield client


def operation(name: str) -> Operation:
    return next(each for each in OPERATIONS if each.name == name)


def errors(status: int, code: str = "InvalidInput", message: str = "Bad", details: str = "", **headers: str) -> web.Response:
    """An answer in the form of Amazon's errors."""
    body = {"errors": [{"code": code, "message": message, "details": details}]}
    return web.json_response(body, status=status, headers={"x-amzn-RequestId": "req-1", **headers})
