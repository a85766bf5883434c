"""Refresh: an order read from Amazon and put on file, at once for who waits for it, or as a durable workflow."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon_states import States
from msgbot.clock import Clock
from msgbot.domain.order import Order
from msgbot.engine import Engine
from msgbot.errors import AmazonAway, AmazonError, AmazonRefused, InputError
from msgbot.spapi.orders import SOURCE_V0, SOURCE_V2026, Orders
from msgbot.steps import step
from msgbot.store import orders
from msgbot.store.amazon_states import Aspect
from msgbot.store.database import Database
from msgbot.take_orders import TakeOrders

REFRESH = "refresh"
"""The name of the workflow that reads an order from Amazon."""
_PATIENCE = 120.0
MOMENT = timedelta(seconds=20)
"""Facts read so short a time ago are as good as fresh ones."""
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Unread:
    """Why an order could not be read. `lasting`: waiting would not help."""

    text: str
    lasting: bool = False


class Refresh:
    """The use case. `live` are the accounts that are connected to Amazon; without `amazon` this process cannot call it."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        take_orders: TakeOrders,
        states: States,
        clock: Clock,
        live: Collection[str],
        amazon: Orders | None,
    ) -> None:
        self._database = database
        self._engine = engine
        self._take_orders = take_orders
        self._states = states
        self._clock = clock
        self._live = live
        self._amazon = amazon

    def is_live(self, account: str) -> bool:
        """Whether the account is connected to Amazon."""
        return account in self._live

    async def read(self, account: str, order_id: str, patience: float, *, at_most: timedelta = MOMENT) -> str:
        """As `attempt`, but only the text; empty when the order was read."""
        failed = await self.attempt(account, order_id, patience, at_most=at_most)
        return failed.text if failed is not None else ""

    async def attempt(self, account: str, order_id: str, patience: float, *, at_most: timedelta = MOMENT) -> Unread | None:
        """Reads the order of a live account, unless what is on file was read from Amazon less than `at_most` ago. Why that could
        not be done within `patience` seconds, or None. Of an account that is not live, and of an order that neither Amazon nor
        anybody else has told of, there is nothing to read."""
        if not self.is_live(account):
            return None
        async with self._database.reading() as connection:
            known = await orders.get(connection, account, order_id)
        if known is not None and self._is_fresh(known, at_most):
            return None
        try:
            await self.read_now(account, order_id, patience)
        except AmazonRefused as error:
            if error.status == _NOT_FOUND:
                return Unread(f"Amazon knows no order {order_id} of account {account}", lasting=True) if known else None
            return Unread(str(error), lasting=True)
        except (AmazonError, InputError) as error:
            return Unread(str(error))
        return None

    async def later(self, connection: AsyncConnection, account: str, order_id: str, why: str, delay: float = 0.0) -> None:
        """Sees to it that the order is read soon; `why` tells one occasion from another."""
        if self.is_live(account):
            await self._engine.enqueue(connection, REFRESH, account, order_id, why, delay)

    async def run(self, account: str, order_ids: Sequence[str]) -> None:
        """Reads orders; one that Amazon does not know is left as it is."""
        await step("read", self._step, account, {each: each for each in order_ids})

    async def _step(self, account: str, order_id: str) -> str:
        try:
            await self.read_now(account, order_id, _PATIENCE)
        except AmazonRefused:
            # The same again would be refused again; the state tells of it.
            return ""
        return order_id

    async def read_now(self, account: str, order_id: str, patience: float) -> None:
        """Reads the order of a live account, whatever is on file. Raises AmazonRefused (status 404) when Amazon knows no such
        order, other AmazonErrors, and InputError when its answer cannot be read."""
        if self._amazon is None:
            raise AmazonAway("this process has no connection to Amazon")
        try:
            read = await self._amazon.read(account, order_id, patience=patience)
            await self._take_orders.push(read.order, read.raw, trusted=True)
        except AmazonRefused as error:
            if error.status != _NOT_FOUND:
                await self._states.failed(account, Aspect.ORDERS, error)
            raise
        except (AmazonError, InputError) as error:
            await self._states.failed(account, Aspect.ORDERS, error)
            raise
        await self._states.worked(account, Aspect.ORDERS)

    def _is_fresh(self, known: Order, at_most: timedelta) -> bool:
        # A file may be older than it says; and v0 lists orders without their items, which leaves the older time of the two.
        from_amazon = known.source in {SOURCE_V2026, SOURCE_V0} and known.request_as_of == known.as_of
        return from_amazon and timedelta() <= self._clock() - known.as_of < at_most
