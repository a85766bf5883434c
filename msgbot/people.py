"""People: who may use msgbot, by password or by token, and what they may do. Every change of that stands in the trail."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.clock import Clock, Stopwatch
from msgbot.credentials import Credentials, new_token
from msgbot.domain.access import ACCOUNT_NAME, PERMISSIONS, PERSON_NAME, Actor, Permission, Role
from msgbot.domain.trail import INSTALLATION, EntryKind, Facts
from msgbot.errors import AccessError, Conflict, InputError, NotFound
from msgbot.passwords import Guesses, Passwords
from msgbot.store import people, trail
from msgbot.store.database import Database
from msgbot.store.people import Token, User

_SIGNED_IN = timedelta(hours=12)
_MOST_DAYS = 3_650
_COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class FirstStart:
    """The first user and the first token of an installation, with the secrets that are shown this once."""

    user: User
    password: str
    token: Token
    token_text: str


class People:
    """The use case. `by` says for the trail who changed something. Whether they may is for the caller to ask."""

    def __init__(
        self, database: Database, clock: Clock, *, passwords: Passwords | None = None, stopwatch: Stopwatch = time.monotonic
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._guesses = Guesses(stopwatch)
        self._credentials = Credentials(database, clock, stopwatch)

    async def add_user(
        self, name: str, password: str, role: Role, accounts: frozenset[str] | None, *, by: str = _COMMAND_LINE
    ) -> User:
        """The new user, who may work with `accounts`; None means all. Raises InputError for a name or password that cannot be one,
        Conflict when the name is taken."""
        _check_name(name)
        _check_accounts(accounts)
        user = User(name, await self._passwords.hashed(password), role, accounts, self._clock())
        async with self._database.transaction() as connection:
            await people.add_user(connection, user)
            await self._record_user(connection, user, "added", by)
        return user

    async def set_password(self, name: str, password: str, *, by: str = _COMMAND_LINE) -> None:
        """Gives a user another password and ends where they are signed in; other tokens of theirs stay. Raises NotFound,
        InputError."""
        password_hash = await self._passwords.hashed(password)
        async with self._database.transaction() as connection:
            user = await _existing(connection, name)
            await people.set_password_hash(connection, name, password_hash)
            await people.drop_sign_ins(connection, name)
            await self._record_user(connection, user, "password", by)
        self._credentials.forget()

    async def change_rights(self, name: str, role: Role, accounts: frozenset[str] | None, *, by: str = _COMMAND_LINE) -> None:
        """Gives a user another role and other accounts; all tokens of theirs follow. Raises NotFound, InputError."""
        _check_accounts(accounts)
        async with self._database.transaction() as connection:
            await _existing(connection, name)
            await people.set_rights(connection, name, role, accounts)
            await self._record_user(connection, await _existing(connection, name), "rights", by)
        self._credentials.forget()

    async def disable(self, name: str, *, by: str = _COMMAND_LINE) -> None:
        """Lets a user in no more, by password or token. Raises NotFound."""
        async with self._database.transaction() as connection:
            user = await _existing(connection, name)
            if user.disabled_at is None:
                await people.set_disabled(connection, name, self._clock())
                await people.drop_sign_ins(connection, name)
                await self._record_user(connection, user, "disabled", by)
        self._credentials.forget()

    async def enable(self, name: str, *, by: str = _COMMAND_LINE) -> None:
        """Lets a disabled user in again, and the tokens that were made for them. Raises NotFound."""
        async with self._database.transaction() as connection:
            user = await _existing(connection, name)
            if user.disabled_at is not None:
                await people.set_disabled(connection, name, None)
                await self._record_user(connection, user, "enabled", by)
        self._credentials.forget()

    async def users(self) -> list[User]:
        """All users, by name."""
        async with self._database.reading() as connection:
            return await people.all_users(connection)

    async def sign_in(self, name: str, password: str, *, request_id: str = "") -> tuple[Token, str]:
        """A token of twelve hours for this user, and its text; `request_id` is for the trail. Raises AccessError: one and the same,
        after the same work, for a name nobody has, a disabled user and a wrong password. Raises TooOften when too many tries went
        wrong in a row, or too many sign in at once."""
        # Before a try is counted for the name: who finds no place has tried nothing.
        with self._passwords.signing_in():
            user = None
            if PERSON_NAME.fullmatch(name):
                self._guesses.begin(name)
                async with self._database.reading() as connection:
                    user = await people.get_user(connection, name)
            right = await self._passwords.fits(password, user.password_hash if user is not None else None)
            if user is None or user.disabled_at is not None or not right:
                raise _not_signed_in()
            self._guesses.right(name)
            renewed = await self._passwords.renewed(password, user.password_hash)
        now = self._clock()
        token, text = new_token("", user.role, None, now, _SIGNED_IN, user=name)
        async with self._database.transaction() as connection:
            # While the password was checked, it may have been changed: then it does not count any more.
            if await people.get_user(connection, name, lock=True) != user:
                raise _not_signed_in()
            if renewed is not None:
                await people.set_password_hash(connection, name, renewed)
            await people.drop_sign_ins(connection, name, expired_at=now)
            await people.add_token(connection, token)
            await self._record_token(connection, token, "added", f"user:{name}", request_id)
        return token, text

    async def create_token(
        self,
        name: str,
        *,
        role: Role | None,
        accounts: frozenset[str] | None,
        scopes: Collection[str] | None = None,
        user: str = "",
        days: int = 90,
        signing: bool = False,
        by: str = _COMMAND_LINE,
    ) -> tuple[Token, str]:
        """A new token and its text, which nobody can show again; a signing token has none.

        With a `user` it has what rights the user has when it is used (`role` is theirs or None), else those of `role`; `scopes`
        and `accounts` leave less of them, None leaves all. Raises InputError, NotFound for the user, Conflict when the name is or
        was taken or the user is disabled."""
        _check_name(name)
        _check_accounts(accounts)
        if not 1 <= days <= _MOST_DAYS:
            raise InputError(f"a token is good for 1 to {_MOST_DAYS} days, not for {days}")
        async with self._database.transaction() as connection:
            role = await _role_of(connection, user, role)
            token, text = new_token(
                name, role, accounts, self._clock(), timedelta(days=days), _scopes(scopes, role), user, signing=signing
            )
            await people.add_token(connection, token)
            await self._record_token(connection, token, "added", by)
        return token, text

    async def revoke(self, name: str, *, by: str = _COMMAND_LINE) -> None:
        """Ends the token of this name for good; in other processes within two seconds. Raises NotFound."""
        async with self._database.transaction() as connection:
            token = await people.token_named(connection, name) if PERSON_NAME.fullmatch(name) else None
            if token is None:
                raise NotFound(f"there is no token named {name!r}")
            if token.revoked_at is None:
                await people.revoke_token(connection, token.id, self._clock())
                await self._record_token(connection, token, "revoked", by)
        self._credentials.forget()

    async def tokens(self) -> list[Token]:
        """All tokens, by name; those that were revoked or have expired as well."""
        async with self._database.reading() as connection:
            return await people.all_tokens(connection)

    async def authenticate(self, text: str) -> Actor:
        """Who shows this token. Raises AccessError that tells nothing of why, but for a token that has expired."""
        return await self._credentials.actor(text)

    async def noted(self) -> None:
        """Returns when it is on file which tokens were used."""
        await self._credentials.noted()

    async def actor_of_signing(self, token_id: str) -> tuple[Actor, Token]:
        """Who signs with this token, and the token; the signature itself is for the caller to check. Raises AccessError as
        `authenticate`, also for a token that is not for signing."""
        return await self._credentials.signer(token_id)

    async def first_start(self, now: datetime) -> FirstStart | None:
        """Makes the user `admin` and the token `first`, both of an administrator, where there is nobody yet; else None. Of
        processes that start at once, one gets them."""
        async with self._database.reading() as connection:
            if await people.anybody(connection):
                return None
        password = secrets.token_urlsafe(18)
        admin = User("admin", await self._passwords.hashed(password), Role.ADMINISTRATOR, None, now)
        token, text = new_token("first", Role.ADMINISTRATOR, None, now, timedelta(days=365))
        try:
            async with self._database.transaction() as connection:
                if await people.anybody(connection):
                    return None
                await people.add_user(connection, admin)
                await people.add_token(connection, token)
                await self._record_user(connection, admin, "added", "first start")
                await self._record_token(connection, token, "added", "first start")
        except Conflict:
            return None
        return FirstStart(admin, password, token, text)

    async def _record_user(self, connection: AsyncConnection, user: User, change: str, by: str) -> None:
        facts: Facts = {
            "user": user.name,
            "change": change,
            "role": user.role.value,
            "accounts": _listed(user.accounts),
            "by": by,
        }
        await trail.append(connection, INSTALLATION, self._clock(), EntryKind.USER_CHANGED, facts)

    async def _record_token(self, connection: AsyncConnection, token: Token, change: str, by: str, request_id: str = "") -> None:
        facts: Facts = {
            "token": token.name,
            "change": change,
            "id": token.id,
            "user": token.user,
            "role": token.role.value,
            "scopes": _listed(token.scopes),
            "accounts": _listed(token.accounts),
            "signing": token.signing,
            "expires_at": token.expires_at.isoformat(),
            "by": by,
            "request": request_id,
        }
        await trail.append(connection, INSTALLATION, self._clock(), EntryKind.TOKEN_CHANGED, facts)


async def _existing(connection: AsyncConnection, name: str) -> User:
    """The user, whom nobody else changes until the transaction ends."""
    user = await people.get_user(connection, name, lock=True) if PERSON_NAME.fullmatch(name) else None
    if user is None:
        raise NotFound(f"there is no user named {name!r}")
    return user


async def _role_of(connection: AsyncConnection, user: str, role: Role | None) -> Role:
    """The role of a new token."""
    if not user:
        if role is None:
            raise InputError("a token needs a role, or a user whose role it has")
        return role
    holder = await _existing(connection, user)
    if holder.disabled_at is not None:
        raise Conflict(f"the user {user} is disabled: enable them before you make a token for them")
    if role not in (None, holder.role):
        raise InputError(
            f"a token of {user} has the role of {user}, which is {holder.role}: give no role, and scopes to allow less"
        )
    return holder.role


def _scopes(given: Collection[str] | None, role: Role) -> frozenset[Permission] | None:
    """The scopes as permissions. Raises InputError for one that there is not, or that the role does not have."""
    if given is None:
        return None
    known = sorted(permission.value for permission in Permission)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InputError(f"there is no scope {unknown[0]!r}; the scopes are: {', '.join(known)}")
    scopes = frozenset(map(Permission, given))
    beyond = sorted(scopes - PERMISSIONS[role])
    if beyond:
        raise InputError(f"the role {role} does not have {beyond[0]}; it has: {', '.join(sorted(PERMISSIONS[role]))}")
    return scopes


def _check_name(name: str) -> None:
    if not PERSON_NAME.fullmatch(name):
        raise InputError(f"{name!r} cannot be a name: 1 to 64 letters, digits, '_', '.', '@', '+' and '-'")


def _check_accounts(accounts: frozenset[str] | None) -> None:
    wrong = sorted(name for name in accounts or () if not ACCOUNT_NAME.fullmatch(name))
    if wrong:
        raise InputError(f"{wrong[0]!r} cannot be the name of an account: 1 to 64 letters, digits, '_', '.' and '-'")


def _listed(names: Collection[str] | None) -> list[str] | str:
    return "all" if names is None else sorted(names)


def _not_signed_in() -> AccessError:
    return AccessError("the name or the password is wrong", known=False)
