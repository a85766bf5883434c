"""States: what of the connection to Amazon works, kept on file for people to see (`msgbot amazon status`)."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

import structlog

from msgbot.clock import Clock
from msgbot.errors import AmazonError
from msgbot.store import amazon_states
from msgbot.store.amazon_states import Aspect
from msgbot.store.database import Database

_EVERY_SECONDS = 30.0
"""That something works, or fails in the same way, is not written down more often than this."""
_log = structlog.get_logger()


class States:
    """Writes down what works and what fails."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._told: dict[tuple[str, Aspect], tuple[str, float]] = {}
        """By what way of failing, empty for what works, and when."""

    async def worked(self, account: str, aspect: Aspect) -> None:
        """Something worked."""
        await self._put(account, aspect, "", "")

    async def failed(self, account: str, aspect: Aspect, error: Exception) -> None:
        """Something failed; it is logged once, until it works again or fails in another way."""
        text = str(error) or type(error).__name__
        # The texts of the same failure differ: in the id of the request, or the time until which to wait.
        way = f"{type(error).__name__} {error.operation} {error.status} {error.code}" if isinstance(error, AmazonError) else text
        await self._put(account, aspect, text, way)

    async def of_all(self, accounts: Sequence[str], aspect: Aspect, worked: bool, text: str) -> None:
        """Something that all of `accounts` share worked, or failed for the reason in `text`."""
        for account in accounts:
            await self._put(account, aspect, "" if worked else text, "" if worked else text)

    async def _put(self, account: str, aspect: Aspect, error: str, way: str) -> None:
        told, at = self._told.get((account, aspect), (None, 0.0))
        now = monotonic()
        if told == way and now - at < _EVERY_SECONDS:
            return
        if told != way:
            if error:
                _log.warning("Amazon fails", account=account, aspect=aspect.value, reason=error)
            elif told:
                _log.info("Amazon works again", account=account, aspect=aspect.value)
        async with self._database.transaction() as connection:
            await amazon_states.put(connection, account, aspect, self._clock(), error)
        self._told[account, aspect] = (way, now)
