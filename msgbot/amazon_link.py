"""The link to Amazon: what keeps the connected accounts in step while a process works, as one value."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

import structlog

from msgbot.engine import Workflow
from msgbot.fetch_reports import FETCH, FetchReports
from msgbot.follow import FOLLOW, Follow
from msgbot.notices import Notices
from msgbot.poll import POLL, POLL_V0, Poll
from msgbot.refresh import REFRESH, Refresh
from msgbot.spapi.access import Seller
from msgbot.submit import SUBMIT, Submit

_DAILY_LOOK = 3_600.0
"""Seconds between two looks whether the daily reports were asked for."""
_log = structlog.get_logger()


@dataclass(slots=True)
class AmazonLink:
    """Built by the office. `notices` is None where no queue is set, or this process does not listen to it."""

    sellers: Mapping[str, Seller]
    refresh: Refresh
    poll: Poll
    submit: Submit
    follow: Follow
    fetch_reports: FetchReports
    notices: Notices | None
    _daily_at: float = field(default=float("-inf"))

    @property
    def workflows(self) -> dict[str, Workflow]:
        """The workflows that need Amazon."""
        return {
            POLL: self.poll.run,
            POLL_V0: self.poll.run,
            REFRESH: self.refresh.run,
            SUBMIT: self.submit.run,
            FOLLOW: self.follow.run,
            FETCH: self.fetch_reports.run,
        }

    async def make_round(self) -> None:
        """Sees to what is due."""
        await self.poll.begin_due()
        for account in self.sellers:
            if await self.submit.pick_up(account) or await self.follow.pick_up(account):
                _log.warning("feeds picked up again", account=account)
        if monotonic() - self._daily_at >= _DAILY_LOOK:
            await self.fetch_reports.ask_daily(list(self.sellers))
            self._daily_at = monotonic()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Puts new accounts on file, and takes notices in until the block ends."""
        await self.poll.add_accounts()
        going = asyncio.create_task(self.notices.run()) if self.notices is not None else None
        try:
            yield
        finally:
            if going is not None:
                going.cancel()
                await asyncio.gather(going, return_exceptions=True)
