"""Access tokens from Login with Amazon (LWA), one for each seller and one for the application itself (domain.md section 7)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession

from msgbot.clock import Clock
from msgbot.errors import AmazonAway, AmazonDenied, AmazonError
from msgbot.spapi.access import Application, Seller
from msgbot.spapi.exchange import MEGABYTE, NoReply, Reply, exchange
from msgbot.spapi.patience import Pace, Patience

SCOPE = "sellingpartnerapi::notifications"
EARLY = 300.0
"""A token is renewed so many seconds before it ends, while it still works."""
SECONDS = 15.0
RENEWAL_PATIENCE = 30.0
_OPERATION = "the access token"
_RETRIED = frozenset({429, 500, 503})
_SECRET = re.compile(r"\bAt(?:z[ra]|c)\|[\w+/=.|~-]+|\bamzn1\.oa2-cs\.[\w.-]+")


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    ends: float


class AccessTokens:
    """Keeps tokens, and has at most one renewal of each under way."""

    def __init__(self, session: ClientSession, application: Application, clock: Clock, pace: Pace) -> None:
        self._session = session
        self._application = application
        self._clock = clock
        self._pace = pace
        self._tokens: dict[str | None, _Token] = {}
        self._renewals: dict[str | None, asyncio.Task[_Token]] = {}
        self._heard = ""

    async def token(self, seller: Seller | None, patience: Patience) -> str:
        """The token for `seller`, None for the application's own. Raises AmazonDenied when Amazon gives none, AmazonAway when it
        cannot be asked within `patience`."""
        key = seller.account if seller else None
        held = self._tokens.get(key)
        left = held.ends - self._pace.ticks() if held else 0.0
        if held and left > EARLY:
            return held.value
        renewal = self._renewals.get(key) or self._renew(key, seller)
        if held and left > EARLY / 5:
            return held.value
        try:
            # Whoever stops waiting leaves the renewal to the others.
            async with asyncio.timeout(patience.left + 1):
                return (await asyncio.shield(renewal)).value
        except TimeoutError:
            text = self._heard or "no access token came from Amazon in time; try again later"
            raise AmazonAway(text, operation=_OPERATION) from None

    def discard(self, seller: Seller | None, value: str) -> None:
        """Forgets a token that Amazon did not take; one that has come in its place since stays."""
        key = seller.account if seller else None
        held = self._tokens.get(key)
        if held and held.value == value:
            del self._tokens[key]

    async def close(self) -> None:
        """Ends renewals that are under way."""
        renewals = tuple(self._renewals.values())
        for renewal in renewals:
            renewal.cancel()
        await asyncio.gather(*renewals, return_exceptions=True)

    def _renew(self, key: str | None, seller: Seller | None) -> asyncio.Task[_Token]:
        async def renew() -> _Token:
            try:
                token = self._tokens[key] = await self._fetch(seller)
                return token
            finally:
                self._renewals.pop(key, None)

        task = self._renewals[key] = asyncio.create_task(renew())
        # Nobody may be waiting for it any more.
        task.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception() and None)
        return task

    async def _fetch(self, seller: Seller | None) -> _Token:
        """Asks for a token until there is one."""
        form = {"client_id": self._application.client_id, "client_secret": self._application.client_secret}
        if seller is None:
            form |= {"grant_type": "client_credentials", "scope": SCOPE}
        elif seller.refresh_token:
            form |= {"grant_type": "refresh_token", "refresh_token": seller.refresh_token}
        else:
            raise AmazonDenied(f"account {seller.account} has no refresh token: set one in its settings", operation=_OPERATION)
        patience = Patience(RENEWAL_PATIENCE, self._pace)
        while True:
            asked = self._pace.ticks()
            reply = await exchange(
                self._session,
                "POST",
                self._application.token_endpoint,
                headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"},
                data=urlencode(form).encode(),
                seconds=SECONDS,
                most=MEGABYTE,
            )
            if isinstance(reply, Reply) and reply.good:
                self._heard = ""
                return _read(reply, asked)
            lasting = reply.lasting if isinstance(reply, NoReply) else reply.status not in _RETRIED
            asked_to_wait = "" if isinstance(reply, NoReply) else reply.headers.get("retry-after", "")
            failure = self._failure(reply, seller, form)
            # For those whose patience ends before this one's.
            self._heard = failure.text
            if lasting or not await patience.pause(asked_to_wait, self._clock()):
                raise failure

    def _failure(self, reply: Reply | NoReply, seller: Seller | None, form: Mapping[str, str]) -> AmazonError:
        """What to tell of an answer that is no token."""
        if isinstance(reply, NoReply):
            return AmazonAway(f"no access token: {reply.why} (Login with Amazon); try again later", operation=_OPERATION)
        said = _json(reply)
        code, words = str(said.get("error", ""))[:100], str(said.get("error_description", ""))[:300]
        for secret in (form["client_secret"], form.get("refresh_token", "")):
            words = words.replace(secret, "…") if secret else words
        facts: dict[str, Any] = {"operation": _OPERATION, "status": reply.status, "code": without_tokens(code)}
        facts["amazon_request_id"] = reply.headers.get("x-amzn-requestid", "")
        heard = without_tokens(f"Login with Amazon answered {reply.status} {code}".rstrip() + (f": {words}" if words else ""))
        if reply.status in {408, 429} or not 400 <= reply.status < 500:
            return AmazonAway(f"no access token: {heard}; try again later", **facts)
        account = f"account {seller.account}" if seller else "the application"
        return AmazonDenied(f"no access token for {account}: {_advice(code, account)} ({heard})", **facts)


def without_tokens(text: str) -> str:
    """`text` with anything that looks like a token or secret of LWA masked."""
    return _SECRET.sub("…", text)


def _advice(code: str, account: str) -> str:
    match code:
        case "invalid_client":
            return "the client id or client secret is wrong or has ended: set those that the developer console shows now"
        case "invalid_grant":
            return (
                "the seller's authorisation has ended or was revoked: authorise the application again, "
                f"and give {account} the new refresh token"
            )
        case "unauthorized_client":
            return (
                "the refresh token was given to another application, or this one may not ask for tokens: "
                "check that client id and refresh token belong together"
            )
        case "invalid_scope":
            return "the application may not act without a seller's authorisation: check its registration"
    return "check the client id, the client secret and the refresh token"


def _json(reply: Reply) -> Mapping[str, Any]:
    with suppress(ValueError, RecursionError):
        said = json.loads(reply.body)
        if isinstance(said, dict):
            return said
    return {}


def _read(reply: Reply, asked: float) -> _Token:
    """The token in an answer, counted from when it was asked for."""
    said = _json(reply)
    value, seconds = said.get("access_token"), said.get("expires_in", 3600)
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise AmazonAway(
            "no access token: Login with Amazon's answer holds none; try again later", operation=_OPERATION, status=reply.status
        )
    if not isinstance(seconds, int | float) or not 0 < seconds < 10**6:
        seconds = 3600
    return _Token(value, asked + float(seconds))
