"""The aiohttp application: all routes behind one door, which gives every request an id, a log line, its metrics, and turns errors
into problem documents."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from time import perf_counter

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from msgbot import metrics
from msgbot.errors import MsgbotError
from msgbot.service import Service
from msgbot.web.access import SIGN_INS, WRONG_A_SECOND, WRONG_AT_ONCE
from msgbot.web.limits import RateLimit
from msgbot.web.problems import Problem, problem_of
from msgbot.web.routes import OPERATION, ROUTES
from msgbot.web.routing import PATTERNS, REQUEST_ID, Endpoint, Route

REQUEST_ID_HEADER = "X-Request-Id"
_SANE_ID = re.compile(r"[\w.:@/+=-]{1,64}", re.ASCII)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Server": "msgbot",
}
_log = structlog.get_logger()


def application(service: Service) -> web.Application:
    """The whole service."""
    return _application(service, ROUTES)


def operation_only(service: Service) -> web.Application:
    """What a worker shows: health and metrics."""
    return _application(service, OPERATION)


def _application(service: Service, routes: Iterable[Route]) -> web.Application:
    app = web.Application(middlewares=[_door])
    rates = RateLimit(service.settings.rate_per_token)
    app.on_response_prepare.append(_mark)
    app[SIGN_INS] = RateLimit(WRONG_A_SECOND, at_once=WRONG_AT_ONCE)
    for route in routes:
        path = re.sub(r"\{(\w+)\}", _part, route.path)
        app.router.add_route(route.method, path, Endpoint(route, service, rates).handle)
    return app


def _part(found: re.Match[str]) -> str:
    """A part of the path as the router takes it."""
    name = found[1]
    return f"{{{name}:{PATTERNS[name]}}}" if name in PATTERNS else found[0]


@web.middleware
async def _door(request: web.Request, handler: Handler) -> web.StreamResponse:
    started = perf_counter()
    given = request.headers.get(REQUEST_ID_HEADER, "")
    # An id of the caller's own lets them find their request in our log; but it is text from outside.
    request_id = given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
    request[REQUEST_ID] = request_id
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=request_id)
    response = await _answer(request, handler)
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "none"
    seconds = perf_counter() - started
    metrics.requests.labels(request.method if resource is not None else "any", route, response.status).inc()
    metrics.request_seconds.labels(route).observe(seconds)
    level = _log.error if response.status == 500 else _log.debug if route in {"/healthz", "/readyz", "/metrics"} else _log.info
    level("request", method=request.method, route=route, status=response.status, milliseconds=round(seconds * 1000, 1))
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except Problem as problem:
        response = problem.response(request[REQUEST_ID])
    except MsgbotError as error:
        told = problem_of(error)
        if told.status >= 500:
            _log.warning("could not be done", reason=str(error))
        response = told.response(request[REQUEST_ID])
    except web.HTTPException as error:
        response = _no_route(error).response(request[REQUEST_ID])
    except ConnectionError:
        # The client is gone; whatever is answered reaches nobody.
        response = web.Response(status=499)
    except Exception:
        _log.exception("a fault in msgbot itself")
        detail = "a fault in msgbot itself; it is in the log under the request id"
        response = Problem(500, "internal", detail).response(request[REQUEST_ID])
    if request.writer.output_size and not response.prepared and request.transport is not None:
        # Another answer was begun; a second one inside it would look like part of it. The client sees that it is cut off.
        request.transport.abort()
    return response


async def _mark(request: web.Request, response: web.StreamResponse) -> None:
    """Gives an answer, also one that is streamed, the headers that all have."""
    response.headers.update({**_ALWAYS, REQUEST_ID_HEADER: request[REQUEST_ID]})


def _no_route(error: web.HTTPException) -> Problem:
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    detail = {404: "there is no such route; see /docs", 405: "this route does not have that method"}
    code = {404: "no_route", 405: "method"}.get(error.status, "http")
    return Problem(error.status, code, detail.get(error.status, error.reason), headers=headers)
