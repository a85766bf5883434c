"""Routes as values, and the way of one request: who asks, for which account, within which limits, with which body; then the
handler. Every route goes this way; there is no other."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from msgbot.domain.access import Actor, Permission
from msgbot.domain.message import ORDER_ID
from msgbot.errors import AccessError, InputError, NotFound
from msgbot.service import Service
from msgbot.web.bodies import parse_json, read_body
from msgbot.web.idempotency import answer_once
from msgbot.web.limits import RateLimit
from msgbot.web.problems import FaultData, Problem, invalid

ACCOUNT_HEADER = "Msgbot-Account"
PATTERNS = {"reply_id": "[0-9a-f]{8,64}"}
"""What a part of the path must look like, where another route could be meant."""
REQUEST_ID = web.RequestKey("request_id", str)
"""Under this key a request carries its id."""
JSON, NDJSON = "application/json", "application/x-ndjson"
Model = TypeVar("Model", bound=BaseModel)
Handler = Callable[["Call"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Media:
    """A body that is no JSON value with a shape: its media type and what it holds."""

    type: str
    says: str


LINES_OUT = Media(NDJSON, "One value a line.")
OCTETS = Media("application/octet-stream", "The same, from a client that does not say what it sends.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. `says` is its documentation: one line, then the rest. `permission` is what it takes; without one anybody
    may, or, if `known`, anybody with a token. `body` is the shape of the
    JSON body; `media` are other bodies it takes. `answers` says what comes back by status: a shape, media, or None for nothing.
    `changes`: an Idempotency-Key is heeded; `again`: done twice, it changes nothing more than once, so that it may be tried again
    when nobody knows whether it was done. `account`: it works within one account. `etag`: the answer carries an ETag, and
    If-Match is heeded. `secret`: the answer holds a secret, which is never kept.
    `most_mb`: the largest body, where the setting allows too much for it."""

    method: str
    path: str
    handler: Handler
    tag: str
    says: str
    permission: Permission | None = None
    known: bool = False
    body: Any = None
    media: tuple[Media, ...] = ()
    query: type[BaseModel] | None = None
    answers: Mapping[int, Any] = field(default_factory=dict)
    changes: bool = False
    again: bool = False
    account: bool = True
    etag: bool = False
    secret: bool = False
    most_mb: float = 0.0


@dataclass(slots=True)
class Call:
    """A request that has come past the door. `account` is empty where the route works in none."""

    request: web.Request
    service: Service
    route: Route
    request_id: str
    actor: Actor | None = None
    account: str = ""
    raw: bytes = b""
    query_value: BaseModel | None = None

    @property
    def who(self) -> str:
        """Who asks, as the audit names them."""
        return self.actor.name if self.actor is not None else ""

    async def authenticate(self) -> Actor:
        """Whose token the request shows, as it is now. Raises AccessError."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise AccessError("send a token: Authorization: Bearer msgbot_...", known=False)
        self.actor = await self.service.people.authenticate(token.strip())
        return self.actor

    async def go_on(self) -> None:
        """Returns when whoever asks may still do so: to be called now and then while an answer goes on and on. Raises AccessError
        when the token was revoked or has expired since, or allows less."""
        actor = await self.authenticate()
        check_permission(self.route, actor)
        if self.account and not actor.may_use(self.account):
            raise AccessError(f"{actor.name} may not use the account {self.account} any more")

    def value(self, name: str) -> str:
        """A part of the path. Raises NotFound for one that no id can be."""
        value = self.request.match_info[name]
        if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise NotFound(f"nothing has an id with NUL or half of a pair in it: {name}")
        return value

    def order_id(self) -> str:
        """The order id in the path. Raises InputError when it cannot be one."""
        value = self.value("order_id")
        if not ORDER_ID.fullmatch(value):
            raise InputError(f"{value[:50]!r} is no order id; one looks like 114-0000001-0000001", field="order_id")
        return value

    def query(self, shape: type[Model]) -> Model:
        """The query parameters, which the door has checked."""
        return cast(Model, self.query_value)

    def body(self, shape: type[Model]) -> Model:
        """The JSON body. Raises Problem with every fault."""
        try:
            return shape.model_validate(parse_json(self.raw))
        except ValidationError as error:
            raise invalid(error) from error

    def if_match(self) -> int | None:
        """The version that the client looked at, if it says so. Raises Problem when it is none of ours."""
        written = self.request.headers.get("If-Match", "*").strip()
        if written == "*":
            return None
        version = written.removeprefix("W/").strip('"')
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise Problem(422, "invalid", f"If-Match: {written[:50]} is no ETag that msgbot gave out")
        return int(version)


def answer(data: Any, status: int = 200, *, version: int | None = None, headers: Mapping[str, str] | None = None) -> web.Response:
    """`data` as a JSON answer, with its version as ETag."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    sent = dict(headers or {})
    if version is not None:
        sent["ETag"] = f'"{version}"'
    return web.Response(status=status, body=body, content_type=JSON, headers=sent)


def check_permission(route: Route, actor: Actor) -> None:
    """Raises AccessError when `actor` lacks what the route takes."""
    if route.permission is not None and not actor.may(route.permission):
        raise AccessError(f"the role {actor.role.value} of {actor.name} does not include {route.permission.value}")


class Endpoint:
    """A route on the wire."""

    def __init__(self, route: Route, service: Service, rates: RateLimit) -> None:
        self._route = route
        self._service = service
        self._rates = rates

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one request. Raises Problem and MsgbotError, which the door turns into answers."""
        call = Call(request, self._service, self._route, request[REQUEST_ID])
        route, settings = self._route, self._service.settings
        if route.permission is not None or route.known:
            actor = await call.authenticate()
            structlog.contextvars.bind_contextvars(actor=actor.name)
            self._rates.take(actor.token_id, f"the token {actor.token_name} asks too often")
            check_permission(route, actor)
            if route.account:
                call.account = await self._account(request, actor)
                structlog.contextvars.bind_contextvars(account=call.account)
        if route.query is not None:
            call.query_value = _query(request, route.query)
        elif request.query:
            name = next(iter(request.query))
            raise _bad_query(name, "this route has no such parameter")
        if request.content_type == NDJSON and NDJSON in {each.type for each in route.media}:
            # A stream is read by its handler, line by line.
            return await route.handler(call)
        if route.body is not None or route.media:
            _check_media(request, route)
            call.raw = await read_body(request, route.most_mb or settings.max_body_mb, settings.idle_seconds)
        if route.changes and "Idempotency-Key" in request.headers:
            return await answer_once(call, route.handler)
        return await route.handler(call)

    async def _account(self, request: web.Request, actor: Actor) -> str:
        named = request.headers.get(ACCOUNT_HEADER, "").strip()
        if named:
            # One that does not exist and one that is somebody else's look the same from outside.
            if not actor.may_use(named) or not await self._service.has_account(named):
                raise NotFound(f"no account {named[:64]!r} for {actor.name}")
            return named
        if actor.accounts is not None and len(actor.accounts) == 1:
            [own] = actor.accounts
            if not await self._service.has_account(own):
                raise NotFound(f"{actor.name} is for the account {own!r}, which does not exist: make it with `msgbot account add`")
            return own
        usual = self._service.settings.account
        if actor.may_use(usual):
            return usual
        detail = f"{actor.name} may use several accounts: say which in the header {ACCOUNT_HEADER}"
        raise Problem(403, "which_account", detail, errors=[FaultData(path=ACCOUNT_HEADER, message="it is missing")])


def _query(request: web.Request, shape: type[BaseModel]) -> BaseModel:
    values: dict[str, str] = {}
    for name, value in request.query.items():
        if name in values:
            raise _bad_query(name, "it is given twice")
        values[name] = value
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        raise invalid(error, "query") from error


def _bad_query(name: str, text: str) -> Problem:
    return Problem(422, "invalid", f"query/{name}: {text}", errors=[FaultData(path=f"query/{name}", message=text)])


def _check_media(request: web.Request, route: Route) -> None:
    taken = [*([JSON] if route.body is not None else []), *(each.type for each in route.media)]
    given = request.content_type if "Content-Type" in request.headers else ""
    if request.content_length == 0 or not request.body_exists:
        return
    if given not in taken and not (given.endswith("+json") and JSON in taken):
        raise Problem(415, "media_type", f"the body is {given or 'of no stated type'}; this route takes {', '.join(taken)}")
