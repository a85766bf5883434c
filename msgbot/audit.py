"""Audit: the informal requests of a period and what became of them, the rulings, and the proof that the record was not changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.amazon.performance_report import AmazonRate
from msgbot.clock import Clock
from msgbot.domain import trail as chains
from msgbot.domain.conversation import Conversation, Turn
from msgbot.domain.order import Order
from msgbot.domain.outcome import Outcome, outcome_of
from msgbot.domain.rate import Rate
from msgbot.domain.trail import START, Break
from msgbot.rate_on_file import seven_days
from msgbot.store import amazon_reports, formal_requests, messages, orders, replies, rulings, trail
from msgbot.store.database import Database
from msgbot.store.replies import Decided, Reply
from msgbot.store.rulings import Recorded


@dataclass(frozen=True, slots=True)
class InformalCase:
    """One informal request: the first message that asked, and what became of it. `order_id` is empty when the buyer named none."""

    order_id: str
    message: Turn
    asked_at: datetime
    decided: Decided | None
    reply: Reply | None
    formal_request_at: datetime | None
    order: Order | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The audit of one account and period. `solicited` are orders whose buyer was asked, unasked, for a formal request. `rate` is
    ours, by the orders on file; `amazon_rates` are Amazon's own, the newest of each marketplace, where it has told any."""

    account: str
    since: datetime | None
    until: datetime | None
    cases: tuple[InformalCase, ...]
    rulings: tuple[Recorded, ...]
    solicited: tuple[str, ...]
    rate: Rate
    amazon_rates: tuple[AmazonRate, ...] = ()

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """How many cases ended how; every outcome is there."""
        counted = Counter(case.outcome for case in self.cases)
        return {outcome: counted[outcome] for outcome in Outcome}

    @property
    def cancelled_informally(self) -> tuple[InformalCase, ...]:
        """Orders seen cancelled without a formal request after an informal one."""
        return tuple(case for case in self.cases if case.outcome is Outcome.CANCELLED_INFORMALLY)


@dataclass(frozen=True, slots=True)
class Proof:
    """What `verify` found in one account's chain: how many entries hold, the hash of the last of them, and the first break if
    there is one."""

    account: str
    entries: int
    head: str
    broken: Break | None


class Audit:
    """The use case."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def report(self, account: str, since: datetime | None = None, until: datetime | None = None) -> AuditReport:
        """The audit of `account` from `since` on and before `until`."""
        now = self._clock()
        async with self._database.reading() as connection:
            requests = await messages.requests_between(connection, account, since, until)
            cases: dict[str, InformalCase] = {}
            solicited: set[str] = set()
            for turn, received_at in requests:
                order_ids = await messages.orders_of(connection, turn.message) or ("",)
                for order_id in order_ids:
                    key = order_id or turn.message.id
                    if key not in cases:
                        cases[key] = await self._case(connection, account, order_id, turn, turn.message.sent_at or received_at)
            async for entry in trail.entries(connection, account, since=since, until=until):
                if entry.kind is chains.EntryKind.SOLICITING:
                    solicited.add(str(entry.facts["order"]))
            rate = await seven_days(connection, account, now)
            made = await rulings.between(connection, account, since, until)
            amazons = await amazon_reports.latest_rates(connection, account)
        found = tuple(cases.values())
        return AuditReport(account, since, until, found, tuple(made), tuple(sorted(solicited)), rate, tuple(amazons))

    async def _case(self, connection: AsyncConnection, account: str, order_id: str, turn: Turn, asked_at: datetime) -> InformalCase:
        message_id = turn.message.id
        decided = (await replies.decided(connection, account, [message_id])).get(message_id)
        reply = (await replies.to_messages(connection, account, [message_id])).get(message_id)
        if not order_id:
            return InformalCase("", turn, asked_at, decided, reply, None, None, outcome_of(Conversation.of([turn]), None, ()))
        order = await orders.get(connection, account, order_id)
        formal = await formal_requests.of_order(connection, account, order_id)
        conversation = await messages.about_order(connection, account, order_id)
        reply = await replies.instruction_for(connection, account, order_id) or reply
        filed = min((request.seen_at for request in formal), default=None)
        return InformalCase(order_id, turn, asked_at, decided, reply, filed, order, outcome_of(conversation, order, formal))

    async def verify(self, account: str | None = None) -> list[Proof]:
        """Recomputes the chain of `account`, or of every account."""
        proofs = []
        async with self._database.reading() as connection:
            for name in [account] if account else await trail.accounts(connection):
                proofs.append(await _prove(connection, name))
        return proofs


async def _prove(connection: AsyncConnection, account: str) -> Proof:
    number, previous = 0, START
    for page in (trail.PAGE, 1):
        # Read in pages; where a page cannot be read at all, entry by entry up to the one that is at fault.
        try:
            async for entry in trail.entries(connection, account, after=number, page=page):
                broken = chains.check_next(entry, account, number, previous)
                if broken is not None:
                    return Proof(account, number, previous, broken)
                number, previous = entry.number, entry.hash
            break
        except (ValueError, TypeError, KeyError):
            continue
    else:
        unreadable = Break(account, number + 1, "it cannot be read: its content was changed after it was written")
        return Proof(account, number, previous, unreadable)
    return Proof(account, number, previous, chains.check_end(account, number, previous, await trail.head(connection, account)))
