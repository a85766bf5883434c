"""Notices: takes what Amazon says of orders from the queue, as soon as it is there, and puts it on file once.

A queue hands a message out at least once, in any order, and again when it was not deleted in time. So the id of a notification goes
on file in the same transaction as what follows from it, and only then is the message deleted. What is no notice for an account here
is moved aside, and never holds up what comes behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot import metrics
from msgbot.amazon.envelopes import open_envelope
from msgbot.amazon.order_change import OrderChange, read_notification
from msgbot.clock import Clock
from msgbot.errors import AmazonError, InputError, MsgbotError, StoreError
from msgbot.spapi.queue import HIDDEN_SECONDS, LONGEST_POLL, Notice, Queue
from msgbot.store import notices
from msgbot.store.database import Database
from msgbot.store.notices import LONGEST_ID, Aside

ORDER_CHANGE = "ORDER_CHANGE"
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds to wait after the first failure in a row, the second and so on; the last is for all that follow."""
MOST_TRIES = 10
"""So often a notice may be received that fails by itself; then it is moved aside."""
_BEATS = 3

_log = structlog.get_logger()

Take = Callable[[str, OrderChange, bytes, AsyncConnection], Awaitable[None]]
"""Puts what an account is told on file, in the transaction of the connection: account, change, the message as it came."""
OnState = Callable[[bool, str], Awaitable[None]]
"""Is told whether notices are received, and if not, why."""


class Recipient(Protocol):
    """An account here, and who it is at Amazon."""

    @property
    def account(self) -> str:
        """Its name here."""

    @property
    def seller_id(self) -> str:
        """The seller's id at Amazon."""

    @property
    def marketplaces(self) -> tuple[str, ...]:
        """The ids of the marketplaces that it is for."""


class Fate(StrEnum):
    """What became of a message of the queue."""

    TAKEN = "taken"
    KNOWN = "known"
    FOREIGN = "foreign"
    MALFORMED = "malformed"
    UNKNOWN_SELLER = "unknown_seller"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class _Unfit:
    """Why nothing can be done with a message."""

    fate: Fate
    reason: str
    account: str = ""


async def _nobody(ok: bool, text: str) -> None:
    """Is told, and does nothing."""


class Notices:
    """The use case. `recipients` are the accounts that notices may be for; `take` puts what one says on file."""

    def __init__(
        self,
        database: Database,
        queue: Queue,
        recipients: Iterable[Recipient],
        take: Take,
        clock: Clock,
        *,
        on_state: OnState = _nobody,
        poll_seconds: int = LONGEST_POLL,
        hidden_seconds: int = HIDDEN_SECONDS,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._database = database
        self._queue = queue
        self._recipients = tuple(recipients)
        self._take = take
        self._clock = clock
        self._on_state = on_state
        self._poll_seconds = poll_seconds
        self._hidden_seconds = hidden_seconds
        self._pauses = pauses
        self._logged = self._told = "not asked yet"

    async def run(self) -> None:
        """Takes in notices until it is cancelled. After a failure it waits, longer each time, and says so once."""
        failures = 0
        while True:
            try:
                await self.poll()
            except Exception as error:  # whatever it is, the queue must be asked again
                await self._tell(error)
                await asyncio.sleep(self._pauses[min(failures, len(self._pauses) - 1)])
                failures += 1
            else:
                await self._tell(None)
                failures = 0

    async def poll(self) -> None:
        """Waits for notices and takes in those that come, up to ten. Raises AmazonError and StoreError: what is not on file by then
        comes again."""
        # What cannot be put on file had better stay in the queue: each time it is handed out brings it nearer to being given up.
        async with self._database.reading():
            pass
        received = await self._queue.receive(self._poll_seconds, hidden_seconds=self._hidden_seconds)
        done: list[Notice] = []
        async with self._hidden(received):
            try:
                for notice in received:
                    if await self._handle(notice):
                        done.append(notice)
            except StoreError:
                await self._delete(done)
                raise
            await self._delete(done)

    @asynccontextmanager
    async def _hidden(self, received: Sequence[Notice]) -> AsyncIterator[None]:
        """Keeps what was received from being handed out again until the block ends."""
        keeping = asyncio.create_task(self._keep_hidden(received))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep_hidden(self, received: Sequence[Notice]) -> None:
        while received:
            await asyncio.sleep(self._hidden_seconds / _BEATS)
            # If it cannot be done, they come again, and are known by then.
            with suppress(AmazonError):
                await self._queue.extend(received, self._hidden_seconds)

    async def _handle(self, notice: Notice) -> bool:
        """Whether the notice is safely on file, or aside: then it can go. Raises StoreError."""
        found = self._look_at(notice.body)
        end = found if isinstance(found, _Unfit) else await self._put_on_file(notice, *found)
        if isinstance(end, Fate):
            metrics.notices.labels(end).inc()
            return True
        if end.fate is Fate.FAILED and notice.received_count < MOST_TRIES:
            metrics.notices.labels(end.fate).inc()
            _log.warning("a notice from Amazon failed and will come again", notice=notice.id, reason=end.reason)
            return False
        await self._move_aside(notice, end)
        return True

    def _look_at(self, body: bytes) -> tuple[OrderChange, list[str]] | _Unfit:
        """What a message says, and to which accounts; or why nothing can be done with it."""
        try:
            enclosed = open_envelope(body)
            if enclosed.kind != ORDER_CHANGE:
                what = f"a notification of the type {enclosed.kind!r}" if enclosed.kind else "no notification of Amazon's"
                return _Unfit(Fate.FOREIGN, f"{what}; only {ORDER_CHANGE} is taken")
            change = read_notification(enclosed.data)
            if not 0 < len(change.notification_id) <= LONGEST_ID:
                raise InputError(f"NotificationMetadata.NotificationId has not 1 to {LONGEST_ID} characters")
        except InputError as error:
            return _Unfit(Fate.MALFORMED, str(error))
        except Exception as error:  # a reader that stumbles must not hold up what comes behind
            return _Unfit(Fate.MALFORMED, f"it could not be read: {_reason(error)}")
        accounts = self._accounts_of(change)
        if not accounts:
            reason = f"no account here is for the seller {change.seller_id!r} in the marketplace {change.marketplace!r}"
            return _Unfit(Fate.UNKNOWN_SELLER, f"{reason} ({_named(change)})")
        return change, accounts

    def _accounts_of(self, change: OrderChange) -> list[str]:
        """The accounts of the notice's seller that are for its marketplace. A seller's only account gets what is of other
        marketplaces too: Amazon subscribes sellers, not marketplaces."""
        of_seller = [each for each in self._recipients if each.seller_id and each.seller_id == change.seller_id]
        fitting = [each for each in of_seller if change.marketplace in each.marketplaces]
        if not fitting and len(of_seller) == 1:
            fitting = of_seller
        return sorted(each.account for each in fitting)

    async def _put_on_file(self, notice: Notice, change: OrderChange, accounts: Sequence[str]) -> Fate | _Unfit:
        fate, now = Fate.KNOWN, self._clock()
        try:
            async with self._database.transaction() as connection:
                for account in accounts:
                    if await notices.see(connection, account, change.notification_id, now):
                        await self._take(account, change, notice.body, connection)
                        fate = Fate.TAKEN
        except StoreError:
            raise
        except InputError as error:
            return _Unfit(Fate.MALFORMED, f"{error} ({_named(change)})", accounts[0])
        except Exception as error:  # one notice must not hold up those behind it
            return _Unfit(Fate.FAILED, f"it could not be put on file: {_reason(error)} ({_named(change)})", accounts[0])
        return fate

    async def _move_aside(self, notice: Notice, unfit: _Unfit) -> None:
        aside = Aside(unfit.account, notice.id, self._clock(), unfit.reason, sha256(notice.body).hexdigest())
        async with self._database.transaction() as connection:
            new = await notices.set_aside(connection, aside)
        if new:
            metrics.notices.labels(unfit.fate).inc()
            _log.warning("a message of Amazon's queue was moved aside", notice=notice.id, reason=unfit.reason)

    async def _delete(self, done: Sequence[Notice]) -> None:
        for left in await self._queue.delete(done):
            _log.info("a notice could not be deleted and will come again", notice=left.notice.id, reason=left.reason)

    async def _tell(self, error: Exception | None) -> None:
        """Says that notices are received, or that they are not, when that is news."""
        state = "" if error is None else f"{type(error).__name__} {getattr(error, 'code', '')}"
        text = "" if error is None else _reason(error)
        if state != self._logged:
            if error is not None:
                _log.warning("no notices are received from Amazon", reason=text)
            elif self._logged != "not asked yet":
                _log.info("notices are received from Amazon again")
            self._logged = state
        if state != self._told:
            # While the database is away it cannot be told either; it is the next time.
            with suppress(StoreError):
                await self._on_state(error is None, text)
                self._told = state


def _named(change: OrderChange) -> str:
    return f"notification {change.notification_id}, order {change.order_id}"


def _reason(error: Exception) -> str:
    """What went wrong, in one short line."""
    text = next(iter(str(error).strip().splitlines()), "")[:300]
    return text if isinstance(error, MsgbotError) else f"{type(error).__name__} {text}".rstrip()
