"""Amazon status: what a person can see of the connection to Amazon: what works, how far orders were read, what is under way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgbot.amazon.performance_report import AmazonRate
from msgbot.clock import Clock
from msgbot.domain.rate import Rate
from msgbot.rate_on_file import seven_days
from msgbot.store import amazon_reports, amazon_states, amazon_sync, cancellations, feeds, notices
from msgbot.store.amazon_states import Aspect, AspectState
from msgbot.store.amazon_sync import Sync
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.database import Database
from msgbot.store.feeds import UNDER_WAY, Feed, FeedState
from msgbot.store.notices import Aside

_SHOWN = 5
_LATE = timedelta(minutes=5)
"""Orders that should have been read so long ago are not being read."""
_RECENT = timedelta(days=1)
"""So long a message that was moved aside needs a look."""


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """One connected account. `sync` is None before orders were read for the first time; `due_since` is when the next reading should
    have been, if nobody is reading; `unsure` are the newest cancellations of which nobody can tell, `feeds` those under way or with
    such a cancellation inside; `rates` are Amazon's own, `rate` is ours."""

    account: str
    aspects: tuple[AspectState, ...]
    sync: Sync | None
    due_since: datetime | None
    feeds: tuple[Feed, ...]
    cancellations: dict[CancellationState, int]
    unsure: tuple[Cancellation, ...]
    rates: tuple[AmazonRate, ...]
    rate: Rate

    @property
    def works(self) -> bool:
        """Whether nothing needs a look."""
        return all(aspect.works for aspect in self.aspects) and self.due_since is None and not self.unsure


@dataclass(frozen=True, slots=True)
class AsideStatus:
    """Messages of the queue that were moved aside: how many, and the newest of them. `works`: none of them in the last day."""

    works: bool
    count: int
    newest: tuple[Aside, ...]


class AmazonStatus:
    """The use case. `has_queue`: the settings name one. Without, notifications that failed before are nothing to look at."""

    def __init__(self, database: Database, clock: Clock, *, has_queue: bool) -> None:
        self._database = database
        self._clock = clock
        self._has_queue = has_queue

    async def of(self, account: str) -> AccountStatus:
        """The state of one account."""
        now = self._clock()
        async with self._database.reading() as connection:
            aspects = await amazon_states.of_accounts(connection, [account])
            sync = await amazon_sync.get(connection, account)
            in_doubt = await cancellations.feeds_of(connection, account, CancellationState.UNSURE)
            listed = await feeds.in_states(connection, account, [*UNDER_WAY, FeedState.UNSURE])
            values: dict[str, Any] = {
                "aspects": tuple(each for each in aspects if self._has_queue or each.aspect is not Aspect.NOTIFICATIONS),
                "sync": sync,
                "due_since": sync.poll_at if sync is not None and now - sync.poll_at > _LATE else None,
                "feeds": tuple(each for each in listed if each.state is not FeedState.UNSURE or each.id in in_doubt),
                "cancellations": await cancellations.count(connection, account),
                "unsure": tuple(await cancellations.page(connection, account, CancellationState.UNSURE, None, _SHOWN)),
                "rates": tuple(await amazon_reports.latest_rates(connection, account)),
                "rate": await seven_days(connection, account, now),
            }
        return AccountStatus(account, **values)

    async def aside(self) -> AsideStatus:
        """What was moved aside, of all accounts."""
        async with self._database.reading() as connection:
            count, newest = await notices.count_aside(connection), tuple(await notices.newest_aside(connection, _SHOWN))
        return AsideStatus(all(self._clock() - each.at >= _RECENT for each in newest), count, newest)
