"""The mailroom: takes a pile of messages in, lets the workflows answer them, and tells what was decided about each."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from msgbot.answer import ANSWER, SEND
from msgbot.domain.conversation import Turn
from msgbot.domain.message import Message
from msgbot.engine import Engine, Failure
from msgbot.receive import Receive
from msgbot.store import messages, replies
from msgbot.store.database import Database
from msgbot.store.replies import Decided, Reply, ReplyState

BATCH = 50
"""How many messages go into one transaction. All of a batch are on file or none, and those that are on file are not taken in
again."""
PAGE = 200
Each = TypeVar("Each")


@dataclass(frozen=True, slots=True)
class Handled:
    """A message and what was done about it. `new` is False when an earlier run had done it. `decided` is None when its workflow
    failed."""

    turn: Turn
    new: bool
    decided: Decided | None
    reply: Reply | None


class Mailroom:
    """Built by the wiring for one account. While what `at_work` gives is entered, workflows run."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        receive: Receive,
        account: str,
        at_work: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        self._database = database
        self._engine = engine
        self._receive = receive
        self._account = account
        self._at_work = at_work

    async def take_in(
        self, incoming: Iterable[tuple[Message, bytes]], on_progress: Callable[[int], None] = lambda count: None
    ) -> dict[str, bool]:
        """Puts messages on file, detected but not yet answered; what each id is: new (True) or known. Memory stays flat but for
        the ids."""
        taken: dict[str, bool] = {}
        rest = iter(incoming)
        # Reading and parsing happen as the batch is drawn: off the event loop.
        while batch := await asyncio.to_thread(list, islice(rest, BATCH)):
            for received in await self._receive.receive(batch):
                taken.setdefault(received.turn.message.id, received.new)
            on_progress(len(batch))
        return taken

    async def answer_all(self, on_progress: Callable[[int], None] = lambda left: None) -> list[Failure]:
        """Lets every waiting message be answered, and those again that failed before; what is still not done, and why.

        Answers come after all messages are in, so that each is given in view of the whole conversation."""
        async with self._at_work():
            await self._try_again()
            await self._engine.drain(on_progress)
            return await self._not_done()

    async def _try_again(self) -> None:
        """Enqueues messages anew that are not done though their workflow has ended: in an error, or with a reply that failed."""
        under_way = await self._engine.under_way(ANSWER, self._account)
        sending = {each.partition(":")[0] for each in await self._engine.under_way(SEND, self._account)}
        async with self._database.transaction() as connection:
            waiting = {*await messages.undecided(connection, self._account)}
            waiting |= {reply.message_id for reply in await replies.unsent(connection, self._account) if reply.id not in sending}
            again = sorted(waiting - under_way)
            await self._engine.enqueue_many(connection, ANSWER, self._account, again, attempt=uuid.uuid4().hex)

    async def _not_done(self) -> list[Failure]:
        reasons = {failure.subject: failure.text for failure in await self._engine.failures()}
        async with self._database.reading() as connection:
            undecided = await messages.undecided(connection, self._account)
            unsent = {reply.message_id: reply for reply in await replies.unsent(connection, self._account)}
        failed = [Failure(message_id, unsent[message_id].note or reasons.get(message_id, "")) for message_id in sorted(unsent)]
        return [*failed, *(Failure(message_id, reasons.get(message_id, "not decided on yet")) for message_id in undecided)]

    async def handled(self, taken: dict[str, bool]) -> AsyncIterator[Handled]:
        """What was done about each message, in the order they were taken in."""
        for ids in _batches(taken, PAGE):
            async with self._database.reading() as connection:
                turns = await messages.received(connection, self._account, ids)
                decided = await replies.decided(connection, self._account, ids)
                answers = await replies.to_messages(connection, self._account, ids)
            for each in ids:
                yield Handled(turns[each][0], taken[each], decided.get(each), answers.get(each))

    async def suggestions(self) -> list[tuple[Reply, Turn]]:
        """Replies that wait for a person, with the message that each answers, the oldest first."""
        return await self._in_state(ReplyState.SUGGESTED)

    async def stopped(self) -> list[tuple[Reply, Turn]]:
        """Replies and suggestions that are out of date, with the message that each answered."""
        return await self._in_state(ReplyState.STOPPED)

    async def _in_state(self, state: ReplyState) -> list[tuple[Reply, Turn]]:
        async with self._database.reading() as connection:
            found = await replies.in_state(connection, self._account, state)
            turns = await messages.received(connection, self._account, [reply.message_id for reply in found])
        return [(reply, turns[reply.message_id][0]) for reply in found]


def _batches(values: Iterable[Each], size: int) -> Iterator[list[Each]]:
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
