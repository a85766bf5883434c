"""Users and tokens on file. Of a password there is an Argon2 hash, of a token's secret a SHA-256; neither is ever shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.access import Permission, Role
from msgbot.errors import Conflict
from msgbot.store.schema import tokens, users

SIGN_IN = "sign-in-"
"""How the name of a token begins that a user got for a password; its id follows."""


@dataclass(frozen=True, slots=True)
class User:
    """A person who signs in. `accounts` are those they may work with; None means all."""

    name: str
    password_hash: str = field(repr=False)
    role: Role
    accounts: frozenset[str] | None
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """What a program, or a person who signed in, shows with a request. A user's token (`user` is not empty) goes by the user's
    role; `role` is then only what that was when it was made. `scopes` of None narrow nothing, `accounts` of None mean all.
    A `signing` token signs requests instead of standing in them, and has no `secret_hash`."""

    id: str
    name: str
    secret_hash: str = field(repr=False)
    signing: bool
    user: str
    role: Role
    scopes: frozenset[Permission] | None
    accounts: frozenset[str] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


async def anybody(connection: AsyncConnection) -> bool:
    """Whether there is any user or token, be it disabled or revoked."""
    found = await connection.execute(select(or_(exists(select(users.c.name)), exists(select(tokens.c.id)))))
    return bool(found.scalar_one())


async def add_user(connection: AsyncConnection, user: User) -> None:
    """Puts a user on file. Raises Conflict when there is one of this name; the transaction cannot go on then."""
    row = {
        "name": user.name,
        "password_hash": user.password_hash,
        "role": user.role.value,
        "accounts": _listed(user.accounts),
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
    }
    try:
        await connection.execute(insert(users).values(row))
    except IntegrityError as error:
        raise Conflict(f"there is a user named {user.name} already") from error


async def get_user(connection: AsyncConnection, name: str, *, lock: bool = False) -> User | None:
    """The user, or None; with `lock` nobody else changes them until the transaction ends."""
    query = select(users).where(users.c.name == name)
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    return _user(row) if row is not None else None


async def all_users(connection: AsyncConnection) -> list[User]:
    """All users, by name."""
    return sorted((_user(row) for row in await connection.execute(select(users))), key=lambda user: user.name)


async def set_password_hash(connection: AsyncConnection, name: str, password_hash: str) -> None:
    """Puts another hash in the place of a user's."""
    await connection.execute(update(users).where(users.c.name == name).values(password_hash=password_hash))


async def set_rights(connection: AsyncConnection, name: str, role: Role, accounts: frozenset[str] | None) -> None:
    """Gives a user another role and other accounts."""
    await connection.execute(update(users).where(users.c.name == name).values(role=role.value, accounts=_listed(accounts)))


async def set_disabled(connection: AsyncConnection, name: str, at: datetime | None) -> None:
    """Disables a user, or enables them when `at` is None."""
    await connection.execute(update(users).where(users.c.name == name).values(disabled_at=at))


async def add_token(connection: AsyncConnection, token: Token) -> None:
    """Puts a token on file. Raises Conflict when there is one of this name; the transaction cannot go on then."""
    row = {
        "id": token.id,
        "name": token.name,
        "secret_hash": token.secret_hash,
        "signing": token.signing,
        "user_name": token.user or None,
        "role": token.role.value,
        "scopes": _listed(token.scopes),
        "accounts": _listed(token.accounts),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "last_used_at": token.last_used_at,
    }
    try:
        await connection.execute(insert(tokens).values(row))
    except IntegrityError as error:
        raise Conflict(f"there is a token named {token.name} already, or was one: choose another name") from error


async def get_token(connection: AsyncConnection, token_id: str) -> Token | None:
    """The token with this id, or None."""
    return await _token_where(connection, tokens.c.id == token_id)


async def token_named(connection: AsyncConnection, name: str) -> Token | None:
    """The token of this name, or None."""
    return await _token_where(connection, tokens.c.name == name)


async def all_tokens(connection: AsyncConnection) -> list[Token]:
    """All tokens, by name; those that were revoked or have expired as well."""
    return sorted((_token(row) for row in await connection.execute(select(tokens))), key=lambda token: token.name)


async def revoke_token(connection: AsyncConnection, token_id: str, at: datetime) -> None:
    """Ends a token."""
    await connection.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=at))


async def touch_token(connection: AsyncConnection, token_id: str, at: datetime, grain: timedelta) -> None:
    """Notes that a token was used, unless that was noted less than `grain` ago."""
    stale = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at <= at - grain)
    await connection.execute(update(tokens).where(tokens.c.id == token_id, stale).values(last_used_at=at))


async def drop_sign_ins(connection: AsyncConnection, user: str, *, expired_at: datetime | None = None) -> int:
    """Deletes the tokens that a user got for a password, perhaps only those that have expired by then; how many there were."""
    query = delete(tokens).where(tokens.c.user_name == user, tokens.c.name == SIGN_IN + tokens.c.id)
    if expired_at is not None:
        query = query.where(tokens.c.expires_at <= expired_at)
    return (await connection.execute(query)).rowcount


async def _token_where(connection: AsyncConnection, condition: ColumnElement[bool]) -> Token | None:
    row = (await connection.execute(select(tokens).where(condition))).first()
    return _token(row) if row is not None else None


def _listed(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else sorted(map(str, names))


def _names(listed: list[str] | None) -> frozenset[str] | None:
    return None if listed is None else frozenset(listed)


def _user(row: Row[Any]) -> User:
    return User(row.name, row.password_hash, Role(row.role), _names(row.accounts), row.created_at, row.disabled_at)


def _token(row: Row[Any]) -> Token:
    # A scope that this release does not know allows nothing here, so that leaving it out widens nothing.
    scopes = None if row.scopes is None else frozenset(each for each in Permission if each.value in row.scopes)
    return Token(
        id=row.id,
        name=row.name,
        secret_hash=row.secret_hash,
        signing=row.signing,
        user=row.user_name or "",
        role=Role(row.role),
        scopes=scopes,
        accounts=_names(row.accounts),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
