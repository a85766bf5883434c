"""Passwords and guessing, without a database."""

from __future__ import annotations

from typing import Literal

import pytest
from argon2 import PasswordHasher

from msgbot.errors import InputError, TooOften
from msgbot.passwords import Guesses, Passwords

WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
RIGHT = "correct horse battery"


class Watched(PasswordHasher):
    """Notes the effort of what it is asked to check."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.efforts: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - its name in the library
        self.efforts.append(str(hash).rpartition("$")[0].rpartition("$")[0])
        return super().verify(hash, password)


async def test_a_password_fits_its_hash_and_no_other() -> None:
    passwords = Passwords(WEAK)
    stored = await passwords.hashed(RIGHT)
    assert stored.startswith("$argon2id$")
    assert await passwords.fits(RIGHT, stored)
    assert not await passwords.fits(RIGHT + " ", stored)
    assert not await passwords.fits(RIGHT, "no hash at all")
    assert stored != await passwords.hashed(RIGHT), "without a salt, the same password would show"


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1_001])
async def test_a_password_of_the_wrong_length_is_refused(password: str) -> None:
    with pytest.raises(InputError, match="12 to 1000 characters"):
        await Passwords(WEAK).hashed(password)


@pytest.mark.parametrize("password", ["x" * 12, "x" * 1_000, "half a pair \ud83d"])
async def test_a_password_at_the_edge_is_taken(password: str) -> None:
    passwords = Passwords(WEAK)
    assert await passwords.fits(password, await passwords.hashed(password))


async def test_a_password_may_be_typed_on_another_keyboard() -> None:
    """One composes the umlaut, the other sends a letter and two dots."""
    passwords = Passwords(WEAK)
    assert await passwords.fits("Gru\u0308ße aus Köln", await passwords.hashed("Gr\u00fcße aus Ko\u0308ln"))


async def test_nobody_costs_the_same_work_and_never_fits() -> None:
    hasher = Watched()
    passwords = Passwords(hasher)
    await passwords.fits(RIGHT, await passwords.hashed(RIGHT))
    assert not await passwords.fits(RIGHT, None)
    assert len(hasher.efforts) == 2
    assert hasher.efforts[0] == hasher.efforts[1]


async def test_a_hash_is_renewed_when_the_parameters_have_changed() -> None:
    old = await Passwords(WEAK).hashed(RIGHT)
    today = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    new = await today.renewed(RIGHT, old)
    assert new is not None
    assert "t=2" in new
    assert await today.fits(RIGHT, new)
    assert await today.renewed(RIGHT, new) is None


class Watch:
    """A stopwatch that tests move by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_the_wait_grows_with_every_wrong_password() -> None:
    watch = Watch()
    guesses = Guesses(watch)
    for _ in range(5):
        guesses.begin("alice")
    waited = []
    for _ in range(9):
        with pytest.raises(TooOften, match="try again in") as refused:
            guesses.begin("alice")
        seconds = int(str(refused.value).split()[-2])
        assert refused.value.seconds == seconds
        waited.append(seconds)
        watch.now += seconds - 1
        with pytest.raises(TooOften, match="in 1 seconds"):
            guesses.begin("alice")
        watch.now += 1
        guesses.begin("alice")
    assert waited == [10, 20, 40, 80, 160, 320, 640, 900, 900]


def test_names_wait_each_for_themselves_and_a_right_password_ends_it() -> None:
    guesses = Guesses(Watch())
    for _ in range(4):
        guesses.begin("alice")
    guesses.right("alice")
    for _ in range(5):
        guesses.begin("alice")
    guesses.begin("bob")
    with pytest.raises(TooOften):
        guesses.begin("alice")


def test_the_memory_for_names_is_bounded() -> None:
    guesses = Guesses(Watch())
    for _ in range(5):
        guesses.begin("first")
    for number in range(Guesses.NAMES - 1):
        guesses.begin(f"name{number}")
    with pytest.raises(TooOften):
        guesses.begin("first")
    guesses.begin("one more")
    guesses.begin("first")
