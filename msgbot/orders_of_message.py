"""Orders of a message: read from Amazon before the message is decided on."""

from __future__ import annotations

from datetime import timedelta

from msgbot.domain.message import Kind
from msgbot.refresh import MOMENT, Refresh, Unread
from msgbot.store import formal_requests, messages, replies
from msgbot.store.database import Database

PATIENCE = 20.0
"""Seconds that a message waits for Amazon to tell of its order."""
_MOST_READ = 3
"""Orders of one message that are read: more of them are for a person anyway."""
_LOOK_AGAIN_SECONDS = 300.0
"""So much later an order is read again that does not show yet what Amazon's own mail says."""


class OrdersOfMessage:
    """What a message waits for when its account is connected to Amazon."""

    def __init__(self, database: Database, refresh: Refresh) -> None:
        self._database = database
        self._refresh = refresh

    async def read(self, account: str, message_id: str) -> list[Unread]:
        """Reads the orders that a message is about, unless it was decided on already. Those that could not be read."""
        if not self._refresh.is_live(account):
            return []
        async with self._database.reading() as connection:
            if message_id in await replies.decided(connection, account, [message_id]):
                return []
            turn = await messages.get(connection, account, message_id)
            order_ids = await messages.orders_of(connection, turn.message) if turn is not None else ()
        told_of_request = turn is not None and turn.message.kind is Kind.FORMAL_REQUEST_NOTICE
        # What was read before such a mail came may be from before the request.
        at_most = timedelta() if told_of_request else MOMENT
        failed: list[Unread] = []
        for order_id in order_ids[:_MOST_READ]:
            unread = await self._refresh.attempt(account, order_id, PATIENCE, at_most=at_most)
            if unread is not None:
                failed.append(unread)
            elif told_of_request:
                await self._look_again(account, order_id, message_id)
        return failed

    async def _look_again(self, account: str, order_id: str, message_id: str) -> None:
        """Sees to it that the order is read once more, if no formal request of it stands."""
        async with self._database.transaction() as connection:
            requests = await formal_requests.of_order(connection, account, order_id)
            if all(request.denied_by for request in requests):
                await self._refresh.later(connection, account, order_id, f"mail-{message_id}", _LOOK_AGAIN_SECONDS)
