"""Passwords: how they are hashed and checked, and how fast one may guess.

What is slow runs in threads, so that nobody else waits for it.
"""

from __future__ import annotations

import asyncio
import math
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from msgbot.clock import Stopwatch
from msgbot.errors import InputError, TooOften

SHORTEST, LONGEST = 12, 1_000
"""How many characters a password has."""
_AT_ONCE = 2
"""How many are hashed at the same time: each takes 64 MiB of memory."""
_WAITING = 20
"""How many sign-ins wait for their turn; more would only wait until nobody is there any more to get the answer."""


class Passwords:
    """Hashes and checks passwords. Build one for a process."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._signing_in = 0

    @contextmanager
    def signing_in(self) -> Iterator[None]:
        """Holds a place for one who signs in. Raises TooOften when all places are taken."""
        if self._signing_in >= _AT_ONCE + _WAITING:
            raise TooOften("too many sign-ins at once: try again in a moment", 1.0)
        self._signing_in += 1
        try:
            yield
        finally:
            self._signing_in -= 1

    async def hashed(self, password: str) -> str:
        """The hash to keep (Argon2id, salted). Raises InputError when the password is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise InputError(f"a password has {SHORTEST} to {LONGEST} characters, this one has {len(password)}")
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _plain(password))

    async def fits(self, password: str, stored: str | None) -> bool:
        """Whether `password` is the one of the hash `stored`. None takes as long, and never fits: so nobody can tell by the time
        it takes whether there is such a user."""
        if len(password) > LONGEST:
            return False
        async with self._turns:
            right = await asyncio.to_thread(self._verify, stored or self._nobodys, _plain(password))
        return right and stored is not None

    async def renewed(self, password: str, stored: str) -> str | None:
        """A hash of the parameters of today for a password that fits `stored`; None when that has them."""
        if not self._hasher.check_needs_rehash(stored):
            return None
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _plain(password))

    def _verify(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    @property
    def _nobodys(self) -> str:
        """A hash of the parameters of today that no password is known for."""
        hasher = self._hasher
        effort = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
        return f"$argon2id$v=19${effort}${_zeros(hasher.salt_len)}${_zeros(hasher.hash_len)}"


def _plain(password: str) -> bytes:
    """The same bytes for the same password, whichever way a keyboard composes its letters."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _zeros(length: int) -> str:
    """So many zero bytes in base64 without padding."""
    return "A" * math.ceil(length * 8 / 6)


class Guesses:
    """Counts wrong passwords in a row for each name, of users and of nobody alike, and makes the next try wait.

    The first five are free; then the wait is ten seconds and doubles up to a quarter of an hour. Kept in memory: another process
    counts anew, and so does this one after a restart.
    """

    FREE = 5
    FIRST_WAIT, LONGEST_WAIT = 10.0, 900.0
    NAMES = 10_000
    """How many names are remembered; the one that was tried longest ago is forgotten first."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch
        self._wrong: dict[str, tuple[int, float]] = {}

    def begin(self, name: str) -> None:
        """Counts a try, as a wrong one until `right` is told otherwise: so a hundred at the same time count as a hundred. Raises
        TooOften when it comes too early; that one does not count."""
        count, last = self._wrong.get(name, (0, 0.0))
        now = self._stopwatch()
        left = last + self._wait(count) - now
        if left > 0:
            raise TooOften(f"too many wrong passwords in a row for this name: try again in {math.ceil(left)} seconds", left)
        self._wrong.pop(name, None)
        if len(self._wrong) >= self.NAMES:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[name] = (count + 1, now)

    def right(self, name: str) -> None:
        """Forgets the wrong ones: the password was right."""
        self._wrong.pop(name, None)

    def _wait(self, count: int) -> float:
        """Seconds from the last of so many wrong tries to the next that is let through."""
        if count < self.FREE:
            return 0.0
        return min(self.FIRST_WAIT * 2.0 ** min(count - self.FREE, 10), self.LONGEST_WAIT)
