"""Wiring: builds what answers messages and serves requests upon the office, and puts it to work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from msgbot.amazon_link import AmazonLink
from msgbot.amazon_status import AmazonStatus
from msgbot.announce import DELIVER
from msgbot.answer import ANSWER, SEND, Answer, Outbox
from msgbot.channels.outbox import FolderOutbox
from msgbot.clock import Clock, steady_clock, system_clock
from msgbot.config import Settings
from msgbot.content.replies import Replies, built_in_replies
from msgbot.crew import SILENT_SECONDS, Member, own_name
from msgbot.deliver import Deliver
from msgbot.domain.policy import Template
from msgbot.engine import LOCAL, Engine, Workflow
from msgbot.errors import ConfigError, ContentError, StoreError
from msgbot.installation_key import read_key
from msgbot.intake import Intake
from msgbot.mailroom import Mailroom
from msgbot.office import Office, connect, make_office, opened_amazon, opened_database, opened_engine
from msgbot.reader import Reader, built_in_reader
from msgbot.reader_process import ReaderProcess
from msgbot.receive import Receive
from msgbot.refresh import Refresh
from msgbot.review import Review
from msgbot.scene import Scenes
from msgbot.senders.webhook import open_sender
from msgbot.service import Service
from msgbot.store import accounts, workers
from msgbot.store.connections import sqlite_file
from msgbot.store.database import Database
from msgbot.store.workers import Lease
from msgbot.webhooks import Webhooks

_POLL_SECONDS = 0.5
"""So often a service looks for work; each look holds up requests for a moment."""
_WRITERS = 4
"""Transactions that a service on PostgreSQL takes messages in with at once; SQLite has one writer."""


class SomebodyWorks(StoreError):
    """Another process works on the database."""


@asynccontextmanager
async def open_desk(settings: Settings, office: Office, clock: Clock = system_clock) -> AsyncIterator[AmazonLink | None]:
    """What brings cancellations and reports to Amazon and back, at work until the block ends; None where a service does that
    already, or no account is connected."""
    try:
        with _alone(settings):
            await _check_nobody_serves(office.database)
            async with AsyncExitStack() as stack:
                link = await connect(stack, settings, office, clock, listens=False)
                if link is not None:
                    at_work = _at_work(office.database, office.engine, link.workflows, "command", lambda: None, lambda: 0.0)
                    await stack.enter_async_context(at_work)
                yield link
    except SomebodyWorks:
        yield None


@asynccontextmanager
async def open_mailroom(settings: Settings, office: Office, outbox: Outbox, clock: Clock = system_clock) -> AsyncIterator[Mailroom]:
    """What takes messages in and answers them. One process at a time may do so on an SQLite file, and none on a PostgreSQL database
    that a service works on: raises StoreError if another does."""
    with _alone(settings):
        await _check_nobody_serves(office.database)
        async with office.database.transaction() as connection:
            await accounts.ensure(connection, settings.account, clock())
        works = _works(settings, office.database, office.engine, outbox, clock, office.refresh, tries_again=False)
        at_work = partial(_at_work, office.database, office.engine, works.workflows, "command", lambda: None, lambda: 0.0)
        yield Mailroom(office.database, office.engine, works.receive, settings.account, at_work)


@asynccontextmanager
async def open_service(settings: Settings, *, work: bool, clock: Clock | None = None) -> AsyncIterator[Service]:
    """The service; with `work`, this process runs workflows. Raises ConfigError, and StoreError when the database cannot be used,
    or is an SQLite file that another process works on."""
    clock = clock or steady_clock()
    key = read_key(settings)
    async with AsyncExitStack() as stack:
        stack.enter_context(_alone(settings))
        database = await stack.enter_async_context(opened_database(settings))
        engine = await stack.enter_async_context(opened_engine(database, _POLL_SECONDS))
        amazon = await stack.enter_async_context(opened_amazon(settings, clock, connected=True))
        office = make_office(settings, database, engine, clock, amazon)
        async with database.transaction() as connection:
            await accounts.ensure(connection, settings.account, clock())
        outbox = FolderOutbox(settings.outbox_folder, by_account=True)
        works = _works(settings, database, engine, outbox, clock, office.refresh, tries_again=True)
        link = await connect(stack, settings, office, clock, listens=work)
        sender = await stack.enter_async_context(open_sender(settings.private_webhooks))
        reading = ReaderProcess(works.reader, beside=settings.reader_process)
        stack.push_async_callback(reading.close)
        intake = Intake(works.receive, writers=1 if database.is_sqlite else _WRITERS)
        service = Service(
            settings=settings,
            clock=clock,
            database=database,
            engine=engine,
            reading=reading,
            intake=intake,
            review=works.review,
            take_orders=office.take_orders,
            cancel=office.cancel,
            audit=office.audit,
            accounts=office.accounts,
            people=office.people,
            webhooks=Webhooks(database, engine, key, clock, private_allowed=settings.private_webhooks),
            key=key,
            refresh=office.refresh,
            fetch_reports=office.fetch_reports,
            amazon_status=AmazonStatus(database, clock, has_queue=bool(settings.amazon.queue_url)),
            link=link,
        )
        stack.push_async_callback(office.people.noted)
        if work:
            workflows = {
                **works.workflows,
                ANSWER: _when_calm(intake, works.workflows[ANSWER]),
                DELIVER: Deliver(database, engine, key, clock, sender).run,
                **(link.workflows if link is not None else {}),
            }
            await stack.enter_async_context(
                _at_work(database, engine, workflows, "service", service.strike_off, service.seconds_left)
            )
            if link is not None:
                await stack.enter_async_context(link.listening())
            await stack.enter_async_context(service.making_rounds())
        await stack.enter_async_context(intake.open())
        yield service


@dataclass(frozen=True, slots=True)
class _Works:
    """What reads, answers and reviews messages."""

    reader: Reader
    receive: Receive
    review: Review
    workflows: Mapping[str, Workflow]


def _works(
    settings: Settings,
    database: Database,
    engine: Engine,
    outbox: Outbox,
    clock: Clock,
    refresh: Refresh,
    *,
    tries_again: bool,
) -> _Works:
    reader = built_in_reader()
    wordings = built_in_replies()
    _check_store_name(wordings, settings.store)
    scenes = Scenes(
        wordings,
        reader.detector.rulebook.thresholds,
        account=settings.account,
        store=settings.store,
        freshness=settings.freshness,
        live=settings.amazon.accounts.keys(),
    )
    receive = Receive(database, engine, reader, clock)
    answer = Answer(
        database, engine, scenes, outbox, clock, undo_seconds=settings.undo_seconds, tries_again=tries_again, refresh=refresh
    )
    review = Review(database, engine, reader, scenes, clock, undo_seconds=settings.undo_seconds)
    return _Works(reader, receive, review, {ANSWER: answer.run, SEND: answer.send_later})


def _when_calm(intake: Intake, workflow: Workflow) -> Workflow:
    """`workflow`, which lets piles of messages go first."""

    async def run(account: str, subjects: Sequence[str]) -> None:
        await intake.calm()
        await workflow(account, subjects)

    return run


@asynccontextmanager
async def _at_work(
    database: Database,
    engine: Engine,
    workflows: Mapping[str, Workflow],
    kind: str,
    on_struck_off: Callable[[], None],
    seconds_left: Callable[[], float],
) -> AsyncIterator[None]:
    """Runs workflows until the block ends: alone on SQLite, as one of the crew on PostgreSQL."""
    if database.is_sqlite:
        async with engine.running(workflows, executor=LOCAL, seconds_left=seconds_left):
            yield
        return
    name = own_name()
    async with Member(Lease(database, name, kind), engine, on_struck_off).working():
        try:
            async with engine.running(workflows, executor=name, seconds_left=seconds_left):
                yield
        finally:
            # What was begun and did not come to its end is for the others, at once.
            await engine.take_over(name)


async def _check_nobody_serves(database: Database) -> None:
    if database.is_sqlite:
        return
    async with database.reading() as connection:
        found = await workers.living(connection, SILENT_SECONDS)
    if found:
        raise SomebodyWorks(f"msgbot works on this database right now ({', '.join(found)}): post messages to its HTTP API instead")


def _check_store_name(replies: Replies, store: str) -> None:
    """Raises ConfigError when no reply could go out under this name."""
    try:
        replies.word(Template.INSTRUCT, "en", (), store)
    except ContentError as error:
        raise ConfigError(f"the setting 'store' cannot stand under a reply to a buyer: {error.faults[0].text}") from error


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Holds the lock that stands beside an SQLite file while the block runs. Raises StoreError when another process holds it."""
    file = sqlite_file(settings.database_address)
    if file is None:
        yield
        return
    path = _lock_of(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        where = f"another msgbot works on {file} right now"
        raise SomebodyWorks(f"{where}: post messages to it, wait for it, or give --data another folder") from error
    try:
        yield
    finally:
        lock.release()


def _lock_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.lock")
