"""The office: what works on stored data, and the connection to Amazon, built and handed to each other. `wiring` adds what answers
messages and serves requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from msgbot.accounts import Accounts
from msgbot.amazon_access import application, sellers
from msgbot.amazon_link import AmazonLink
from msgbot.amazon_states import States
from msgbot.audit import Audit
from msgbot.cancel import Cancel
from msgbot.clock import Clock, system_clock
from msgbot.config import Settings
from msgbot.engine import Engine
from msgbot.feed_ledger import FeedLedger
from msgbot.fetch_reports import FetchReports
from msgbot.follow import Follow
from msgbot.notices import Notices
from msgbot.people import People
from msgbot.poll import Poll
from msgbot.prune import Prune
from msgbot.refresh import Refresh
from msgbot.spapi.client import SpApi, open_spapi
from msgbot.spapi.feeds import Feeds
from msgbot.spapi.orders import Orders
from msgbot.spapi.queue import open_queue
from msgbot.spapi.reports import Reports
from msgbot.store.amazon_states import Aspect
from msgbot.store.database import Database, open_database
from msgbot.submit import Submit
from msgbot.take_notice import TakeNotice
from msgbot.take_orders import TakeOrders


@dataclass(frozen=True, slots=True)
class Office:
    """What works on stored data: orders, cancellations, audit, accounts, people, retention."""

    database: Database
    engine: Engine
    take_orders: TakeOrders
    cancel: Cancel
    audit: Audit
    accounts: Accounts
    people: People
    prune: Prune
    refresh: Refresh
    states: States
    fetch_reports: FetchReports
    amazon: SpApi | None


@asynccontextmanager
async def open_office(settings: Settings, clock: Clock = system_clock, *, connected: bool = False) -> AsyncIterator[Office]:
    """Opens the database and what works on it; `connected`: with the connection to Amazon, if accounts have one. Raises StoreError,
    ConfigError."""
    async with (
        opened_database(settings) as database,
        opened_engine(database) as engine,
        opened_amazon(settings, clock, connected=connected) as amazon,
    ):
        yield make_office(settings, database, engine, clock, amazon)


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Database]:
    """The database until the block ends. Raises StoreError."""
    database = await open_database(settings.database_address)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def opened_engine(database: Database, poll_seconds: float | None = None) -> AsyncIterator[Engine]:
    """The engine until the block ends; it looks for work every `poll_seconds`."""
    engine = Engine(database, poll_seconds=poll_seconds) if poll_seconds else Engine(database)
    try:
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def opened_amazon(settings: Settings, clock: Clock, *, connected: bool) -> AsyncIterator[SpApi | None]:
    """The client of Amazon until the block ends; None when it is not wanted, or no account is connected. Raises ConfigError."""
    if not connected or not settings.amazon.accounts:
        yield None
        return
    async with open_spapi(application(settings.amazon), sellers(settings.amazon), clock) as amazon:
        yield amazon


def make_office(settings: Settings, database: Database, engine: Engine, clock: Clock, amazon: SpApi | None) -> Office:
    """What works on this database."""
    live = frozenset(settings.amazon.accounts)
    take_orders = TakeOrders(database, engine, clock, live)
    states = States(database, clock)
    reader = Orders(amazon) if amazon is not None else None
    refresh = Refresh(database, engine, take_orders, states, clock, live, reader)
    reports = Reports(amazon) if amazon is not None else None
    return Office(
        database,
        engine,
        take_orders,
        Cancel(database, engine, refresh, clock, settings.freshness),
        Audit(database, clock),
        Accounts(database, clock),
        People(database, clock),
        Prune(database, engine, clock),
        refresh,
        states,
        FetchReports(database, engine, take_orders, refresh, states, clock, reports),
        amazon,
    )


async def connect(stack: AsyncExitStack, settings: Settings, office: Office, clock: Clock, *, listens: bool) -> AmazonLink | None:
    """What keeps the connected accounts in step; None without any. Only who `listens` needs the queue."""
    amazon = office.amazon
    if amazon is None:
        return None
    database, engine, states, refresh = office.database, office.engine, office.states, office.refresh
    connected, feeds = sellers(settings.amazon), Feeds(amazon)
    ledger = FeedLedger(database, engine, refresh, clock)
    submit = Submit(database, engine, office.cancel, refresh, states, ledger, clock, connected, feeds)
    poll = Poll(
        database,
        engine,
        office.take_orders,
        refresh,
        states,
        clock,
        connected,
        Orders(amazon),
        settings.amazon.poll_seconds,
    )
    notices = None
    if listens and settings.amazon.queue_url:
        queue = await stack.enter_async_context(
            open_queue(settings.amazon.queue_url, settings.amazon.queue_region, settings.amazon.queue_endpoint)
        )
        notices = Notices(
            database,
            queue,
            connected.values(),
            TakeNotice(office.take_orders, refresh, clock).take,
            clock,
            on_state=partial(states.of_all, list(connected), Aspect.NOTIFICATIONS),
        )
    follow = Follow(database, engine, states, ledger, clock, feeds)
    return AmazonLink(connected, refresh, poll, submit, follow, office.fetch_reports, notices)
