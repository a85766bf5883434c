"""Wiring: the one place that builds things and hands them to each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from filelock import FileLock, Timeout

from msgbot.accounts import Accounts
from msgbot.answer import Answer, Outbox
from msgbot.audit import Audit
from msgbot.cancel import Cancel
from msgbot.clock import Clock, system_clock
from msgbot.config import Settings
from msgbot.content.replies import Replies, built_in_replies
from msgbot.content.rules import built_in_rules
from msgbot.domain.detector import Detector
from msgbot.domain.policy import Template
from msgbot.domain.solicitation import last_steps
from msgbot.engine import Engine
from msgbot.errors import ConfigError, ContentError, StoreError
from msgbot.mailroom import Mailroom
from msgbot.people import People
from msgbot.prune import Prune
from msgbot.receive import Receive
from msgbot.store.database import Database, open_database
from msgbot.take_orders import TakeOrders


@dataclass(frozen=True, slots=True)
class Office:
    """What works on stored data: orders, cancellations, audit, accounts, people."""

    database: Database
    take_orders: TakeOrders
    cancel: Cancel
    audit: Audit
    accounts: Accounts
    people: People


@asynccontextmanager
async def open_office(settings: Settings, clock: Clock = system_clock) -> AsyncIterator[Office]:
    """Opens the database and what works on it. Raises StoreError, ConfigError."""
    database = await open_database(settings.database_address)
    try:
        yield Office(
            database,
            TakeOrders(database, clock),
            Cancel(database, clock, settings.freshness),
            Audit(database, clock),
            Accounts(database, clock),
            People(database, clock),
        )
    finally:
        await database.close()


@asynccontextmanager
async def open_mailroom(settings: Settings, office: Office, outbox: Outbox, clock: Clock = system_clock) -> AsyncIterator[Mailroom]:
    """What takes messages in and answers them. One process at a time may do so on an SQLite file: raises StoreError if another
    does."""
    with _alone(settings):
        detector = Detector(built_in_rules())
        replies = built_in_replies()
        _check_store_name(replies, settings.store)
        engine = Engine(office.database)
        try:
            receive = Receive(office.database, engine, detector, _buttons(replies), clock)
            answer = Answer(
                office.database,
                replies,
                detector.rulebook.thresholds,
                outbox,
                clock,
                store=settings.store,
                undo_seconds=settings.undo_seconds,
                freshness=settings.freshness,
            )
            yield Mailroom(office.database, engine, receive, answer, settings.account)
        finally:
            await engine.close()


@asynccontextmanager
async def open_prune(office: Office, clock: Clock = system_clock) -> AsyncIterator[Prune]:
    """What removes personal data. It may be open beside a service."""
    engine = Engine(office.database)
    try:
        yield Prune(office.database, engine, clock)
    finally:
        await engine.close()


def _buttons(replies: Replies) -> frozenset[str]:
    return last_steps(replies.paths)


def _check_store_name(replies: Replies, store: str) -> None:
    """Raises ConfigError when no reply could go out under this name."""
    try:
        replies.word(Template.INSTRUCT, "en", (), store)
    except ContentError as error:
        raise ConfigError(f"the setting 'store' cannot stand under a reply to a buyer: {error.faults[0].text}") from error


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Holds the lock of the data folder while the block runs. Raises StoreError when another process holds it."""
    settings.data.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.data / "msgbot.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        where = f"another msgbot is answering from {settings.data} right now"
        raise StoreError(f"{where}: wait for it, or give --data another folder") from error
    try:
        yield
    finally:
        lock.release()
