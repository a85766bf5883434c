"""The service as one value: what the routes work with, and the little that it remembers between requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from weakref import WeakValueDictionary

import structlog

from msgbot import metrics
from msgbot.accounts import Accounts
from msgbot.amazon_link import AmazonLink
from msgbot.amazon_status import AmazonStatus
from msgbot.audit import Audit
from msgbot.cancel import Cancel
from msgbot.clock import Clock
from msgbot.config import Settings
from msgbot.domain.access import ACCOUNT_NAME
from msgbot.engine import Engine
from msgbot.errors import StoreError
from msgbot.fetch_reports import FetchReports
from msgbot.installation_key import InstallationKey
from msgbot.intake import Intake
from msgbot.people import People
from msgbot.reader_process import ReaderProcess
from msgbot.refresh import Refresh
from msgbot.review import Review
from msgbot.store import accounts, idempotency, notices
from msgbot.store.accounts import Account
from msgbot.store.database import Database
from msgbot.take_orders import TakeOrders
from msgbot.webhooks import Webhooks

_REMEMBERED_SECONDS = 2.0
_REMEMBERED_ACCOUNTS = 1_000
_ROUND_SECONDS = 15.0
_OVERLAP = timedelta(minutes=2)
_AT_START = timedelta(days=7)
_log = structlog.get_logger()


@dataclass(slots=True)
class Service:
    """Built by the wiring. `stopping` is set when the process is to end. `struck_off`: because others took it for dead and do
    its work now."""

    settings: Settings
    clock: Clock
    database: Database
    engine: Engine
    reading: ReaderProcess
    intake: Intake
    review: Review
    take_orders: TakeOrders
    cancel: Cancel
    audit: Audit
    accounts: Accounts
    people: People
    webhooks: Webhooks
    key: InstallationKey
    refresh: Refresh
    fetch_reports: FetchReports
    amazon_status: AmazonStatus
    link: AmazonLink | None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    struck_off: bool = False
    _stop_at: float | None = None
    _known: dict[str, tuple[Account | None, float]] = field(default_factory=dict)
    _asking: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    ticks: Callable[[], float] = monotonic

    async def account(self, name: str) -> Account | None:
        """The account of this name, as it was a moment ago."""
        if not ACCOUNT_NAME.fullmatch(name):
            return None
        # One question at a time for each name, however many requests wait for the answer.
        async with self._asking.setdefault(name, asyncio.Lock()):
            # What is forgotten while the question is under way is forgotten with this answer.
            known = self._known
            account, until = known.get(name, (None, float("-inf")))
            if self.ticks() < until:
                return account
            until = self.ticks() + _REMEMBERED_SECONDS
            async with self.database.reading() as connection:
                account = await accounts.get(connection, name)
            known.pop(name, None)
            if len(known) >= _REMEMBERED_ACCOUNTS:
                del known[next(iter(known))]
            known[name] = (account, until)
            return account

    async def has_account(self, name: str) -> bool:
        """Whether there is such an account."""
        return await self.account(name) is not None

    async def own_addresses(self, name: str) -> frozenset[str]:
        """The addresses whose mail is the seller's own: those of the account, and those of the installation."""
        account = await self.account(name)
        return self.settings.own_addresses | (account.own_addresses if account is not None else frozenset())

    def forget_accounts(self) -> None:
        """Reads the accounts anew the next time: one was changed."""
        self._known = {}

    async def ready(self) -> str:
        """Empty when the service can do its work, else why it cannot."""
        if self.stopping.is_set():
            return "stopping"
        try:
            async with self.database.reading() as connection:
                await accounts.get(connection, self.settings.account)
        except StoreError as error:
            return str(error)
        return ""

    async def measure(self) -> None:
        """Brings the metrics up to date that are read, not counted."""
        for state, count in (await self.engine.depth()).items():
            metrics.queue_depth.labels(state).set(count)

    def strike_off(self) -> None:
        """Ends this process: others have taken over its work."""
        self.struck_off = True
        self.stop()

    def stop(self) -> None:
        """Ends this process: what it has begun has `stop_seconds` to come to its end."""
        if self._stop_at is None:
            self._stop_at = self.ticks() + self.settings.stop_seconds
        self.stopping.set()

    def seconds_left(self) -> float:
        """How long what was begun may still go on."""
        return self.settings.stop_seconds if self._stop_at is None else max(0.0, self._stop_at - self.ticks())

    @asynccontextmanager
    async def making_rounds(self) -> AsyncIterator[None]:
        """Makes rounds until the block ends."""
        going = asyncio.create_task(self._rounds())
        try:
            yield
        finally:
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)

    async def _rounds(self) -> None:
        """Now and then takes up again what ended in an error (in the last week at first, then since the last round), and what
        was lost; and forgets the idempotency keys and notices whose time is over."""
        since = self.clock() - _AT_START
        while True:
            now = self.clock()
            try:
                if again := await self.engine.try_again(since):
                    _log.info("tried again", workflows=again)
                if lost := await self.engine.pick_up():
                    _log.warning("picked up again", workflows=lost)
                since = now - _OVERLAP
                if self.link is not None:
                    await self.link.make_round()
                while await self._forget_keys(now):
                    pass
                while await self._forget_notices(now):
                    pass
            except Exception as error:  # the next round must be made in any case
                _log.warning("the rounds could not be made", reason=str(error) or type(error).__name__)
            await asyncio.sleep(_ROUND_SECONDS)

    async def _forget_keys(self, now: datetime) -> int:
        async with self.database.transaction() as connection:
            return await idempotency.delete_old(connection, now)

    async def _forget_notices(self, now: datetime) -> int:
        async with self.database.transaction() as connection:
            return await notices.forget_old(connection, now)
