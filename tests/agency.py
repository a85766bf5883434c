"""The way of cancellations to a FakeAmazon and back, in one process, on a clock that moves only when told to: workflows are noted
instead of run, and each is run by hand when its time has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon_states import States
from msgbot.audit import Audit
from msgbot.cancel import SUBMIT, Cancel
from msgbot.domain.cancellation import Adjustment, CancelReason, Proposal
from msgbot.engine import Engine
from msgbot.fake_amazon import FakeAmazon, FakeItem, FakeOrder
from msgbot.feed_ledger import FeedLedger
from msgbot.follow import FOLLOW, Follow
from msgbot.judgement import Asking
from msgbot.refresh import REFRESH, Refresh
from msgbot.spapi.access import Application, Seller
from msgbot.spapi.client import open_spapi
from msgbot.spapi.feeds import Feeds
from msgbot.spapi.orders import Orders
from msgbot.spapi.patience import Pace
from msgbot.store import cancellations, feeds
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.database import Database
from msgbot.store.feeds import Feed, FeedState
from msgbot.submit import Submit
from msgbot.take_orders import TakeOrders
from tests.conftest import NOW

MAIN = "main"
ENDED = frozenset(CancellationState) - {CancellationState.READY, CancellationState.SUBMITTED, CancellationState.ACCEPTED}


@dataclass
class Watch:
    """A clock that moves when somebody sleeps by it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Time passes; a little more of it, as this clock knows nothing shorter than a microsecond."""
        self.now += timedelta(seconds=seconds, microseconds=1)
        await asyncio.sleep(0)

    def ticks(self) -> float:
        """The same in seconds."""
        return self.now.timestamp()

    @property
    def pace(self) -> Pace:
        """The pace of a client that waits by this clock."""
        return Pace(self.ticks, self.sleep, lambda: 1.0)


@dataclass(frozen=True)
class Noted:
    """A workflow that is to begin at `due`."""

    due: datetime
    name: str
    account: str
    subject: str


@dataclass
class Diary:
    """Stands for the engine: notes what is enqueued, each id once and for all."""

    watch: Watch
    waiting: dict[str, Noted] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    async def enqueue(
        self, _: AsyncConnection, workflow: str, account: str, subject: str, attempt: str = "first", delay: float = 0.0
    ) -> None:
        """Notes a workflow."""
        identity = f"{workflow}:{account}:{attempt}:{subject}"
        if identity not in self.known:
            self.known.add(identity)
            self.waiting[identity] = Noted(self.watch.now + timedelta(seconds=delay), workflow, account, subject)

    async def under_way(self, workflow: str, account: str) -> set[str]:
        """What the noted workflows of this name are about."""
        return {each.subject for each in self.waiting.values() if (each.name, each.account) == (workflow, account)}

    def next(self, until: datetime) -> Noted | None:
        """Takes off what is due first, if it is by then."""
        due = [(each.due, identity) for identity, each in self.waiting.items() if each.due <= until]
        return self.waiting.pop(min(due)[1]) if due else None

    def lose(self, workflow: str) -> int:
        """Forgets what was noted of a workflow, as if it had failed for good; how many."""
        lost = [identity for identity, each in self.waiting.items() if each.name == workflow]
        for identity in lost:
            del self.waiting[identity]
        return len(lost)


@dataclass
class Agency:
    """Everything between a request to cancel and Amazon. Attributes may be replaced by tests."""

    watch: Watch
    diary: Diary
    fake: FakeAmazon
    database: Database
    cancel: Cancel
    refresh: Refresh
    submit: Submit
    follow: Follow
    ledger: FeedLedger

    def order(self, *, asked: bool = True, **more: Any) -> FakeOrder:
        """A new order; with the buyer's formal request, unless it is not `asked` for."""
        made = self.fake.add_order(**more)
        if asked:
            self.fake.file_request(made.id)
        return made

    def order_of(self, *items: FakeItem) -> FakeOrder:
        """A new order of these, with the buyer's formal request."""
        made = self.fake.add_order("", *items)
        self.fake.file_request(made.id)
        return made

    async def ask(self, order: FakeOrder, *item_ids: str, reason: CancelReason = CancelReason.BUYER_CANCELED) -> str:
        """Asks for a cancellation that the guard lets through; its id."""
        return await self.propose(Proposal(order.id, reason, item_ids))

    async def propose(self, proposal: Proposal | Adjustment, account: str = MAIN) -> str:
        """Asks for what the guard lets through; its id."""
        ruled = await self.cancel.request(account, proposal, Asking("test", "agent"))
        assert ruled.cancellation is not None, ruled.ruling
        return ruled.cancellation.id

    async def get(self, identity: str, account: str = MAIN) -> Cancellation:
        """How far a cancellation has come."""
        return await self.cancel.get(account, identity)

    async def states(self, *identities: str, account: str = MAIN) -> list[str]:
        """The states of cancellations."""
        return [(await self.get(each, account)).state.value for each in identities]

    async def feeds(self, account: str = MAIN) -> list[Feed]:
        """All feeds on file, the oldest first."""
        async with self.database.reading() as connection:
            return await feeds.in_states(connection, account, list(FeedState))

    async def ready(self, account: str = MAIN) -> list[Cancellation]:
        """What waits to be handed to Amazon."""
        async with self.database.reading() as connection:
            return await cancellations.oldest_ready(connection, account, 10_000)

    async def perform(self, noted: Noted) -> None:
        """Runs a workflow."""
        if noted.name == SUBMIT:
            if prepared := await self.submit.gather(noted.account, noted.subject):
                await self.submit.hand_over(noted.account, prepared)
        elif noted.name == FOLLOW:
            await self.follow.look(noted.account, noted.subject)
        elif noted.name == REFRESH:
            await self.refresh.read(noted.account, noted.subject, 60.0, at_most=timedelta())

    async def pass_time(self, *, most: int = 2_000, **duration: float) -> None:
        """Time passes, and what is due in it is done."""
        until = self.watch.now + timedelta(**duration)
        for _ in range(most):
            noted = self.diary.next(until)
            if noted is None:
                self.watch.now = max(self.watch.now, until)
                return
            self.watch.now = max(self.watch.now, noted.due)
            await self.perform(noted)
        raise AssertionError(f"after {most} workflows there is no end in sight")

    async def make_round(self, accounts: Sequence[str] = (MAIN,)) -> None:
        """What a service does now and then."""
        for account in accounts:
            await self.submit.pick_up(account)
            await self.follow.pick_up(account)

    async def check_trail(self) -> None:
        """Fails when the audit trail is broken."""
        assert all(proof.broken is None for proof in await Audit(self.database, self.watch).verify())


@asynccontextmanager
async def agency(
    database: Database, fake: FakeAmazon, watch: Watch, *, more: Sequence[Seller] = (), seconds: float = 10.0
) -> AsyncIterator[Agency]:
    """An agency that is connected to `fake`, which must be on `watch`; `more` sellers beside the account `main`. An
    answer may take so many `seconds`."""
    seller = seller_of(fake)
    sellers = {each.account: each for each in (seller, *more)}
    application = Application(fake.access.client_id, fake.access.client_secret, fake.token_endpoint)
    async with open_spapi(application, sellers, watch, pace=watch.pace, seconds=seconds) as client:
        diary = Diary(watch)
        engine = cast("Engine", diary)
        take_orders = TakeOrders(database, engine, watch, list(sellers))
        states = States(database, watch)
        refresh = Refresh(database, engine, take_orders, states, watch, sellers, Orders(client))
        cancel = Cancel(database, engine, refresh, watch, timedelta(hours=4))
        ledger = FeedLedger(database, engine, refresh, watch)
        amazon = Feeds(client)
        submit = Submit(database, engine, cancel, refresh, states, ledger, watch, sellers, amazon)
        follow = Follow(database, engine, states, ledger, watch, amazon)
        yield Agency(watch, diary, fake, database, cancel, refresh, submit, follow, ledger)


def seller_of(fake: FakeAmazon, account: str = MAIN, seller_id: str = "") -> Seller:
    """The settings of a seller in the fake; of the first, if none is named."""
    known = fake.access.sellers[seller_id or fake.seller.id]
    return Seller(account, known.id, known.marketplaces, "2026-01-01", fake.base, known.refresh_token)
