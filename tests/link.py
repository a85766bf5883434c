"""What keeps an account in step with Amazon, on a real database and a clock that tests move by hand; no workflow runs by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from msgbot.amazon_states import States
from msgbot.amazon_status import AmazonStatus
from msgbot.answer import Answer
from msgbot.cancel import Cancel
from msgbot.channels.compose import OutgoingReply
from msgbot.channels.mail import read_mail
from msgbot.content.replies import built_in_replies
from msgbot.domain.order import FormalRequest, Order
from msgbot.domain.trail import Entry, EntryKind
from msgbot.engine import Engine
from msgbot.fake_amazon import FakeAmazon, FakeSeller
from msgbot.fetch_reports import FetchReports
from msgbot.poll import Poll
from msgbot.reader import built_in_reader
from msgbot.receive import Receive
from msgbot.refresh import Refresh
from msgbot.scene import Scenes
from msgbot.spapi.access import Application, Seller
from msgbot.spapi.client import open_spapi
from msgbot.spapi.orders import Orders
from msgbot.spapi.patience import Pace
from msgbot.spapi.reports import Reports
from msgbot.store import amazon_sync, formal_requests, orders, trail
from msgbot.store.amazon_sync import Sync
from msgbot.store.database import Database
from msgbot.take_orders import TakeOrders
from tests.amazon_models import judged
from tests.conftest import NOW
from tests.mails import OWN

FRESHNESS = timedelta(hours=24)


@dataclass
class Watch:
    """A clock that tests move; whoever sleeps by it moves it, too."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **durations: float) -> None:
        """Time passes: `wait(minutes=3)`."""
        self.now += timedelta(**durations)

    async def sleep(self, seconds: float) -> None:
        """Passes the time without waiting; a little more of it, as this clock knows nothing shorter than a microsecond."""
        self.wait(seconds=seconds + 0.001)
        await asyncio.sleep(0)

    def seconds(self) -> float:
        """How much time has passed."""
        return (self.now - NOW).total_seconds()

    @property
    def pace(self) -> Pace:
        """The same as a client of Amazon's has it."""
        return Pace(self.seconds, self.sleep, lambda: 0.5)


@dataclass
class Drawer:
    """An outbox that keeps what is handed over."""

    sent: list[OutgoingReply] = field(default_factory=list)

    async def deliver(self, reply: OutgoingReply, at: datetime) -> str:
        """Keeps it."""
        self.sent.append(reply)
        return "drawer"


@dataclass
class Link:
    """An account and everything that works on it."""

    account: str
    database: Database
    engine: Engine
    fake: FakeAmazon
    watch: Watch
    take_orders: TakeOrders
    states: States
    refresh: Refresh
    poll: Poll
    reports: FetchReports
    cancel: Cancel
    status: AmazonStatus
    receive: Receive
    answer: Answer
    drawer: Drawer

    async def order(self, order_id: str) -> Order | None:
        """The order on file."""
        async with self.database.reading() as connection:
            return await orders.get(connection, self.account, order_id)

    async def formal(self, order_id: str) -> Sequence[FormalRequest]:
        """The formal requests on file."""
        async with self.database.reading() as connection:
            return await formal_requests.of_order(connection, self.account, order_id)

    async def entries(self, *kinds: EntryKind) -> list[Entry]:
        """The audit trail, or what is of these kinds in it."""
        async with self.database.reading() as connection:
            return [each async for each in trail.entries(connection, self.account) if not kinds or each.kind in kinds]

    async def sync(self) -> Sync:
        """How far the account was read."""
        async with self.database.reading() as connection:
            found = await amazon_sync.get(connection, self.account)
        assert found is not None
        return found

    async def read_pages(self, most: int = 100) -> int:
        """Reads pages until none follows; how many."""
        for number in range(1, most + 1):
            if not await self.poll.read_page(self.account):
                return number
        return most

    async def done(self, workflow: str) -> None:
        """Returns when no workflow of this name is under way."""
        for _ in range(1_000):
            if not await self.engine.under_way(workflow, self.account):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{workflow} does not come to its end")

    async def errors(self) -> dict[str, str]:
        """What fails, by aspect, and why."""
        shown = await self.status.of(self.account)
        return {each.aspect.value: each.error for each in shown.aspects if not each.works}

    async def post(self, raw: bytes) -> str:
        """Takes a mail in; its id."""
        message = read_mail(raw, account=self.account, own_addresses=frozenset({OWN}))
        [received] = await self.receive.receive([(message, raw)])
        assert received.new
        return message.id


@asynccontextmanager
async def linked(
    database: Database,
    engine: Engine,
    fake: FakeAmazon,
    watch: Watch,
    *,
    account: str = "main",
    seller: FakeSeller | None = None,
    orders_api: Literal["2026-01-01", "v0"] = "2026-01-01",
    marketplaces: tuple[str, ...] = (),
    poll_seconds: float = 240.0,
    undo_seconds: float = 0.0,
    pace: Pace | None = None,
) -> AsyncIterator[Link]:
    """The account of `seller`, connected to the fake."""
    seller = seller or fake.seller
    own = Seller(account, seller.id, marketplaces or seller.marketplaces, orders_api, fake.base, seller.refresh_token)
    application = Application(fake.access.client_id, fake.access.client_secret, fake.token_endpoint)
    async with open_spapi(application, {account: own}, watch, pace=pace or watch.pace) as amazon:
        take_orders, states = TakeOrders(database, engine, watch, [account]), States(database, watch)
        refresh = Refresh(database, engine, take_orders, states, watch, [account], Orders(amazon))
        poll = Poll(database, engine, take_orders, refresh, states, watch, {account: own}, Orders(amazon), poll_seconds)
        await poll.add_accounts()
        reader = built_in_reader()
        scenes = Scenes(
            built_in_replies(), reader.detector.rulebook.thresholds, account=account, store="Sample Store", freshness=FRESHNESS
        )
        drawer = Drawer()
        answer = Answer(database, engine, scenes, drawer, watch, undo_seconds=undo_seconds, tries_again=True, refresh=refresh)
        yield Link(
            account,
            database,
            engine,
            fake,
            watch,
            take_orders,
            states,
            refresh,
            poll,
            FetchReports(database, engine, take_orders, refresh, states, watch, Reports(amazon)),
            Cancel(database, engine, refresh, watch, FRESHNESS),
            AmazonStatus(database, watch, has_queue=True),
            Receive(database, engine, reader, watch),
            answer,
            drawer,
        )


@asynccontextmanager
async def story(database: Database, **options: Any) -> AsyncIterator[Link]:
    """The same with a fake and a clock of its own."""
    watch, engine = Watch(), Engine(database)
    try:
        async with judged(FakeAmazon(watch)) as fake, linked(database, engine, fake, watch, **options) as link:
            yield link
    finally:
        await engine.close()
