"""Idempotency keys: a request that is sent again with the same key gets the answer of the first time, and nothing happens twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from msgbot.errors import StoreError
from msgbot.store import idempotency
from msgbot.store.idempotency import Kept
from msgbot.web.problems import CONTENT_TYPE as PROBLEM
from msgbot.web.problems import Problem

if TYPE_CHECKING:
    from msgbot.web.routing import Call

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
ABANDONED = timedelta(minutes=1)
"""A request that was begun so long ago and has no answer most likely died with its process."""
_HEADERS = ("Content-Type", "ETag", "Location")
_log = structlog.get_logger()


async def answer_once(call: Call, handler: Callable[[Call], Awaitable[web.StreamResponse]], *, key: str = "") -> web.StreamResponse:
    """The handler's answer, or the one it gave before to the same key, which stands in the Idempotency-Key header if not given.
    Raises Problem when the key came with another request, or the first one is still being worked on, or died over it and what it
    does must not be done twice."""
    key = key or call.request.headers["Idempotency-Key"].strip().strip('"')
    if not _KEY.fullmatch(key):
        raise Problem(400, "idempotency_key", "Idempotency-Key: 1 to 255 printable ASCII characters without blanks")
    database, now = call.service.database, call.service.clock()
    actor = call.actor.token_id if call.actor is not None else ""
    print_, abandoned = _fingerprint(call), now - ABANDONED
    async with database.transaction() as connection:
        kept = await idempotency.begin(connection, actor, key, print_, now, abandoned=abandoned if call.route.again else None)
    if kept is not None:
        return _again(kept, print_, abandoned)
    try:
        response = await handler(call)
    except Exception:
        # Refused, or rolled back: the same request may be tried again.
        with suppress(StoreError):
            async with database.transaction() as connection:
                await idempotency.drop(connection, actor, key)
        raise
    try:
        async with database.transaction() as connection:
            await idempotency.keep(connection, actor, key, print_, *_kept(call, response))
    except StoreError as error:
        # It was done, and so it is answered; only another one with this key cannot be.
        _log.warning("an answer could not be kept for its Idempotency-Key", reason=str(error))
    return response


def _kept(call: Call, response: web.StreamResponse) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body to give again. What is shown once is not kept: asked again, it says so."""
    if call.route.secret:
        told = Problem(409, "shown_once", "this was done, and its secret was shown then; renew it to get another")
        return told.status, {"Content-Type": PROBLEM}, told.data_bytes()
    body = response.body if isinstance(response, web.Response) else None
    headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
    return response.status, headers, bytes(body) if isinstance(body, bytes | bytearray) else b""


def _again(kept: Kept, fingerprint: str, abandoned: datetime) -> web.Response:
    if kept.fingerprint != fingerprint:
        raise Problem(409, "idempotency_key", "this Idempotency-Key came with another request before: take a new one")
    if kept.status is None and kept.at < abandoned:
        detail = (
            "the first request with this Idempotency-Key broke off and may have been done: look, and take a new key if it was not"
        )
        raise Problem(409, "outcome_unknown", detail)
    if kept.status is None:
        detail = "the first request with this Idempotency-Key is still being worked on"
        raise Problem(409, "in_progress", detail, headers={"Retry-After": "1"})
    headers = {**kept.headers, "Idempotent-Replayed": "true"}
    return web.Response(status=kept.status, body=kept.body, headers=headers)


def _fingerprint(call: Call) -> str:
    request = call.request
    content = [request.method, request.rel_url.raw_path_qs, call.account, request.content_type, request.headers.get("If-Match", "")]
    return hashlib.sha256("\n".join(content).encode() + b"\n" + call.raw).hexdigest()
