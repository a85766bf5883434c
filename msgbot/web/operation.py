"""What those who run the service look at: is it alive, can it work, how is it doing."""

from __future__ import annotations

from contextlib import suppress

from aiohttp import web

from msgbot import metrics
from msgbot.errors import StoreError
from msgbot.web.answers import HealthData
from msgbot.web.problems import Problem
from msgbot.web.routing import Call, Media, Route, answer


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


ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        handler=health,
        tag="Operation",
        says="Is the process alive?",
        answers={200: HealthData},
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=readiness,
        tag="Operation",
        says="Can the process do its work?\n\n503 when the database cannot be used, and while the process stops.",
        answers={200: HealthData},
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=show_metrics,
        tag="Operation",
        says="The metrics of this process, as Prometheus reads them.",
        answers={200: Media(metrics.CONTENT_TYPE, "Metrics.")},
    ),
)
