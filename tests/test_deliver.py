"""Deliveries to a real receiver that fails in all kinds of ways."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from standardwebhooks import Webhook as Library

from msgbot.announce import DELIVER, announce
from msgbot.channels.signatures import check
from msgbot.deliver import Deliver
from msgbot.domain.events import EventType
from msgbot.domain.retries import SCHEDULE
from msgbot.engine import Engine
from msgbot.installation_key import InstallationKey
from msgbot.senders.webhook import open_sender
from msgbot.store import deliveries, trail
from msgbot.store.database import Database
from msgbot.store.deliveries import Delivery, DeliveryState
from msgbot.store.webhooks import Webhook
from msgbot.webhooks import Webhooks
from tests.conftest import NOW
from tests.piles import Pile
from tests.receiver import Behaviour, Flood, Receiver, answer, cut, cut_in_body, hang, receiving

KEY = InstallationKey(bytes(range(32)))
REQUEST = EventType.REQUEST_DETECTED
SHORT = (timedelta(minutes=1), timedelta(minutes=2))


class Post:
    """Webhooks and their deliveries, on a clock that tests move by hand."""

    def __init__(self, database: Database, receiver: Receiver) -> None:
        self.now = NOW
        self.database = database
        self.receiver = receiver
        self.pile = Pile()
        self.webhooks = Webhooks(database, self.pile, KEY, lambda: self.now, private_allowed=True)
        self.deliver: Deliver

    async def happen(self, number: int = 1) -> None:
        """One event."""
        async with self.database.transaction() as connection:
            await announce(connection, self.pile, "main", REQUEST, {"message": f"<{number}@a>"}, self.now)

    async def work(self) -> None:
        """Makes the tries that are enqueued now, and not those that follow from them."""
        due, self.pile.waiting = self.pile.waiting, []
        for each in due:
            assert each.workflow == DELIVER
            self.now += timedelta(seconds=each.delay)
            outcome = await self.deliver.send(each.account, each.subject)
            if outcome:
                await self.deliver.record(each.account, outcome)

    async def work_to_the_end(self) -> None:
        """Makes all tries."""
        while self.pile.waiting:
            await self.work()

    async def last(self, webhook: Webhook) -> Delivery:
        """The newest delivery to the webhook."""
        async with self.database.transaction() as connection:
            return (await deliveries.of_webhook(connection, "main", webhook.id, limit=1))[0]


@pytest.fixture
async def post(database: Database) -> AsyncIterator[Post]:
    """A post office with a receiver."""
    async with receiving() as receiver, open_sender(private_allowed=True, seconds=0.5) as sender:
        made = Post(database, receiver)
        made.deliver = Deliver(database, made.pile, KEY, lambda: made.now, sender, SHORT)
        yield made


async def test_an_event_arrives_signed(post: Post) -> None:
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.happen()
    await post.work_to_the_end()
    [(headers, body)] = post.receiver.received
    assert json.loads(body) == {
        "type": "request.detected",
        "timestamp": "2026-11-20T12:00:00.000Z",
        "data": {"account": "main", "message": "<1@a>"},
    }
    delivery = await post.last(webhook)
    secret = await post.webhooks.secret("main", webhook.id)
    assert check(secret, headers, body, NOW, timedelta(0)) == delivery.id
    assert headers["webhook-signature"] == Library(secret).sign(delivery.id, NOW, body.decode())
    assert (delivery.state, delivery.next_try_at) == (DeliveryState.DELIVERED, None)
    assert [(each.at, each.status, each.error) for each in delivery.attempts] == [(NOW, 200, "")]


@pytest.mark.parametrize(
    ("behaviour", "status", "error"),
    [
        (answer(500), 500, "answered 500"),
        (answer(302, Location="/"), 302, "redirects are not followed"),
        (answer(404), 404, "answered 404"),
        (cut, None, "disconnected"),
        (hang, None, "no answer within"),
    ],
    ids=["500", "302", "404", "cut", "hang"],
)
async def test_what_fails_is_tried_again_with_the_same_id(post: Post, behaviour: Behaviour, status: int | None, error: str) -> None:
    post.receiver.behaviours += [behaviour]
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.happen()
    await post.work()
    waiting = await post.last(webhook)
    [enqueued] = post.pile.waiting
    assert waiting.state is DeliveryState.WAITING
    assert waiting.attempts[0].status == status
    assert error in waiting.attempts[0].error
    assert SHORT[0] <= timedelta(seconds=enqueued.delay) <= SHORT[0] * 1.2
    assert waiting.next_try_at == post.now + timedelta(seconds=enqueued.delay)
    await post.work_to_the_end()
    delivered = await post.last(webhook)
    assert delivered.state is DeliveryState.DELIVERED
    assert [each.status for each in delivered.attempts] == [status, 200]
    (first, body), (second, again) = post.receiver.received
    assert first["webhook-id"] == second["webhook-id"]
    assert body == again
    # Each try is signed at its own time, else its receiver would find the last ones too old.
    check(await post.webhooks.secret("main", webhook.id), second, again, post.now, timedelta(seconds=1))


@pytest.mark.parametrize("behaviour", [Flood(), cut_in_body], ids=["flood", "cut in body"])
async def test_who_said_200_has_it_whatever_follows(post: Post, behaviour: Behaviour) -> None:
    post.receiver.behaviours += [behaviour]
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.happen()
    await post.work_to_the_end()
    assert (await post.last(webhook)).state is DeliveryState.DELIVERED
    assert len(post.receiver.received) == 1


async def test_what_never_arrives_is_given_up(post: Post) -> None:
    post.receiver.behaviours += [answer(500)] * 9
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.happen()
    await post.work_to_the_end()
    given_up = await post.last(webhook)
    assert (given_up.state, len(given_up.attempts), given_up.next_try_at) == (DeliveryState.FAILED, 3, None)
    assert len(post.receiver.received) == 3


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [(429, "3600", 3600), (503, "Fri, 20 Nov 2026 15:00:00 GMT", 3 * 3600), (503, "999999999", 24 * 3600), (500, "3600", None)],
)
async def test_a_busy_receiver_is_given_the_time_it_asks_for(post: Post, status: int, header: str, seconds: float | None) -> None:
    post.receiver.behaviours += [answer(status, Retry_After=header)]
    await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.happen()
    await post.work()
    [enqueued] = post.pile.waiting
    assert enqueued.delay == seconds if seconds else enqueued.delay < 100


async def test_a_receiver_that_is_gone_is_told_nothing_more(post: Post) -> None:
    post.receiver.behaviours += [answer(410)]
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    for number in range(2):
        await post.happen(number)
    await post.work_to_the_end()
    found = await post.webhooks.deliveries("main", webhook.id, limit=9)
    assert sorted(each.state for each in found) == [DeliveryState.CANCELLED, DeliveryState.FAILED]
    assert not (await post.webhooks.get("main", webhook.id)).enabled
    async with post.database.reading() as connection:
        *_, off = [entry async for entry in trail.entries(connection, "main")]
    assert (off.facts["webhook"], off.facts["change"]) == (webhook.id, "turned off")
    await post.happen(3)
    assert not post.pile.waiting
    assert len(post.receiver.received) == 1


async def test_what_waits_for_a_deleted_webhook_is_cancelled(post: Post) -> None:
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.happen()
    await post.webhooks.remove("main", webhook.id)
    await post.work_to_the_end()
    assert (await post.last(webhook)).state is DeliveryState.CANCELLED
    assert not post.receiver.received


async def test_what_waits_goes_to_the_address_and_with_the_secret_of_now(post: Post) -> None:
    post.receiver.behaviours += [answer(500)]
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    old_secret = await post.webhooks.secret("main", webhook.id)
    await post.happen()
    await post.work()
    rotated = await post.webhooks.rotate_secret("main", webhook.id)
    async with receiving() as other:
        await post.webhooks.change("main", webhook.id, rotated.version, url=other.url)
        await post.work_to_the_end()
    [(headers, body)] = other.received
    new_secret = await post.webhooks.secret("main", webhook.id)
    assert new_secret != old_secret
    check(new_secret, headers, body, post.now, timedelta(seconds=1))


async def test_a_step_that_runs_twice_changes_nothing(post: Post) -> None:
    """After a crash the engine cannot know whether a step came to its end."""
    post.receiver.behaviours += [answer(500), answer(500)]
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.happen()
    subject = post.pile.waiting.pop().subject
    await post.deliver.send("main", subject)
    outcome = await post.deliver.send("main", subject)
    for _ in range(2):
        await post.deliver.record("main", outcome)
    assert len((await post.last(webhook)).attempts) == 1
    assert len(post.pile.waiting) == 1
    assert await post.deliver.send("main", subject) == ""
    assert len(post.receiver.received) == 2


async def test_a_replay_takes_the_place_of_the_try_that_waits(post: Post) -> None:
    post.receiver.behaviours += [answer(500), answer(500)]
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.happen()
    await post.work()
    [waits] = post.pile.waiting
    replayed = await post.webhooks.replay("main", (await post.last(webhook)).id)
    assert replayed.next_try_at == post.now
    assert [each.delay for each in post.pile.waiting] == [waits.delay, 0]
    post.pile.waiting.reverse()
    await post.work()
    # The replay failed and enqueued the third try; the second, when its time came, found itself overtaken.
    assert len(post.receiver.received) == 2
    await post.work_to_the_end()
    assert [each.status for each in (await post.last(webhook)).attempts] == [500, 500, 200]


async def test_a_replay_brings_what_was_delivered_once_more(post: Post) -> None:
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.happen()
    await post.work_to_the_end()
    for _ in range(2):
        await post.webhooks.replay("main", (await post.last(webhook)).id)
        await post.work_to_the_end()
    assert len({headers["webhook-id"] for headers, _ in post.receiver.received}) == 1
    assert len(post.receiver.received) == 3
    assert (await post.last(webhook)).state is DeliveryState.DELIVERED


async def test_what_was_given_up_gets_one_try_for_each_replay(post: Post) -> None:
    post.receiver.behaviours += [answer(500)] * 4
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.happen()
    await post.work_to_the_end()
    await post.webhooks.replay("main", (await post.last(webhook)).id)
    await post.work_to_the_end()
    again = await post.last(webhook)
    assert (again.state, len(again.attempts)) == (DeliveryState.FAILED, 4)


async def test_a_test_arrives_as_one(post: Post) -> None:
    webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
    await post.webhooks.test("main", webhook.id)
    await post.work_to_the_end()
    assert json.loads(post.receiver.received[0][1])["type"] == "webhook.test"


async def settled(webhooks: Webhooks, webhook: Webhook) -> Delivery:
    """The newest delivery, when it waits for nothing more."""
    while True:
        [newest] = await webhooks.deliveries(webhook.account, webhook.id, limit=1)
        if newest.state is not DeliveryState.WAITING:
            return newest
        await asyncio.sleep(0.05)


async def test_the_real_engine_delivers_and_tries_again(database: Database) -> None:
    """Nothing is made to wait for a schedule here: what fails is tried again after a moment."""
    moments = [timedelta(0), timedelta(milliseconds=10)]
    engine = Engine(database)
    async with receiving(answer(500), cut) as receiver, open_sender(private_allowed=True) as sender:
        webhooks = Webhooks(database, engine, KEY, lambda: NOW, private_allowed=True)
        deliver = Deliver(database, engine, KEY, lambda: NOW, sender, moments)
        webhook = await webhooks.add("main", receiver.url, [REQUEST])
        async with database.transaction() as connection:
            await announce(connection, engine, "main", REQUEST, {}, NOW)
        async with engine.running({DELIVER: deliver.run}), asyncio.timeout(60):
            delivery = await settled(webhooks, webhook)
    await engine.close()
    assert delivery.state is DeliveryState.DELIVERED
    assert [each.status for each in delivery.attempts] == [500, None, 200]
    assert len(receiver.received) == 3


async def test_the_real_schedule_takes_days(post: Post) -> None:
    post.receiver.behaviours += [answer(500)] * 99
    async with open_sender(private_allowed=True) as sender:
        post.deliver = Deliver(post.database, post.pile, KEY, lambda: post.now, sender)
        webhook = await post.webhooks.add("main", post.receiver.url, [REQUEST])
        await post.happen()
        await post.work_to_the_end()
    assert len((await post.last(webhook)).attempts) == len(SCHEDULE) + 1
    assert post.now - NOW >= sum(SCHEDULE, timedelta(0))
