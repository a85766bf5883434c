"""Notices from a real queue into real databases: each is taken once, whatever the queue, the process or the database does."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import unused_port
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from msgbot.amazon.order_change import OrderChange
from msgbot.errors import ConfigError, InputError, StoreError
from msgbot.notices import MOST_TRIES, Notices
from msgbot.spapi.queue import HIDDEN_SECONDS, Queue, open_queue
from msgbot.store import notices as on_file
from msgbot.store import trail
from msgbot.store.amazon_schema import notices_aside
from msgbot.store.database import Database, open_database
from msgbot.store.notices import ASIDE_KEPT, SEEN_KEPT, Aside
from tests.amazon_models import read_model
from tests.conftest import NOW
from tests.consuming import RECIPIENTS, take
from tests.queues import SqsQueue, give_credentials, serving

HERE = Path(__file__).parent
OFFICIAL = read_model("notifications/OrderChangeNotification")["examples"][0]
ORDER = "903-8868176-2219830"
NAMED = f"notification notification-1, order {ORDER}"


def change(number: int = 1, order: str = ORDER, **inside: str) -> str:
    """Amazon's own example of a notification, with an id of its own; `inside` are `SellerId` and `MarketplaceId`."""
    made = copy.deepcopy(OFFICIAL)
    made["NotificationMetadata"]["NotificationId"] = f"notification-{number}"
    told = made["Payload"]["OrderChangeNotification"]
    told["AmazonOrderId"] = order
    told["SellerId"] = inside.get("SellerId", told["SellerId"])
    told["Summary"]["MarketplaceId"] = inside.get("MarketplaceId", told["Summary"]["MarketplaceId"])
    return json.dumps(made)


def in_sns(text: str) -> str:
    return json.dumps({"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": text})


def in_event_bridge(text: str) -> str:
    return json.dumps(
        {"version": "0", "id": "e", "detail-type": "ORDER_CHANGE", "source": "aws.partner", "detail": json.loads(text)}
    )


class Counter:
    """The consumer, and what it leaves behind."""

    def __init__(self, database: Database, queue: Queue) -> None:
        self.database = database
        self.queue = queue
        self.states: list[tuple[bool, str]] = []
        self.heard = asyncio.Event()

    async def told(self, ok: bool, text: str) -> None:
        """Notes what the consumer says of itself."""
        self.states.append((ok, text))
        self.heard.set()

    def notices(self, **changed: Any) -> Notices:
        """A consumer."""
        settings = {"on_state": self.told, "poll_seconds": 0, "hidden_seconds": 1, "pauses": [0.05], **changed}
        taking = settings.pop("take", take)
        return Notices(self.database, settings.pop("queue", self.queue), RECIPIENTS, taking, lambda: NOW, **settings)

    async def taken(self, account: str = "main") -> list[str]:
        """The ids of the notifications that were taken, in the order in which they were."""
        async with self.database.reading() as connection:
            return [str(entry.facts["notification"]) async for entry in trail.entries(connection, account)]

    async def aside(self) -> list[Aside]:
        """What was moved aside."""
        async with self.database.reading() as connection:
            found = await on_file.newest_aside(connection, 100)
            assert await on_file.count_aside(connection) == len(found)
        return found


@pytest.fixture
async def counter(database: Database, sqs: SqsQueue) -> AsyncIterator[Counter]:
    async with open_queue(sqs.url, sqs.region, sqs.endpoint) as queue:
        yield Counter(database, queue)


@asynccontextmanager
async def running(notices: Notices) -> AsyncIterator[None]:
    """The consumer at work; the block has a minute."""
    work = asyncio.create_task(notices.run())
    try:
        async with asyncio.timeout(60):
            yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def until(come: Callable[[], Any]) -> None:
    """Waits until `come()` is true."""
    while True:
        found = come()
        if await found if asyncio.iscoroutine(found) else found:
            return
        await asyncio.sleep(0.05)


async def test_notices_are_taken_and_deleted_whatever_is_around_them(counter: Counter, sqs: SqsQueue) -> None:
    sqs.send(change(1), in_sns(change(2)), in_event_bridge(change(3)), in_sns(in_event_bridge(change(4))))
    await counter.notices().poll()
    assert sorted(await counter.taken()) == [f"notification-{number}" for number in (1, 2, 3, 4)]
    assert sqs.left() == (0, 0)
    assert await counter.aside() == []


async def test_what_is_taken_comes_with_its_account_and_the_message_as_it_came(counter: Counter, sqs: SqsQueue) -> None:
    came: list[Any] = []

    async def note(account: str, told: OrderChange, body: bytes, connection: AsyncConnection) -> None:
        came.append((account, told.order_id, told.seller_id, body))

    sqs.send(in_sns(change()))
    await counter.notices(take=note).poll()
    assert came == [("main", ORDER, "A3TH9S8BH6GOGM", in_sns(change()).encode())]


async def test_a_duplicate_in_the_same_batch_is_taken_once(counter: Counter, sqs: SqsQueue) -> None:
    sqs.send(change(1), change(2), change(1))
    await counter.notices().poll()
    assert sorted(await counter.taken()) == ["notification-1", "notification-2"]
    assert sqs.left() == (0, 0)


async def test_a_duplicate_that_comes_later_is_taken_once(counter: Counter, sqs: SqsQueue) -> None:
    for _ in range(2):
        sqs.send(change())
        await counter.notices().poll()
    assert await counter.taken() == ["notification-1"]
    assert sqs.left() == (0, 0)


async def test_a_duplicate_that_comes_to_two_at_the_same_moment_is_taken_once(counter: Counter, sqs: SqsQueue) -> None:
    both = asyncio.Barrier(2)

    class Together(Queue):
        async def receive(self, seconds: int = 0, *, hidden_seconds: int = HIDDEN_SECONDS) -> list[Any]:
            received = (await super().receive(seconds, hidden_seconds=0))[:1]
            await both.wait()
            return received

    sqs.send(change())
    other = await open_database(counter.database.url.render_as_string(hide_password=False))
    queues = [Together(sqs.url, sqs.region, sqs.endpoint) for _ in range(2)]
    try:
        second = Counter(other, counter.queue)
        await asyncio.gather(counter.notices(queue=queues[0]).poll(), second.notices(queue=queues[1]).poll())
    finally:
        await other.close()
        for queue in queues:
            await queue.close()
    assert await counter.taken() == ["notification-1"]
    assert sqs.left() == (0, 0)


async def test_notices_out_of_order_are_all_taken(counter: Counter, sqs: SqsQueue) -> None:
    later, earlier = json.loads(change(2)), json.loads(change(1))
    later["EventTime"], earlier["EventTime"] = "2026-11-20T12:00:00.000Z", "2026-11-20T11:00:00.000Z"
    sqs.send(json.dumps(later), json.dumps(earlier))
    await counter.notices().poll()
    assert sorted(await counter.taken()) == ["notification-1", "notification-2"]


UNFIT = {
    "foreign": (
        change().replace("ORDER_CHANGE", "FEED_PROCESSING_FINISHED"),
        "a notification of the type 'FEED_PROCESSING_FINISHED'",
    ),
    "other case": ('{"notificationType": "ANY_OFFER_CHANGED"}', "a notification of the type 'ANY_OFFER_CHANGED'"),
    "no notification": ('{"Service": "Amazon S3", "Event": "s3:TestEvent"}', "no notification of Amazon's"),
    "subscription": ('{"Type": "SubscriptionConfirmation", "Message": "Confirm"}', "no notification of Amazon's"),
    "type is a list": ('{"NotificationType": ["ORDER_CHANGE"]}', "no notification of Amazon's"),
    "test": ("This is a test message", "the message is no JSON: Expecting value at line 1, column 1"),
    "cut off": (change()[:500], "the message is no JSON"),
    "cut off in an envelope": (in_sns(change()[:500]), "the message is no JSON"),
    "a list": (f"[{change()}]", "the message is no JSON object"),
    "nested": ("[" * 100_000, "the message is no JSON: it is nested too deeply"),
    "long number": ('{"a": ' + "9" * 10_000 + "}", "holds a number that is far too long"),
    "empty": ('{"NotificationType": "ORDER_CHANGE"}', "missing"),
    "wrong shape": ('{"NotificationType": "ORDER_CHANGE", "Payload": [1]}', ""),
    "list for a word": (change().replace('"notification-1"', "[17]"), "NotificationId"),
    "no id": (change().replace('"notification-1"', '""'), "NotificationId"),
    "long id": (change().replace("notification-1", "n" * 129), "NotificationId"),
    "unknown seller": (change(SellerId="A0STRANGER"), "no account here is for the seller 'A0STRANGER'"),
    "unknown marketplace": (change(SellerId="A1EUROPE", MarketplaceId="APJ6JRA9NG5V4"), "in the marketplace 'APJ6JRA9NG5V4'"),
    "no seller": (change(SellerId=""), ""),
}


async def test_what_is_no_notice_for_us_is_moved_aside_and_holds_nothing_up(counter: Counter, sqs: SqsQueue) -> None:
    for number, (body, _) in enumerate(UNFIT.values()):
        sqs.send(body, change(100 + number))
    notices = counter.notices()
    with capture_logs() as logs:
        while sum(sqs.left()):
            await notices.poll()
    assert sorted(await counter.taken()) == [f"notification-{100 + number}" for number in range(len(UNFIT))]
    aside = {each.sha256: each for each in await counter.aside()}
    reasons = {name: (aside[sha256(body.encode()).hexdigest()].reason, says) for name, (body, says) in UNFIT.items()}
    assert {name for name, (reason, says) in reasons.items() if says not in reason or not reason} == set()
    assert {(each.account, each.at) for each in aside.values()} == {("", NOW)}
    assert {each["event"] for each in logs} == {"a message of Amazon's queue was moved aside"}
    assert sorted(each["reason"] for each in logs) == sorted(each.reason for each in aside.values())


async def test_of_what_is_moved_aside_the_ids_and_the_hash_are_kept_and_nothing_else(counter: Counter, sqs: SqsQueue) -> None:
    body = change(SellerId="A0STRANGER")
    assert '"DestinationPostalCode": "48110"' in body
    sqs.send(body, body[:500])
    with capture_logs() as logs:
        await counter.notices().poll()
    async with counter.database.reading() as connection:
        kept = [str(tuple(row)) for row in await connection.execute(select(notices_aside))]
    assert len(kept) == 2
    assert [row for row in (*kept, *map(str, logs)) if "48110" in row] == []
    [strange] = [each for each in await counter.aside() if "A0STRANGER" in each.reason]
    assert strange.reason.endswith(f"({NAMED})")
    assert strange.sha256 == sha256(body.encode()).hexdigest()


async def test_what_was_moved_aside_and_comes_again_is_there_once(counter: Counter, sqs: SqsQueue) -> None:
    class Stuck(Queue):
        async def delete(self, notices: Any) -> list[Any]:
            return await self.extend(notices, 0)

    sqs.send("gibberish")
    stuck = Stuck(sqs.url, sqs.region, sqs.endpoint)
    with capture_logs() as logs:
        await counter.notices(queue=stuck).poll()
        await counter.notices().poll()
    await stuck.close()
    assert len(await counter.aside()) == 1
    assert len(logs) == 1
    assert sqs.left() == (0, 0)


@pytest.mark.parametrize("length", [256 * 1024, 256 * 1024 - 1])
async def test_the_longest_messages_are_taken_or_moved_aside(counter: Counter, sqs: SqsQueue, length: int) -> None:
    sqs.send(change() + " " * (length - len(change())))
    await counter.notices().poll()
    assert await counter.taken() == ["notification-1"]
    sqs.send("x" * length)
    await counter.notices().poll()
    assert [aside.sha256 for aside in await counter.aside()] == [sha256(b"x" * length).hexdigest()]
    assert sqs.left() == (0, 0)


async def test_what_databases_cannot_hold_is_moved_aside_all_the_same(counter: Counter, sqs: SqsQueue) -> None:
    sqs.send(change(SellerId="\0A\ud800"), change().replace("notification-1", "a\\u0000b\\ud800"))
    await counter.notices().poll()
    [aside] = await counter.aside()
    assert "no account here is for the seller" in aside.reason
    assert sqs.left() == (0, 0)


@pytest.mark.parametrize(
    ("seller", "marketplace", "accounts"),
    [
        ("A1EUROPE", "A13V1IB3VIYZZH", {"eu"}),
        ("A1EUROPE", "A1F83G8C2ARO7P", {"uk", "both"}),
        ("A3TH9S8BH6GOGM", "A2EUQ1WTGCTBG2", {"main"}),
    ],
)
async def test_a_notice_goes_to_the_accounts_of_its_seller_and_marketplace(
    counter: Counter, sqs: SqsQueue, seller: str, marketplace: str, accounts: set[str]
) -> None:
    for _ in range(2):
        sqs.send(change(SellerId=seller, MarketplaceId=marketplace))
        await counter.notices().poll()
    for each in RECIPIENTS:
        assert await counter.taken(each.account) == (["notification-1"] if each.account in accounts else [])


def consume(database: Database, sqs: SqsQueue, patience: int = 3, **environment: str) -> subprocess.Popen[str]:
    """A consumer in a process of its own."""
    address = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.consuming", address, sqs.url, sqs.endpoint, sqs.region, str(patience)]
    surroundings = {**os.environ, "PYTHONPATH": str(HERE.parent), **environment}
    return subprocess.Popen(command, cwd=HERE.parent, env=surroundings, stderr=subprocess.PIPE, text=True)


async def test_two_processes_take_each_notice_once(counter: Counter, sqs: SqsQueue) -> None:
    sqs.send(*(change(number, f"114-0000001-{number:07}") for number in range(30) for _ in range(2)))
    for process in [consume(counter.database, sqs) for _ in range(2)]:
        _, complaints = await asyncio.to_thread(process.communicate, timeout=120)
        assert process.returncode == 0, complaints
    assert sorted(await counter.taken()) == sorted(f"notification-{number}" for number in range(30))
    assert sqs.left() == (0, 0)


async def test_a_process_killed_between_commit_and_delete_takes_nothing_twice(counter: Counter, sqs: SqsQueue) -> None:
    sqs.send(change(1), change(2), "gibberish")
    killed = consume(counter.database, sqs, MSGBOT_TEST_KILL="yes")
    await asyncio.to_thread(killed.communicate, timeout=120)
    assert killed.returncode == -9
    assert sorted(await counter.taken()) == ["notification-1", "notification-2"]
    assert sum(sqs.left()) == 3
    next_one = consume(counter.database, sqs)
    _, complaints = await asyncio.to_thread(next_one.communicate, timeout=120)
    assert next_one.returncode == 0, complaints
    assert sorted(await counter.taken()) == ["notification-1", "notification-2"]
    assert len(await counter.aside()) == 1
    assert sqs.left() == (0, 0)


async def test_while_the_database_is_away_notices_stay_in_the_queue(
    counter: Counter, sqs: SqsQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    @asynccontextmanager
    async def away() -> AsyncIterator[AsyncConnection]:
        nonlocal tries
        tries += 1
        raise StoreError("the database is away")
        yield

    with monkeypatch.context() as outage, capture_logs() as logs:
        outage.setattr(counter.database, "reading", away)
        outage.setattr(counter.database, "transaction", away)
        sqs.send(change())
        async with running(counter.notices()):
            await until(lambda: tries > 3)
            assert sqs.left() == (1, 0)
            outage.undo()
            await until(lambda: sqs.left() == (0, 0))
            await until(lambda: len(counter.states) == 2)
    assert await counter.taken() == ["notification-1"]
    assert counter.states == [(False, "the database is away"), (True, "")]
    assert [each["event"] for each in logs] == ["no notices are received from Amazon", "notices are received from Amazon again"]


async def test_when_the_database_goes_in_the_middle_what_is_on_file_is_deleted_and_the_rest_comes_again(
    counter: Counter, sqs: SqsQueue
) -> None:
    async def fail_at_two(account: str, told: OrderChange, body: bytes, connection: AsyncConnection) -> None:
        await take(account, told, body, connection)
        if told.notification_id == "notification-2":
            raise StoreError("gone")

    sqs.send(change(1), change(2), change(3))
    with pytest.raises(StoreError, match="gone"):
        await counter.notices(take=fail_at_two).poll()
    assert await counter.taken() == ["notification-1"]
    assert sum(sqs.left()) == 2
    async with running(counter.notices()):
        await until(lambda: sum(sqs.left()) == 0)
    assert sorted(await counter.taken()) == ["notification-1", "notification-2", "notification-3"]


async def test_when_the_queue_is_away_it_says_so_once_and_goes_on_when_it_is_back(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_credentials(monkeypatch)
    port = unused_port()
    with serving(port) as endpoint:
        sqs = SqsQueue(endpoint)
    async with open_queue(sqs.url, sqs.region, endpoint) as queue:
        with capture_logs() as logs:
            async with running(counter.notices(queue=queue)):
                await until(lambda: counter.states)
                with serving(port):
                    sqs.send(change())
                    await until(lambda: len(counter.states) == 2)
                    await until(lambda: sqs.left() == (0, 0))
                await until(lambda: len(counter.states) == 3)
    sqs.close()
    assert await counter.taken() == ["notification-1"]
    assert [ok for ok, _ in counter.states] == [False, True, False]
    assert "cannot be used now" in counter.states[0][1]
    assert [each["log_level"] for each in logs] == ["warning", "info", "warning"]


async def test_credentials_that_come_later_are_used(counter: Counter, sqs: SqsQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    sqs.send(change())
    async with running(counter.notices()):
        await until(lambda: counter.states)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up-secret")
        await until(lambda: len(counter.states) == 2)
        await until(counter.taken)
    assert [ok for ok, _ in counter.states] == [False, True]
    assert "AWS credentials" in counter.states[0][1]


async def test_the_pauses_grow_and_begin_anew_after_a_success(
    counter: Counter, sqs: SqsQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [False, False, False, True, False]
    slept: list[float] = []

    async def poll(self: Notices) -> None:
        if not outcomes:
            raise asyncio.CancelledError
        if not outcomes.pop(0):
            raise ConfigError("no")

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(Notices, "poll", poll)
    monkeypatch.setattr("msgbot.notices.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await counter.notices(pauses=[1, 60]).run()
    assert slept == [1, 60, 60, 1]


async def test_a_state_that_cannot_be_told_is_told_later(counter: Counter, sqs: SqsQueue) -> None:
    tries = 0

    async def told(ok: bool, text: str) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise StoreError("gone")
        await counter.told(ok, text)

    async with running(counter.notices(on_state=told)):
        await until(lambda: counter.states)
    assert counter.states == [(True, "")]
    assert tries == 3


async def test_a_notice_stays_hidden_while_it_is_worked_on(counter: Counter, sqs: SqsQueue) -> None:
    begun, looked = asyncio.Event(), asyncio.Event()

    async def slow(account: str, told: OrderChange, body: bytes, connection: AsyncConnection) -> None:
        begun.set()
        await looked.wait()

    sqs.send(change(1), change(2))
    work = asyncio.create_task(counter.notices(take=slow).poll())
    async with asyncio.timeout(60):
        await begun.wait()
        # Hidden for one second at a time, both would come again while this waits for three.
        assert await counter.queue.receive(3) == []
        looked.set()
        await work
    assert sqs.left() == (0, 0)


async def test_a_notice_that_fails_comes_again_and_holds_nothing_up(counter: Counter, sqs: SqsQueue) -> None:
    fails = True

    async def fail_once(account: str, told: OrderChange, body: bytes, connection: AsyncConnection) -> None:
        await take(account, told, body, connection)
        if fails and told.notification_id == "notification-1":
            raise ValueError("a fault of ours")

    notices = counter.notices(take=fail_once, poll_seconds=5)
    sqs.send(change(1), change(2))
    with capture_logs() as logs:
        await notices.poll()
    assert await counter.taken() == ["notification-2"]
    assert [each["reason"] for each in logs] == [f"it could not be put on file: ValueError a fault of ours ({NAMED})"]
    fails = False
    await notices.poll()
    assert await counter.taken() == ["notification-2", "notification-1"]
    assert sqs.left() == (0, 0)


async def test_a_notice_that_always_fails_is_moved_aside_in_the_end(counter: Counter, sqs: SqsQueue) -> None:
    async def fail(account: str, told: OrderChange, body: bytes, connection: AsyncConnection) -> None:
        raise ValueError("a fault of ours")

    sqs.send(change())
    for _ in range(MOST_TRIES - 2):
        await counter.queue.receive(0, hidden_seconds=0)
    notices = counter.notices(take=fail, poll_seconds=5)
    await notices.poll()
    assert await counter.aside() == []
    await notices.poll()
    [aside] = await counter.aside()
    assert (aside.account, aside.reason) == ("main", f"it could not be put on file: ValueError a fault of ours ({NAMED})")
    assert sqs.left() == (0, 0)


async def test_a_notice_whose_content_is_refused_is_moved_aside_at_once(counter: Counter, sqs: SqsQueue) -> None:
    async def refuse(account: str, told: OrderChange, body: bytes, connection: AsyncConnection) -> None:
        await take(account, told, body, connection)
        raise InputError("OrderItems[0].OrderItemId is missing")

    sqs.send(change())
    await counter.notices(take=refuse).poll()
    [aside] = await counter.aside()
    assert (aside.account, aside.reason) == ("main", f"OrderItems[0].OrderItemId is missing ({NAMED})")
    assert await counter.taken() == []


async def test_what_was_kept_long_enough_is_forgotten(database: Database) -> None:
    async with database.transaction() as connection:
        for days in (0, 13, 15, 31):
            assert await on_file.see(connection, "main", f"n{days}", NOW - timedelta(days=days))
            await on_file.set_aside(connection, Aside("", f"m{days}", NOW - timedelta(days=days), "why", "0" * 64))
        assert await on_file.forget_old(connection, NOW) == 3
        assert await on_file.forget_old(connection, NOW) == 0
        assert [await on_file.see(connection, "main", f"n{days}", NOW) for days in (0, 13, 15, 31)] == [False, False, True, True]
        assert [aside.id for aside in await on_file.newest_aside(connection, 9)] == ["m0", "m13", "m15"]
    assert (timedelta(days=14), timedelta(days=30)) == (SEEN_KEPT, ASIDE_KEPT)


async def test_a_reason_without_end_is_cut(database: Database) -> None:
    async with database.transaction() as connection:
        await on_file.set_aside(connection, Aside("", uuid.uuid4().hex, NOW, "why" * 1000, "0" * 64))
        [aside] = await on_file.newest_aside(connection, 1)
    assert len(aside.reason) == 500
