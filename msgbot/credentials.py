"""Credentials: tokens as they are made, and from the token that a request shows to who makes it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from msgbot.clock import Clock, Stopwatch
from msgbot.domain.access import Actor, Permission, Role, narrowed, shared
from msgbot.errors import AccessError
from msgbot.store import people
from msgbot.store.database import Database
from msgbot.store.people import SIGN_IN, Token, User

_TEXT = re.compile(r"msgbot_(?P<id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})")
_ID = re.compile(r"[0-9a-f]{12}")
_REMEMBERED_SECONDS = 2.0
_REMEMBERED_TOKENS = 1_000
_USE_GRAIN = timedelta(minutes=1)


def new_token(
    name: str,
    role: Role,
    accounts: frozenset[str] | None,
    now: datetime,
    lifetime: timedelta,
    scopes: frozenset[Permission] | None = None,
    user: str = "",
    *,
    signing: bool = False,
) -> tuple[Token, str]:
    """A token that is not on file yet, and its text as its holder keeps it; a signing token has none. Without a name it is that of
    somebody who signed in."""
    identity = secrets.token_hex(6)
    secret = "" if signing else secrets.token_urlsafe(32)
    token = Token(
        id=identity,
        name=name or SIGN_IN + identity,
        secret_hash=_digest(secret) if secret else "",
        signing=signing,
        user=user,
        role=role,
        scopes=scopes,
        accounts=accounts,
        created_at=now,
        expires_at=now + lifetime,
    )
    return token, f"msgbot_{identity}_{secret}" if secret else ""


@dataclass(frozen=True, slots=True)
class _Holder:
    """A token and the user it belongs to, if it does, as they were on file; good until `until` on the stopwatch."""

    token: Token
    user: User | None
    until: float


class Credentials:
    """Knows tokens. What the database said of one is remembered for two seconds, so that a busy client costs no query for each
    request; for so long another process may not know of a revocation."""

    def __init__(self, database: Database, clock: Clock, stopwatch: Stopwatch) -> None:
        self._database = database
        self._clock = clock
        self._stopwatch = stopwatch
        self._remembered: dict[str, _Holder] = {}
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._used_at: dict[str, datetime] = {}
        self._noting: asyncio.Task[None] | None = None

    async def actor(self, text: str) -> Actor:
        """Who shows this token. Raises AccessError: of a token that was not good one learns only when it has expired, and that
        only with the right secret."""
        parts = _TEXT.fullmatch(text)
        holder = await self._holder(parts["id"]) if parts else None
        if parts is None or holder is None or holder.token.signing:
            raise _unknown()
        if not hmac.compare_digest(_digest(parts["secret"]), holder.token.secret_hash):
            raise _unknown()
        return self._used(holder)

    async def signer(self, token_id: str) -> tuple[Actor, Token]:
        """Who signs with this token, and the token; the signature is for the caller to check. Raises AccessError as `actor`."""
        holder = await self._holder(token_id) if _ID.fullmatch(token_id) else None
        if holder is None or not holder.token.signing:
            raise _unknown()
        return self._used(holder), holder.token

    def forget(self) -> None:
        """Forgets what was remembered: something was revoked, disabled or changed."""
        self._remembered.clear()

    async def _holder(self, token_id: str) -> _Holder | None:
        # One question at a time for each token: a thousand requests in the same moment ask the database once.
        async with self._asking.setdefault(token_id, asyncio.Lock()):
            known = self._remembered.get(token_id)
            if known is not None and self._stopwatch() < known.until:
                return known
            until = self._stopwatch() + _REMEMBERED_SECONDS
            async with self._database.reading() as connection:
                token = await people.get_token(connection, token_id)
                user = await people.get_user(connection, token.user) if token is not None and token.user else None
            self._remembered.pop(token_id, None)
            return self._remember(_Holder(token, user, until)) if token is not None else None

    def _remember(self, holder: _Holder) -> _Holder:
        if holder.token.id not in self._remembered and len(self._remembered) >= _REMEMBERED_TOKENS:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[holder.token.id] = holder
        return holder

    def _used(self, holder: _Holder) -> Actor:
        """The actor, with the use noted. Raises AccessError when the token or its user are not good any more."""
        now = self._clock()
        token = holder.token
        if token.revoked_at is not None:
            raise _unknown()
        if token.user and (holder.user is None or holder.user.disabled_at is not None):
            raise _unknown()
        if token.expires_at <= now:
            raise AccessError(f"this token expired at {token.expires_at:%Y-%m-%d %H:%M} UTC: a new one is needed", known=False)
        self._note_use(holder, now)
        return _actor(token, holder.user)

    def _note_use(self, holder: _Holder, now: datetime) -> None:
        token = holder.token
        if token.last_used_at is not None and now - token.last_used_at < _USE_GRAIN:
            return
        # Remembered first, so that of many requests at the same moment one writes.
        self._remember(dataclasses.replace(holder, token=dataclasses.replace(token, last_used_at=now)))
        self._used_at[token.id] = now
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._write_uses())

    async def noted(self) -> None:
        """Returns when the uses until now are on file."""
        if self._noting is not None:
            await self._noting

    async def _write_uses(self) -> None:
        """Puts the uses on file beside the requests: when a token was last used is good to know, but no request waits or fails
        for it."""
        while self._used_at:
            used, self._used_at = self._used_at, {}
            with contextlib.suppress(Exception):
                async with self._database.transaction() as connection:
                    # In order: two processes that note the same tokens must not wait for each other.
                    for token_id, at in sorted(used.items()):
                        await people.touch_token(connection, token_id, at, _USE_GRAIN)


def _actor(token: Token, user: User | None) -> Actor:
    role = token.role if user is None else user.role
    accounts = token.accounts if user is None else shared(token.accounts, user.accounts)
    name = f"token:{token.name}" if user is None else f"user:{user.name}"
    return Actor(name, role, narrowed(role, token.scopes), accounts, token.id, token.name)


def _unknown() -> AccessError:
    return AccessError("the token is not known, or not good any more", known=False)


def _digest(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits, so that nobody finds it by trying: no salt, nothing slow."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()
