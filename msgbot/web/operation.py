"""What those who run the service look at: is it alive, can it work, how is it doing."""

from __future__ import annotations

from contextlib import suppress

from aiohttp import web

from msgbot import metrics
from msgbot.errors import StoreError
from msgbot.web.problems import Problem
from msgbot.web.routing import Call, answer


async def health(call: Call) -> web.StreamResponse:
    """Whether the process lives."""
    return answer({"status": "ok"})


async def readiness(call: Call) -> web.StreamResponse:
    """Whether the process can do its work: 503 when the database cannot be used, and while it stops."""
    if reason := await call.service.ready():
        detail = "stopping" if reason == "stopping" else "the database cannot be used"
        raise Problem(503, "not_ready", detail)
    return answer({"status": "ok"})


async def show_metrics(call: Call) -> web.StreamResponse:
    """The metrics of this process."""
    with suppress(StoreError):
        await call.service.measure()
    return web.Response(body=metrics.exposition(), headers={"Content-Type": metrics.CONTENT_TYPE})
