"""Take orders in: what files and other systems say of orders goes on file, with a record of what it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon.order_files import ReadFile, read_order_file
from msgbot.announce import announce, announce_many
from msgbot.clock import Clock
from msgbot.domain.events import EventType
from msgbot.domain.order import Order, OrderStatus, RequestKnowledge
from msgbot.domain.trail import EntryKind, Facts, Value
from msgbot.engine import Engine
from msgbot.store import cancellations, formal_requests, messages, orders, trail
from msgbot.store.cancellations import CancellationState
from msgbot.store.database import Database
from msgbot.store.formal_requests import Filed
from msgbot.store.orders import Taken

_END = {
    OrderStatus.CANCELLED: CancellationState.DONE,
    OrderStatus.SHIPPED: CancellationState.LAPSED,
    OrderStatus.PARTLY_SHIPPED: CancellationState.LAPSED,
}


@dataclass(frozen=True, slots=True)
class TakenReport:
    """What was read and what it changed."""

    report: ReadFile
    taken: Taken
    filed: Filed


@dataclass(frozen=True, slots=True)
class Evidence:
    """What facts were read from: a name for people, the SHA-256 of the bytes, and the HTTP request that brought them, if one
    did."""

    source: str
    sha256: str
    request_id: str = ""


class TakeOrders:
    """The use case. `live` are the accounts that are connected to Amazon."""

    def __init__(self, database: Database, engine: Engine, clock: Clock, live: Collection[str] = ()) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock
        self._live = live

    async def report(
        self,
        account: str,
        data: bytes,
        source: str,
        as_of: datetime | None = None,
        request_id: str = "",
        charset: str | None = None,
    ) -> TakenReport:
        """Takes in an order report or saved answers. `as_of` is when they were made; now, if not given; `charset` is that of the
        download, if it was one. Raises InputError when the data is neither."""
        now = self._clock()
        report = read_order_file(data, account=account, source=source, as_of=as_of or now, charset=charset)
        evidence = Evidence(source, hashlib.sha256(data).hexdigest(), request_id)
        async with self._database.transaction() as connection:
            taken, filed = await self._put(
                connection, account, report.orders, evidence, now, trusted=True, contradicted=report.contradicted
            )
            if taken.new or taken.changed or filed.new or filed.denied or filed.confirmed:
                facts: Facts = {
                    "source": source,
                    "sha256": evidence.sha256,
                    "orders": len(report.orders),
                    f"{report.part}s": report.parts,
                    "new": len(taken.new),
                    "request": request_id,
                }
                await trail.append(connection, account, now, EntryKind.ORDERS_IMPORTED, facts)
            await self._record(connection, account, taken, filed, evidence, now)
        return TakenReport(report, taken, filed)

    async def push(self, order: Order, data: bytes, *, trusted: bool, request_id: str = "") -> tuple[Taken, Filed]:
        """Takes in what another system says of one order; `data` is what it sent. One that is not `trusted` has no say in formal
        requests, nor in the items of an order that is on file, nor in what has become of a cancellation that goes to Amazon."""
        order = order if trusted else _without_requests(order)
        evidence = Evidence(order.source, hashlib.sha256(data).hexdigest(), request_id)
        try:
            return await self._push(order, evidence, trusted)
        except IntegrityError:
            # Another process put the order on file a moment ago.
            return await self._push(order, evidence, trusted)

    async def page(
        self, connection: AsyncConnection, account: str, read: Sequence[Order], data: bytes, source: str
    ) -> tuple[Taken, Filed]:
        """Takes in what Amazon says of several orders, in the transaction of `connection`; `data` are the bytes of its answer."""
        now = self._clock()
        evidence = Evidence(source, hashlib.sha256(data).hexdigest())
        taken, filed = await self._put(connection, account, read, evidence, now, trusted=True)
        if taken.new or taken.changed:
            facts: Facts = {
                "source": source,
                "sha256": evidence.sha256,
                "orders": len(read),
                "changed": len(taken.changed),
                "new": len(taken.new),
            }
            await trail.append(connection, account, now, EntryKind.ORDERS_IMPORTED, facts)
        await self._record(connection, account, taken, filed, evidence, now)
        return taken, filed

    async def _push(self, order: Order, evidence: Evidence, trusted: bool) -> tuple[Taken, Filed]:
        now = self._clock()
        async with self._database.transaction() as connection:
            taken, filed = await self._put(connection, order.account, [order], evidence, now, trusted=trusted)
            if taken.new or taken.changed:
                facts: Facts = {
                    "source": order.source,
                    "sha256": evidence.sha256,
                    "order": order.id,
                    "status": order.status.value,
                    "new": bool(taken.new),
                    "request": evidence.request_id,
                }
                await trail.append(connection, order.account, now, EntryKind.ORDER_PUSHED, facts)
            await self._record(connection, order.account, taken, filed, evidence, now)
        return taken, filed

    async def _put(
        self,
        connection: AsyncConnection,
        account: str,
        read: Sequence[Order],
        evidence: Evidence,
        now: datetime,
        *,
        trusted: bool,
        contradicted: Sequence[Order] = (),
    ) -> tuple[Taken, Filed]:
        taken = await orders.put(connection, account, read, trusted=trusted)
        if account not in self._live:
            await self._settle_cancellations(connection, account, [*taken.new, *taken.changed], evidence, now)
        elif trusted:
            # Others may have told of the change before, which does not count there.
            told = [order.id for order in read if order.status is not OrderStatus.UNKNOWN and order.id not in taken.older]
            await self._settle_cancellations(connection, account, told, evidence, now)
        if not trusted:
            return taken, Filed((), (), ())
        return taken, await formal_requests.put(connection, account, [*contradicted, *read], evidence.sha256)

    async def _settle_cancellations(
        self, connection: AsyncConnection, account: str, changed: list[str], evidence: Evidence, now: datetime
    ) -> None:
        """What was let through is done when the order is seen cancelled, and can no longer be done when it was shipped."""
        for waiting in await cancellations.of_orders(connection, account, changed, cancellations.OPEN):
            order = await orders.get(connection, account, waiting.order_id)
            state = _END.get(order.status) if order is not None else None
            # An adjustment is of an order that was shipped, and leaves nothing to be seen in it.
            if order is None or state is None or waiting.adjustment is not None:
                continue
            if state is CancellationState.LAPSED and waiting.state not in cancellations.WITHDRAWABLE:
                # Amazon's report on its feed will say that it was too late.
                continue
            note = f"{evidence.source} says that the order is {order.status.value.replace('_', ' ')}"
            await cancellations.move(connection, waiting, state, note, now)
            facts: Facts = {
                "cancellation": waiting.id,
                "state": state.value,
                "order": waiting.order_id,
                "source": evidence.source,
                "request": evidence.request_id,
            }
            await trail.append(connection, account, now, EntryKind.CANCELLATION, facts)
            if state is CancellationState.DONE:
                told: dict[str, Value] = {"cancellation": waiting.id, "order": waiting.order_id}
                await announce(connection, self._engine, account, EventType.CANCELLATION_DONE, told, now)

    async def _record(
        self, connection: AsyncConnection, account: str, taken: Taken, filed: Filed, evidence: Evidence, now: datetime
    ) -> None:
        shown: dict[str, Value] = {"source": evidence.source, "sha256": evidence.sha256, "request": evidence.request_id}
        for kind, requests in (
            (EntryKind.FORMAL_REQUEST_ON_FILE, filed.new),
            (EntryKind.FORMAL_REQUEST_DENIED, filed.denied),
            (EntryKind.FORMAL_REQUEST_CONFIRMED, filed.confirmed),
        ):
            records = [(kind, {"order": request.order_id, "item": request.item_id, **shown}) for request in requests]
            await trail.append_many(connection, account, now, records)
        told = [{"order": each.order_id, "item": each.item_id, "source": evidence.source} for each in filed.new]
        await announce_many(connection, self._engine, account, EventType.FORMAL_REQUEST_ON_FILE, told, now)
        for order_id in taken.cancelled:
            conversation = await messages.about_order(connection, account, order_id)
            facts: Facts = {
                "order": order_id,
                "formal_request": bool(await formal_requests.of_order(connection, account, order_id)),
                "asked_by_message": conversation.open_request() is not None,
                **shown,
            }
            await trail.append(connection, account, now, EntryKind.ORDER_CANCELLED_SEEN, facts)


def _without_requests(order: Order) -> Order:
    items = tuple(replace(item, formal_request=RequestKnowledge.UNKNOWN, cancel_reason="") for item in order.items)
    return replace(order, items=items, request_as_of=None)
