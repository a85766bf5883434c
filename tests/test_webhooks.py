"""Webhooks: setting them up, and who is told of what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from msgbot.announce import announce, announce_many
from msgbot.domain.events import EventType
from msgbot.domain.trail import digest
from msgbot.errors import Conflict, InputError, NotFound, Stale
from msgbot.installation_key import InstallationKey
from msgbot.store import trail
from msgbot.store.database import Database
from msgbot.store.deliveries import DeliveryState
from msgbot.webhooks import Webhooks
from tests.conftest import NOW
from tests.piles import Pile

KEY = InstallationKey(bytes(range(32)))
URL = "https://shop.example/hook"
REQUEST, FAILED = EventType.REQUEST_DETECTED, EventType.REPLY_FAILED


@pytest.fixture
def pile() -> Pile:
    """What is enqueued."""
    return Pile()


@pytest.fixture
def webhooks(database: Database, pile: Pile) -> Webhooks:
    """The use case, with the guard on."""
    return Webhooks(database, pile, KEY, lambda: NOW)


async def test_webhooks_that_are_on_and_set_to_an_event_are_told_of_it(webhooks: Webhooks, database: Database, pile: Pile) -> None:
    both = await webhooks.add("main", URL, [REQUEST, FAILED])
    one = await webhooks.add("main", URL, [FAILED])
    off = await webhooks.add("main", URL, [REQUEST])
    other = await webhooks.add("other", URL, [REQUEST])
    await webhooks.change("main", off.id, off.version, enabled=False)
    async with database.transaction() as connection:
        await announce(connection, pile, "main", REQUEST, {"message": "<1@a>"}, NOW)
        await announce_many(connection, pile, "main", FAILED, [{"reply": "r1"}, {"reply": "r2"}], NOW)
        await announce_many(connection, pile, "main", FAILED, [], NOW)
    made = {each.id: await webhooks.deliveries(each.account, each.id, limit=9) for each in (both, one, off, other)}
    assert {identity: sorted(each.event for each in found) for identity, found in made.items()} == {
        both.id: [FAILED, FAILED, REQUEST],
        one.id: [FAILED, FAILED],
        off.id: [],
        other.id: [],
    }
    ids = [each.id for found in made.values() for each in found]
    assert sorted(each.subject for each in pile.waiting) == sorted(f"{identity}:0" for identity in set(ids))
    assert all(each.state is DeliveryState.WAITING and each.next_try_at == NOW for each in made[both.id])


async def test_what_is_rolled_back_is_not_announced(webhooks: Webhooks, database: Database, pile: Pile) -> None:
    webhook = await webhooks.add("main", URL, [REQUEST])

    async def fail() -> None:
        async with database.transaction() as connection:
            await announce(connection, pile, "main", REQUEST, {}, NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await webhooks.deliveries("main", webhook.id, limit=9) == []


async def test_a_webhook_is_changed_by_who_has_read_it_last(webhooks: Webhooks) -> None:
    webhook = await webhooks.add("main", URL, [REQUEST])
    changed = await webhooks.change("main", webhook.id, 1, url="https://new.example/", events=[FAILED])
    assert changed == replace(webhook, url="https://new.example/", events=frozenset({FAILED}), version=2)
    with pytest.raises(Stale, match="read it again"):
        await webhooks.change("main", webhook.id, 1, enabled=False)
    assert await webhooks.all("main") == [changed]
    assert (await webhooks.change("main", webhook.id, 2)).version == 3


@pytest.mark.parametrize(
    ("url", "events", "reason"),
    [
        ("http://shop.example/", [REQUEST], "https://"),
        ("https://127.0.0.1/", [REQUEST], "not a public address"),
        (URL, [], "one or more of these events: cancellation.blocked"),
        (URL, [REQUEST, EventType.TEST], "one or more of these events"),
    ],
)
async def test_a_webhook_that_cannot_be_is_not_taken(
    webhooks: Webhooks, url: str, events: Collection[EventType], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        await webhooks.add("main", url, events)
    webhook = await webhooks.add("main", URL, [REQUEST])
    with pytest.raises(InputError, match=reason):
        await webhooks.change("main", webhook.id, 1, url=url, events=events)
    assert await webhooks.all("main") == [webhook]


async def test_a_webhook_that_is_no_longer_allowed_can_be_turned_off(webhooks: Webhooks, database: Database, pile: Pile) -> None:
    generous = Webhooks(database, pile, KEY, lambda: NOW, private_allowed=True)
    webhook = await generous.add("main", "http://10.0.0.1/", [REQUEST])
    assert not (await webhooks.change("main", webhook.id, 1, enabled=False)).enabled


async def test_every_webhook_has_its_own_secret_until_it_gets_a_new_one(webhooks: Webhooks) -> None:
    one, other = await webhooks.add("main", URL, [REQUEST]), await webhooks.add("main", URL, [REQUEST])
    first = await webhooks.secret("main", one.id)
    assert first == await webhooks.secret("main", one.id)
    assert first != await webhooks.secret("main", other.id)
    rotated = await webhooks.rotate_secret("main", one.id)
    assert (rotated.secret_version, rotated.version) == (2, 2)
    assert await webhooks.secret("main", one.id) != first


async def test_the_trail_says_who_changed_a_webhook_and_nothing_that_lets_in(webhooks: Webhooks, database: Database) -> None:
    who: dict[str, Any] = {"by": "user:alice", "request_id": "r-1"}
    made = await webhooks.add("main", "https://shop.example:8443/hook/s3cret?key=s3cret", [REQUEST], enabled=False, **who)
    changed = await webhooks.change("main", made.id, 1, url="https://other.example/s3cret", events=[FAILED], enabled=True, **who)
    await webhooks.rotate_secret("main", made.id, **who)
    with pytest.raises(Stale):
        await webhooks.change("main", made.id, 1, enabled=False, **who)
    await webhooks.remove("main", made.id, **who)
    async with database.reading() as connection:
        entries = [entry async for entry in trail.entries(connection, "main")]
    names = ("change", "host", "events", "enabled")
    assert [tuple(entry.facts[name] for name in names) for entry in entries] == [
        ("added", "shop.example", ["request.detected"], False),
        ("changed", "other.example", ["reply.failed"], True),
        ("secret renewed", "other.example", ["reply.failed"], True),
        ("removed", "other.example", ["reply.failed"], True),
    ]
    assert {(entry.facts["webhook"], entry.facts["by"], entry.facts["request"]) for entry in entries} == {
        (made.id, "user:alice", "r-1")
    }
    assert entries[1].facts["url_digest"] == digest(changed.url, made.id)
    assert "s3cret" not in repr(entries)


async def test_a_webhook_that_is_off_gets_no_test_and_no_replay(webhooks: Webhooks, pile: Pile) -> None:
    webhook = await webhooks.add("main", URL, [REQUEST])
    delivery = await webhooks.test("main", webhook.id)
    await webhooks.change("main", webhook.id, 1, enabled=False)
    with pytest.raises(Conflict, match="turn it on"):
        await webhooks.test("main", webhook.id)
    with pytest.raises(Conflict, match="turn it on"):
        await webhooks.replay("main", delivery.id)
    await webhooks.remove("main", webhook.id)
    with pytest.raises(Conflict, match="was deleted"):
        await webhooks.replay("main", delivery.id)
    assert len(pile.waiting) == 1


@pytest.mark.parametrize("account", ["main", "other"])
async def test_what_is_not_there_or_of_another_account_is_not_found(webhooks: Webhooks, account: str) -> None:
    webhook = await webhooks.add("main", URL, [REQUEST])
    delivery = await webhooks.test("main", webhook.id)
    webhook_id, delivery_id = ("nothing", "nothing") if account == "main" else (webhook.id, delivery.id)
    for asked in (
        webhooks.get(account, webhook_id),
        webhooks.change(account, webhook_id, 1, enabled=False),
        webhooks.remove(account, webhook_id),
        webhooks.secret(account, webhook_id),
        webhooks.rotate_secret(account, webhook_id),
        webhooks.deliveries(account, webhook_id, limit=1),
        webhooks.replay(account, delivery_id),
        webhooks.test(account, webhook_id),
    ):
        with pytest.raises(NotFound, match=account):
            await asked
    assert await webhooks.all("main") == [webhook]
