"""Poll: the orders that changed since the last time are read from Amazon, page by page.

Nothing is skipped: what changes while pages are read changes after the time up to which this reading counts, and is found by the
next one. A page and the place behind it are put on file together, so that a stop at any moment costs one page read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon_states import States
from msgbot.clock import Clock
from msgbot.domain.order import Fulfilment, Order, OrderStatus
from msgbot.engine import Engine
from msgbot.errors import AmazonError, AmazonRefused, InputError
from msgbot.refresh import Refresh
from msgbot.spapi.access import Seller
from msgbot.spapi.orders import ChangedOrders, Orders
from msgbot.steps import step
from msgbot.store import amazon_states, amazon_sync
from msgbot.store.amazon_states import Aspect
from msgbot.store.amazon_sync import Sync
from msgbot.store.database import Database
from msgbot.take_orders import TakeOrders

POLL = "poll"
"""The name of the workflow that reads a page of changed orders."""
POLL_V0 = "poll-v0"
"""The same for accounts on the old version of the API, which Amazon limits in another way."""
_OVERLAP = timedelta(minutes=5)
"""Each reading begins so long before the end of the last: Amazon's own clocks differ, and an order shows up a little late."""
_LATE = timedelta(minutes=2)
"""What changed less than this ago may not be in an answer yet (domain.md section 3)."""
_LEASE = timedelta(hours=2)
"""A page that was taken on and not read within this is due again: longer than Amazon's limit can make it wait."""
_PATIENCE = 60.0
_SHOWN = 3
_SEEN = timedelta(days=1)
_OPEN = {OrderStatus.PENDING, OrderStatus.UNSHIPPED, OrderStatus.PARTLY_SHIPPED}


class Poll:
    """The use case."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        take_orders: TakeOrders,
        refresh: Refresh,
        states: States,
        clock: Clock,
        sellers: Mapping[str, Seller],
        amazon: Orders,
        seconds: float,
    ) -> None:
        self._database = database
        self._engine = engine
        self._take_orders = take_orders
        self._refresh = refresh
        self._states = states
        self._clock = clock
        self._sellers = sellers
        self._amazon = amazon
        self._every = timedelta(seconds=seconds)

    async def begin_due(self) -> int:
        """Enqueues the pages that are due; how many. Several processes may do so at once."""
        now = self._clock()
        begun = 0
        async with self._database.reading() as connection:
            due = await amazon_sync.due(connection, list(self._sellers), now)
        for sync in due:
            async with self._database.transaction() as connection:
                if await amazon_sync.claim(connection, sync, now + _LEASE):
                    await self._enqueue(connection, sync.account, now)
                    begun += 1
        return begun

    async def add_accounts(self) -> None:
        """Puts accounts on file that were connected since the last start, so that they are read."""
        for account in self._sellers:
            async with self._database.transaction() as connection:
                await amazon_sync.lock(connection, account, self._clock())

    async def run(self, account: str, times: Sequence[str]) -> None:
        """Reads the next page of each account; `times` say which occasion this is."""
        await step("read a page", self.read_page, account, {each: each for each in times})

    async def read_page(self, account: str, _: str = "") -> str:
        """Reads the next page and puts it on file. The token of the page behind it, or empty."""
        if account not in self._sellers:
            return ""
        async with self._database.reading() as connection:
            sync = await amazon_sync.get(connection, account)
        if sync is None:
            return ""
        begun = self._clock()
        try:
            changed = await self._amazon.changed(account, sync.since - _OVERLAP, sync.page_token, patience=_PATIENCE)
        except (AmazonError, InputError) as error:
            # A token that Amazon no longer takes: the reading begins anew, from where the last one ended.
            await self._put_off(sync, error, restart=isinstance(error, AmazonRefused))
            return ""
        return await self._put(sync, changed, begun)

    async def _put(self, sync: Sync, changed: ChangedOrders, begun: datetime) -> str:
        page = changed.page
        account = sync.account
        until = sync.read_until or min(page.updated_before or changed.at - _LATE, changed.at)
        if page.next_token:
            following = replace(sync, page_token=page.next_token, read_until=until, poll_at=begun + _LEASE)
        else:
            following = replace(sync, since=max(until, sync.since), page_token="", read_until=None, poll_at=begun + self._every)
        async with self._database.transaction() as connection:
            current = await amazon_sync.lock(connection, account, begun)
            if (current.page_token, current.since) != (sync.page_token, sync.since):
                # Another process read this page in the meantime.
                return ""
            await self._take_orders.page(connection, account, page.orders, changed.raw, "Amazon's changed orders")
            for order in filter(_without_items, page.orders):
                # Once for each change by Amazon's own time of it; our clock, and what files say, have no say in that.
                moment = order.updated_at or order.as_of
                await self._refresh.later(connection, account, order.id, f"changed-{moment.timestamp():.0f}")
            await amazon_sync.move(connection, following)
            if following.page_token:
                await self._enqueue(connection, account, begun, following.page_token)
        await self._states.worked(account, Aspect.ORDERS)
        await self._tell_flaws(account, page.flaws, begun)
        return page.next_token

    async def _tell_flaws(self, account: str, flaws: Sequence[str], now: datetime) -> None:
        """Shows orders that cannot be read. An order is listed once for each of its changes, so this stays to be seen for a day."""
        if flaws:
            more = f"; and {len(flaws) - _SHOWN} more" if len(flaws) > _SHOWN else ""
            text = f"orders that cannot be read, and were left out: {'; '.join(flaws[:_SHOWN])}{more}"
            await self._states.failed(account, Aspect.CONTENT, InputError(text))
            return
        async with self._database.reading() as connection:
            known = await amazon_states.get(connection, account, Aspect.CONTENT)
        if known is not None and known.failed_at is not None and not known.works and now - known.failed_at > _SEEN:
            await self._states.worked(account, Aspect.CONTENT)

    async def _put_off(self, sync: Sync, error: Exception, *, restart: bool = False) -> None:
        """Records that a page could not be read; it, or with `restart` the first one, is due again after the usual time."""
        now = self._clock()
        changed = replace(sync, page_token="", read_until=None) if restart else sync
        async with self._database.transaction() as connection:
            current = await amazon_sync.lock(connection, sync.account, now)
            # Another process may have read the page in the meantime.
            if (current.page_token, current.since) == (sync.page_token, sync.since):
                await amazon_sync.move(connection, replace(changed, poll_at=now + self._every))
        await self._states.failed(sync.account, Aspect.ORDERS, error)

    async def _enqueue(self, connection: AsyncConnection, account: str, at: datetime, token: str = "") -> None:
        workflow = POLL_V0 if self._sellers[account].orders_api == "v0" else POLL
        page = hashlib.sha256(token.encode()).hexdigest()[:12] if token else "first"
        await self._engine.enqueue(connection, workflow, account, f"{at.timestamp():.3f}", page)


def _without_items(order: Order) -> bool:
    """Whether an order's items must be asked for by themselves, as v0 lists orders without them: it can still be cancelled."""
    return not order.items and order.status in _OPEN and order.fulfilment is not Fulfilment.AMAZON
