"""A receiver of webhooks on loopback that answers as it is told, in all the ways that receivers do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """What came in, as headers and body, and how to answer what comes next: one behaviour for each request, then 200."""

    behaviours: list[Behaviour]
    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Notes a request and answers it."""
        self.received.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        behaviour = self.behaviours.pop(0) if self.behaviours else answer(200)
        return await behaviour(request)


@asynccontextmanager
async def receiving(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver until the block ends."""
    receiver = Receiver(list(behaviours))
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


def answer(status: int, **headers: str) -> Behaviour:
    """Answers with this status; `Retry_After="5"` gives a header."""

    async def behave(request: web.Request) -> web.StreamResponse:
        return web.Response(
            status=status, text="so be it", headers={name.replace("_", "-"): text for name, text in headers.items()}
        )

    return behave


async def hang(request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError


async def cut(request: web.Request) -> web.StreamResponse:
    """Ends the connection instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cut_in_body(request: web.Request) -> web.StreamResponse:
    """Says 200, promises a body, and ends the connection before it is whole."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"beginning")
    assert request.transport is not None
    request.transport.close()
    return response


async def dawdle_in_body(request: web.Request) -> web.StreamResponse:
    """Says 200, and never ends the body."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"beginning")
    return await hang(request)


@dataclass
class Flood:
    """Says 200, and sends a body without end; `sent` is how much it got rid of."""

    sent: int = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answers."""
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b"x" * 65_536)
                self.sent += 65_536
        return response
