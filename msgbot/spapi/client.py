"""The client of the Selling Partner API: a call in, its answer out; token, turns and retries in between (domain.md section 7)."""

from __future__ import annotations

import json
import platform
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from types import MappingProxyType
from typing import Never
from urllib.parse import quote, urlencode, urlsplit

import structlog
from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from msgbot import metrics
from msgbot.clock import Clock
from msgbot.errors import AmazonAway, AmazonError, ConfigError, InputError
from msgbot.spapi.access import Application, Seller
from msgbot.spapi.answers import (
    Answer,
    Unreadable,
    blames_token,
    error_of,
    error_of_content,
    error_of_silence,
    only_errors,
    read_json,
    request_id,
)
from msgbot.spapi.buckets import Buckets
from msgbot.spapi.exchange import MEGABYTE, NoReply, Reply, exchange
from msgbot.spapi.operations import Operation
from msgbot.spapi.patience import Pace, Patience
from msgbot.spapi.tokens import AccessTokens

PATIENCE = 30.0
"""Seconds that a call may wait for its turn and for retries, where nothing else is said."""
SECONDS = 30.0
"""How long one answer may take."""
MOST = 16 * MEGABYTE
RETRIED = frozenset({429, 500, 503})
AT_ONCE = 100

QueryValue = str | int | Sequence[str]
_NOTHING: Mapping[str, Never] = MappingProxyType({})
_log = structlog.get_logger(__name__)


class SpApi:
    """Calls Amazon for sellers. Open with `open_spapi`."""

    def __init__(
        self,
        session: ClientSession,
        application: Application,
        sellers: Mapping[str, Seller],
        clock: Clock,
        *,
        pace: Pace | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self.session = session
        self.clock = clock
        self.pace = pace or Pace()
        self.skew: timedelta | None = None
        """How far Amazon's clock is ahead of ours, by its last answer."""
        self._sellers = dict(sellers)
        self._seconds = seconds
        self._tokens = AccessTokens(session, application, clock, self.pace)
        self._buckets = Buckets(clock, self.pace)

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that can be called for."""
        return tuple(self._sellers)

    def seller(self, account: str) -> Seller:
        """The seller account of this name. Raises ConfigError when there are no settings for it."""
        seller = self._sellers.get(account)
        if seller is None:
            known = ", ".join(sorted(self._sellers)[:10]) or "none"
            raise ConfigError(f"account {account!r} has no settings for Amazon (there are: {known}): add [amazon.accounts.NAME]")
        return seller

    async def call(
        self,
        account: str,
        operation: Operation,
        *,
        path: Mapping[str, str] = _NOTHING,
        query: Mapping[str, QueryValue] = _NOTHING,
        body: object = None,
        patience: float = PATIENCE,
        not_after: datetime | None = None,
    ) -> Answer:
        """Calls once, or more often where that does no harm, and gives the answer.

        `patience` is in seconds, for waiting for the turn, for the token and between tries; nothing is sent after `not_after`, by
        the clock, which goes on while a machine sleeps. Raises AmazonAway when that is not enough, AmazonUnclear when nobody knows
        whether a call that must not be repeated was done, AmazonDenied and AmazonRefused."""
        seller = self.seller(account)
        waiting = Patience(patience, self.pace)
        address = _address(seller.base, operation, path, query)
        data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        # Amazon counts by seller: two accounts may be of one.
        owner = seller.base if operation.grantless else (seller.base, seller.seller_id or account)
        renewed = False
        while True:
            token = await self._tokens.token(None if operation.grantless else seller, waiting)
            waited = await self._buckets.acquire(owner, operation, waiting)
            metrics.amazon_waits.labels(operation.name).observe(waited)
            at = self.clock()
            if not_after is not None and at > not_after:
                raise AmazonAway(f"it was too late to call {operation.name}: this process stood still", operation=operation.name)
            reply = await self._send(operation, address, token, data, at)
            self._note(account, operation, query, reply, at)
            if isinstance(reply, NoReply):
                # What was never sent was not done either.
                again = not reply.lasting and (operation.repeatable or not reply.sent)
                if again and await waiting.pause("", at):
                    continue
                raise error_of_silence(reply, operation, account)
            self._heed(owner, operation, reply)
            if reply.good:
                return _answer(reply, operation, seller, at)
            # What is said of it goes into errors, and so into logs.
            reply = replace(reply, body=reply.body.replace(token.encode(), b"..."))
            if blames_token(reply) and not renewed:
                renewed = True
                self._tokens.discard(None if operation.grantless else seller, token)
                continue
            again = reply.status in RETRIED and (operation.repeatable or reply.status == 429)
            if not (again and await waiting.pause(reply.headers.get("retry-after", ""), at)):
                raise _error(reply, operation, seller)

    async def close(self) -> None:
        """Ends what is under way in the background; the session is its opener's."""
        await self._tokens.close()

    async def _send(self, operation: Operation, address: str, token: str, data: bytes | None, at: datetime) -> Reply | NoReply:
        headers = {
            "Accept": "application/json",
            "User-Agent": user_agent(),
            "x-amz-access-token": token,
            "x-amz-date": f"{at:%Y%m%dT%H%M%SZ}",
        }
        if data is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        return await exchange(self.session, operation.method, address, headers=headers, data=data, seconds=self._seconds, most=MOST)

    def _heed(self, owner: Hashable, operation: Operation, reply: Reply) -> None:
        """Takes from an answer what it tells of the turns to come, and of Amazon's clock."""
        if reply.status == 429:
            self._buckets.refuse(owner, operation)
        elif limit := reply.headers.get("x-amzn-ratelimit-limit"):
            self._buckets.learn(owner, operation, limit)
        try:
            told = parsedate_to_datetime(reply.headers.get("date", ""))
            self.skew = told - self.clock()
        except (ValueError, TypeError, OverflowError):
            pass

    def _note(
        self, account: str, operation: Operation, query: Mapping[str, QueryValue], reply: Reply | NoReply, at: datetime
    ) -> None:
        result = str(reply.status) if isinstance(reply, Reply) else "no answer"
        metrics.amazon_calls.labels(operation.name, result).inc()
        _log.debug(
            "amazon call",
            operation=operation.name,
            account=account,
            result=result,
            seconds=round((self.clock() - at).total_seconds(), 3),
            amazon_request_id=request_id(reply) if isinstance(reply, Reply) else "",
            query=sorted(query),
        )


@asynccontextmanager
async def open_spapi(
    application: Application, sellers: Mapping[str, Seller], clock: Clock, *, pace: Pace | None = None, seconds: float = SECONDS
) -> AsyncIterator[SpApi]:
    """A client that works until the block ends. It keeps no cookies and asks no proxy."""
    async with ClientSession(connector=TCPConnector(limit=AT_ONCE), cookie_jar=DummyCookieJar(), trust_env=False) as session:
        client = SpApi(session, application, sellers, clock, pace=pace, seconds=seconds)
        try:
            yield client
        finally:
            await client.close()


def user_agent() -> str:
    """Who calls, in the form that Amazon asks for."""
    return f"msgbot/{version('msgbot')} (Language=Python/{platform.python_version()}; Platform={platform.system()})"


def _address(base: str, operation: Operation, path: Mapping[str, str], query: Mapping[str, QueryValue]) -> str:
    """The whole address; lists are joined with commas."""
    for name, value in path.items():
        if value.strip(". ") == "":
            raise InputError(f"{operation.name}: {name} {value!r} is no id", field=name)
    whole = base.rstrip("/") + operation.path.format_map({name: quote(value, safe="") for name, value in path.items()})
    if not query:
        return whole
    flat = {name: str(value) if isinstance(value, str | int) else ",".join(value) for name, value in query.items()}
    return f"{whole}?{urlencode(flat, quote_via=quote, safe=',:')}"


def _answer(reply: Reply, operation: Operation, seller: Seller, at: datetime) -> Answer:
    if operation.forgets and not reply.body.strip():
        return Answer(reply.status, None, reply.body, request_id(reply), at)
    try:
        body = read_json(reply)
    except Unreadable as problem:
        raise error_of_content(reply, str(problem), operation, seller.account) from None
    if only_errors(body):
        raise error_of_content(reply, "it holds only errors", operation, seller.account)
    return Answer(reply.status, body, reply.body, request_id(reply), at)


def _error(reply: Reply, operation: Operation, seller: Seller) -> AmazonError:
    return error_of(reply, operation, seller.account, urlsplit(seller.base).hostname or seller.base)
