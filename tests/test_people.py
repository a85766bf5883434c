"""People: users, signing in, tokens, the first start, and what the trail says of it; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from msgbot.domain.access import PERMISSIONS, Permission, Role
from msgbot.domain.trail import INSTALLATION, Entry, verify
from msgbot.errors import AccessError, Conflict, InputError, NotFound, TooOften
from msgbot.passwords import Passwords
from msgbot.people import People
from msgbot.store import trail
from msgbot.store.database import Database
from msgbot.store.schema import tokens
from tests.conftest import NOW

RIGHT, OTHER = "correct horse battery", "another long password"
SOME = frozenset({"main", "second"})


class House:
    """People on a clock that tests move by hand."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.processes: list[People] = []
        self.people = self.process()

    def process(self, time_cost: int = 1) -> People:
        """One more process on the same database; its passwords cost next to nothing."""
        passwords = Passwords(PasswordHasher(time_cost=time_cost, memory_cost=8, parallelism=1))
        people = People(self.database, lambda: self.now, passwords=passwords, stopwatch=self.seconds)
        self.processes.append(people)
        return people

    def seconds(self) -> float:
        """The stopwatch, which goes by the same hand."""
        return self.now.timestamp()

    async def entries(self) -> list[Entry]:
        """The trail of the installation, which must hold."""
        async with self.database.transaction() as connection:
            entries = [entry async for entry in trail.entries(connection, INSTALLATION)]
            assert verify(INSTALLATION, entries, await trail.head(connection, INSTALLATION)) is None
        return entries


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    made = House(database)
    yield made
    for people in made.processes:
        # Uses of tokens are noted in the background.
        await people.noted()


async def refusal(work: Awaitable[object]) -> str:
    """What it is refused with, as to somebody nobody knows."""
    with pytest.raises(AccessError) as refused:
        await work
    assert not refused.value.known
    return str(refused.value)


async def test_users_come_back_as_they_were_made(house: House) -> None:
    bob = await house.people.add_user("bob", RIGHT, Role.AUDITOR, None)
    alice = await house.people.add_user("alice@shop.example", RIGHT, Role.AGENT, SOME)
    nobody = await house.people.add_user("Zoë", RIGHT, Role.AGENT, frozenset())
    assert await house.people.users() == [nobody, alice, bob]
    assert RIGHT not in repr(await house.people.users())
    assert alice.password_hash not in repr(alice)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 65, "bob\n", "\0", "user:bob"])
async def test_a_name_that_cannot_be_is_refused(house: House, name: str) -> None:
    with pytest.raises(InputError, match="cannot be a name"):
        await house.people.add_user(name, RIGHT, Role.AGENT, None)
    with pytest.raises(InputError, match="cannot be a name"):
        await house.people.create_token(name, role=Role.AGENT, accounts=None)
    for change in (house.people.disable, house.people.enable, house.people.revoke):
        with pytest.raises(NotFound, match="there is no"):
            await change(name)
    assert await refusal(house.people.sign_in(name, RIGHT)) == "the name or the password is wrong"


async def test_names_are_taken_once(house: House) -> None:
    await house.people.add_user("bob", RIGHT, Role.AGENT, None)
    with pytest.raises(Conflict, match="user named bob"):
        await house.people.add_user("bob", OTHER, Role.AGENT, None)
    await house.people.create_token("erp", role=Role.AGENT, accounts=None)
    await house.people.revoke("erp")
    with pytest.raises(Conflict, match="token named erp"):
        await house.people.create_token("erp", role=Role.AGENT, accounts=None)


async def test_who_signs_in_is_themselves_for_twelve_hours(house: House) -> None:
    await house.people.add_user("alice", RIGHT, Role.SUPERVISOR, SOME)
    token, text = await house.people.sign_in("alice", RIGHT)
    actor = await house.people.authenticate(text)
    assert (actor.name, actor.role, actor.accounts) == ("user:alice", Role.SUPERVISOR, SOME)
    assert (actor.token_id, actor.token_name) == (token.id, token.name)
    assert actor.permissions == PERMISSIONS[Role.SUPERVISOR]
    house.now += timedelta(hours=12, seconds=-1)
    assert await house.people.authenticate(text) == actor
    house.now += timedelta(seconds=1)
    assert "expired at 2026-11-21 00:00 UTC" in await refusal(house.people.authenticate(text))


async def test_signing_in_tells_nobody_who_there_is(house: House) -> None:
    await house.people.add_user("alice", RIGHT, Role.AGENT, None)
    await house.people.add_user("former", RIGHT, Role.AGENT, None)
    await house.people.disable("former")
    tries = [("nobody", RIGHT), ("former", RIGHT), ("alice", OTHER), ("alice", ""), ("alice", "x" * 1_000_000), ("al ice", RIGHT)]
    assert {await refusal(house.people.sign_in(name, password)) for name, password in tries} == {
        "the name or the password is wrong"
    }


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_after_five_wrong_passwords_the_right_one_has_to_wait_too(house: House, name: str) -> None:
    await house.people.add_user("alice", RIGHT, Role.AGENT, None)
    tries = await asyncio.gather(*(house.people.sign_in(name, OTHER) for _ in range(8)), return_exceptions=True)
    assert sorted(str(each) for each in tries if isinstance(each, AccessError | TooOften)) == [
        *["the name or the password is wrong"] * 5,
        *["too many wrong passwords in a row for this name: try again in 10 seconds"] * 3,
    ]
    with pytest.raises(TooOften) as refused:
        await house.people.sign_in(name, RIGHT)
    assert refused.value.seconds == 10
    house.now += timedelta(seconds=10)
    if name == "alice":
        await house.people.sign_in(name, RIGHT)
    assert "is wrong" in await refusal(house.people.sign_in(name, OTHER))


async def test_of_many_who_sign_in_at_once_some_are_told_to_come_again(house: House) -> None:
    await house.people.add_user("alice", RIGHT, Role.AGENT, None)
    done = await asyncio.gather(*(house.people.sign_in(f"nobody{each}", OTHER) for each in range(25)), return_exceptions=True)
    assert [str(error) for error in done if isinstance(error, AccessError | TooOften)] == [
        *["the name or the password is wrong"] * 22,
        *["too many sign-ins at once: try again in a moment"] * 3,
    ]
    await house.people.sign_in("alice", RIGHT)


async def test_who_found_no_place_to_sign_in_has_not_guessed(house: House) -> None:
    await house.people.add_user("alice", RIGHT, Role.AGENT, None)
    crowd = [asyncio.create_task(house.people.sign_in(f"nobody{each}", OTHER)) for each in range(22)]
    await asyncio.sleep(0)
    for _ in range(6):
        with pytest.raises(TooOften, match="too many sign-ins at once"):
            await house.people.sign_in("alice", OTHER)
    await asyncio.gather(*crowd, return_exceptions=True)
    await house.people.sign_in("alice", RIGHT)


async def test_a_hash_grows_with_the_times_when_its_user_signs_in(house: House) -> None:
    before = await house.people.add_user("alice", RIGHT, Role.AGENT, None)
    later = house.process(time_cost=2)
    await refusal(later.sign_in("alice", OTHER))
    assert await later.users() == [before]
    await later.sign_in("alice", RIGHT)
    [after] = await later.users()
    assert "t=2" in after.password_hash
    await later.sign_in("alice", RIGHT)
    assert await later.users() == [after]


async def test_another_password_ends_where_the_user_is_signed_in_but_no_other_token(house: House) -> None:
    await house.people.add_user("alice", RIGHT, Role.AGENT, None)
    _, laptop = await house.people.sign_in("alice", RIGHT)
    _, script = await house.people.create_token("script", role=None, accounts=None, user="alice")
    await house.people.authenticate(laptop)
    await house.people.set_password("alice", OTHER)
    await refusal(house.people.authenticate(laptop))
    assert (await house.people.authenticate(script)).name == "user:alice"
    await refusal(house.people.sign_in("alice", RIGHT))
    await house.people.sign_in("alice", OTHER)


async def test_a_password_that_was_changed_while_it_was_checked_is_wrong(house: House) -> None:
    """The change comes in between reading the hash and handing out the token."""
    await house.people.add_user("alice", RIGHT, Role.AGENT, None)
    elsewhere = house.people

    class Slow(Passwords):
        async def fits(self, password: str, stored: str | None) -> bool:
            right = await super().fits(password, stored)
            await elsewhere.set_password("alice", OTHER)
            return right

    passwords = Slow(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    slow = People(house.database, lambda: NOW, passwords=passwords)
    assert "is wrong" in await refusal(slow.sign_in("alice", RIGHT))
    assert await house.people.tokens() == []
    await house.people.sign_in("alice", OTHER)


async def test_what_is_left_of_old_sign_ins_goes_with_the_next(house: House) -> None:
    await house.people.add_user("alice", RIGHT, Role.AGENT, None)
    await house.people.create_token("script", role=None, accounts=None, user="alice", days=1)
    await house.people.sign_in("alice", RIGHT)
    house.now += timedelta(hours=6)
    second, _ = await house.people.sign_in("alice", RIGHT)
    house.now += timedelta(hours=6)
    third, _ = await house.people.sign_in("alice", RIGHT)
    assert {token.name for token in await house.people.tokens()} == {"script", second.name, third.name}


async def test_a_token_is_what_it_was_made_for(house: House) -> None:
    token, text = await house.people.create_token("erp", role=Role.INTEGRATOR, accounts=SOME, scopes=["detect", "orders:read"])
    actor = await house.people.authenticate(text)
    assert (actor.name, actor.role, actor.accounts, actor.token_id) == ("token:erp", Role.INTEGRATOR, SOME, token.id)
    assert actor.permissions == {Permission.DETECT, Permission.READ_ORDERS}
    assert text.startswith(f"msgbot_{token.id}_")
    secret = text.removeprefix(f"msgbot_{token.id}_")
    assert len(secret) == 43
    stored = repr([getattr(token, name) for name in token.__slots__])
    assert secret not in stored
    assert token.secret_hash not in repr(token)
    # The use is noted beside the request.
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
    assert await house.people.tokens() == [replace(token, last_used_at=NOW)]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"scopes": ["detect", "everything"]}, "no scope 'everything'; the scopes are: accounts:manage, adjustments:write, "),
        ({"scopes": ["messages:write"]}, "the role agent does not have messages:write; it has: "),
        ({"days": 0}, "1 to 3650 days, not for 0"),
        ({"days": 3_651}, "1 to 3650 days, not for 3651"),
        ({"role": None}, "needs a role"),
        ({"accounts": frozenset({"main", "a/b"})}, "'a/b' cannot be the name of an account"),
    ],
)
async def test_a_token_that_cannot_be_is_refused(house: House, wanted: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        await house.people.create_token("erp", **{"role": Role.AGENT, "accounts": None, **wanted})  # type: ignore[arg-type]
    assert await house.people.tokens() == []
    assert await house.entries() == []


@pytest.mark.parametrize("days", [1, 3_650])
async def test_a_token_is_good_for_its_days(house: House, days: int) -> None:
    _, text = await house.people.create_token("erp", role=Role.AGENT, accounts=None, days=days)
    house.now += timedelta(days=days, seconds=-1)
    await house.people.authenticate(text)
    house.now += timedelta(seconds=1)
    assert "expired" in await refusal(house.people.authenticate(text))
    # Whoever only guesses learns nothing of it.
    assert "expired" not in await refusal(house.people.authenticate(text[:-4] + "AAAA"))


async def test_a_users_token_has_what_rights_the_user_has_now(house: House) -> None:
    await house.people.add_user("alice", RIGHT, Role.SUPERVISOR, None)
    _, text = await house.people.create_token(
        "script", role=Role.SUPERVISOR, accounts=SOME, scopes=["messages:read", "rulings:override"], user="alice"
    )
    actor = await house.people.authenticate(text)
    assert (actor.name, actor.token_name, actor.accounts) == ("user:alice", "script", SOME)
    assert actor.permissions == {Permission.READ_MESSAGES, Permission.OVERRIDE_RULINGS}
    await house.people.change_rights("alice", Role.AUDITOR, frozenset({"second", "third"}))
    actor = await house.people.authenticate(text)
    assert (actor.role, actor.accounts) == (Role.AUDITOR, frozenset({"second"}))
    assert actor.permissions == {Permission.READ_MESSAGES}
    await house.people.disable("alice")
    await refusal(house.people.authenticate(text))
    await house.people.enable("alice")
    assert await house.people.authenticate(text) == actor


async def test_a_users_token_needs_the_user_and_their_role(house: House) -> None:
    with pytest.raises(NotFound, match="no user named 'alice'"):
        await house.people.create_token("script", role=None, accounts=None, user="alice")
    await house.people.add_user("alice", RIGHT, Role.AUDITOR, None)
    with pytest.raises(InputError, match="which is auditor"):
        await house.people.create_token("script", role=Role.ADMINISTRATOR, accounts=None, user="alice")
    with pytest.raises(InputError, match="does not have detect"):
        await house.people.create_token("script", role=None, accounts=None, scopes=["detect"], user="alice")
    await house.people.disable("alice")
    with pytest.raises(Conflict, match="is disabled"):
        await house.people.create_token("script", role=None, accounts=None, user="alice")


async def test_every_bad_token_is_refused_in_the_same_words(house: House) -> None:
    _, good = await house.people.create_token("good", role=Role.AGENT, accounts=None)
    _, revoked = await house.people.create_token("revoked", role=Role.AGENT, accounts=None)
    signing, _ = await house.people.create_token("signing", role=Role.AGENT, accounts=None, signing=True)
    await house.people.revoke("revoked")
    await house.people.add_user("former", RIGHT, Role.AGENT, None)
    _, of_former = await house.people.create_token("of-former", role=None, accounts=None, user="former")
    await house.people.disable("former")
    kind, identity, secret = good.split("_", 2)
    bad = [
        "",
        "\0",
        "Bearer",
        good.upper(),
        good + "\n",
        " " + good,
        good[:-1],
        f"{kind}_{identity}_{secret[::-1]}",
        f"{kind}_{'0' * 12}_{secret}",
        f"{kind}_{identity}_",
        f"{kind}_{signing.id}_{secret}",
        f"{kind}_{signing.id}_",
        f"{kind}_{identity}_{'é' * 43}",
        revoked,
        of_former,
    ]
    assert {await refusal(house.people.authenticate(text)) for text in bad} == {"the token is not known, or not good any more"}
    assert (await house.people.authenticate(good)).name == "token:good"


async def test_a_signing_token_is_for_signing_only_and_no_other_is(house: House) -> None:
    signing, text = await house.people.create_token("helpdesk", role=Role.INTEGRATOR, accounts=SOME, signing=True)
    assert text == ""
    actor, token = await house.people.actor_of_signing(signing.id)
    assert (actor.name, actor.accounts, token.id) == ("token:helpdesk", SOME, signing.id)
    plain, _ = await house.people.create_token("erp", role=Role.AGENT, accounts=None)
    _, shown = await house.people.create_token("turned", role=Role.AGENT, accounts=None)
    async with house.database.transaction() as connection:
        await connection.execute(tokens.update().where(tokens.c.name == "turned").values(signing=True))
    await refusal(house.people.authenticate(shown))
    for identity in (plain.id, "0" * 12, "", "\0", signing.id + "\n"):
        await refusal(house.people.actor_of_signing(identity))
    house.now += timedelta(days=90)
    assert "expired" in await refusal(house.people.actor_of_signing(signing.id))
    await house.people.revoke("helpdesk")
    assert "expired" not in await refusal(house.people.actor_of_signing(signing.id))


async def test_a_revocation_holds_at_once_here_and_soon_elsewhere(house: House) -> None:
    elsewhere = house.process()
    _, text = await house.people.create_token("erp", role=Role.AGENT, accounts=None)
    await house.people.authenticate(text)
    await elsewhere.authenticate(text)
    await house.people.revoke("erp")
    await refusal(house.people.authenticate(text))
    house.now += timedelta(seconds=2)
    await refusal(elsewhere.authenticate(text))


async def test_the_first_start_makes_one_administrator_and_one_token(house: House) -> None:
    others = [house.process() for _ in range(4)]
    made = [each for each in await asyncio.gather(*(other.first_start(NOW) for other in others)) if each is not None]
    [first] = made
    assert (first.user.name, first.user.role, first.user.accounts, len(first.password)) == ("admin", Role.ADMINISTRATOR, None, 24)
    assert first.token.expires_at == NOW + timedelta(days=365)
    actor = await house.people.authenticate(first.token_text)
    assert (actor.name, actor.role, actor.accounts) == ("token:first", Role.ADMINISTRATOR, None)
    await house.people.sign_in("admin", first.password)
    assert await house.people.first_start(NOW) is None
    facts = [(entry.facts.get("user"), entry.facts.get("token"), entry.facts["by"]) for entry in await house.entries()]
    assert facts[:2] == [("admin", None, "first start"), ("", "first", "first start")]


@pytest.mark.parametrize("kind", ["user", "token"])
async def test_where_there_is_anybody_nothing_is_made(house: House, kind: str) -> None:
    if kind == "user":
        await house.people.add_user("bob", RIGHT, Role.AGENT, None)
        await house.people.disable("bob")
    else:
        await house.people.create_token("erp", role=Role.AGENT, accounts=None)
        await house.people.revoke("erp")
    assert await house.people.first_start(NOW) is None


async def test_the_trail_says_who_changed_what_and_no_secret(house: House) -> None:
    people = house.people
    user = await people.add_user("alice", RIGHT, Role.AGENT, SOME, by="user:admin")
    token, text = await people.create_token("erp", role=Role.AGENT, accounts=None, scopes=["detect"], by="user:admin")
    twice: list[Callable[..., Awaitable[None]]] = [people.disable, people.enable]
    for change in twice:
        await change("alice", by="user:admin")
        await change("alice", by="user:admin")
    await people.change_rights("alice", Role.AUDITOR, None, by="user:admin")
    await people.set_password("alice", OTHER)
    signed_in, sign_in_text = await people.sign_in("alice", OTHER)
    await people.revoke("erp", by="user:admin")
    await people.revoke("erp", by="user:admin")
    entries = await house.entries()
    assert [(entry.kind, entry.facts["change"], entry.facts["role"], entry.facts["by"]) for entry in entries] == [
        ("user_changed", "added", "agent", "user:admin"),
        ("token_changed", "added", "agent", "user:admin"),
        ("user_changed", "disabled", "agent", "user:admin"),
        ("user_changed", "enabled", "agent", "user:admin"),
        ("user_changed", "rights", "auditor", "user:admin"),
        ("user_changed", "password", "auditor", "command line"),
        ("token_changed", "added", "auditor", "user:alice"),
        ("token_changed", "revoked", "agent", "user:admin"),
    ]
    assert (entries[0].facts["accounts"], entries[4].facts["accounts"]) == (["main", "second"], "all")
    assert entries[6].facts["token"] == signed_in.name
    told = repr(entries)
    hashes = {each.password_hash for each in [user, *await people.users()]}
    for secret in (RIGHT, OTHER, text[20:], sign_in_text[20:], token.secret_hash, signed_in.secret_hash, *hashes):
        assert secret not in told


async def test_a_scope_of_a_later_release_allows_nothing_here(house: House) -> None:
    _, text = await house.people.create_token("erp", role=Role.AGENT, accounts=None, scopes=["detect"])
    async with house.database.transaction() as connection:
        await connection.execute(tokens.update().values(scopes=["teleport"]))
    assert (await house.people.authenticate(text)).permissions == frozenset()
    assert (await house.people.tokens())[0].scopes == frozenset()


async def test_times_are_kept_in_utc(house: House) -> None:
    token, _ = await house.people.create_token("erp", role=Role.AGENT, accounts=None, days=1)
    [kept] = await house.people.tokens()
    assert kept == token
    assert kept.expires_at == datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
