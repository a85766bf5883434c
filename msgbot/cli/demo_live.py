"""`msgbot demo --live`: the real service, connected to a fake Amazon in the same process, from a buyer's message to the cancelled
order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from msgbot.amazon_check import AmazonCheck
from msgbot.amazon_link import AmazonLink
from msgbot.cancel import Asking, Ruled
from msgbot.channels.mail import read_mail
from msgbot.cli.amazon import print_findings, print_status
from msgbot.cli.guard import print_reasons
from msgbot.cli.hand_over import ENDED, SAID
from msgbot.cli.output import console
from msgbot.clock import system_clock
from msgbot.config import Settings
from msgbot.demo import live
from msgbot.demo.live import ACCOUNT, LAMP, VASE
from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.domain.conversation import Turn
from msgbot.fake_amazon import FakeAmazon
from msgbot.office import open_office
from msgbot.reader import Reader
from msgbot.service import Service
from msgbot.store import formal_requests, orders, replies
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.store.replies import Reply, ReplyState
from msgbot.wiring import open_service

FOLDER = Path("msgbot-demo-live")
_ORIGIN = "msgbot demo --live"
_LOOK_SECONDS = 0.1
_PAUSE = 20.0
"""Seconds after which what was read of an order is read again before it is relied on (refresh.py)."""
_LONGEST = 120.0
"""Seconds: on a machine so slow that this is not enough, the demo says so and ends."""


async def live_demo(folder: Path) -> int:
    """Shows the whole way in about half a minute; the exit code. What it makes is in a new folder below `folder`."""
    out = console()
    fake = live.amazon()
    async with fake.running():
        settings = live.settings(fake, folder / f"run-{system_clock():%Y%m%d-%H%M%S}")
        out.print(f"Amazon is a fake here, at {fake.base} in this process; all else is the real thing.", markup=False)
        out.print("Nothing leaves this machine. It takes about half a minute.")
        try:
            async with asyncio.timeout(_LONGEST):
                whole = await _play(out, fake, settings)
        except TimeoutError:
            out.print(f"[bad]It did not come to its end within {_LONGEST:.0f} seconds[/]: is this machine busy?")
            return 1
    _head(out, "What to look at")
    for line, words in (
        (f"ls {settings.outbox_folder}/{ACCOUNT}", "the answer to the buyer, a mail ready to send"),
        (f"msgbot audit --data {settings.data} --account {ACCOUNT}", "what became of the buyer's message"),
        ("msgbot demo --live", "once more, in a new folder"),
        ("README.md, Connect to Amazon", "the same with your own seller account"),
    ):
        out.print(f"  {line}", markup=False, style="head")
        out.print(f"      {words}", markup=False)
    return 0 if whole else 1


async def _play(out: Console, fake: FakeAmazon, settings: Settings) -> bool:
    """Plays all scenes; whether all of it came out as it should."""
    connected = await _check(out, settings)
    async with open_service(settings, work=True) as service, _reading_often(service.link):
        play = _Play(out, fake, service)
        await play.orders_are_read()
        await play.buyer_writes()
        blocked = await play.seller_cancels()
        await play.buyer_files_request()
        allowed = await play.seller_cancels()
        shipped = await play.order_is_shipped_meanwhile()
        done = allowed.cancellation is not None and await play.comes_to_its_end(allowed.cancellation)
        works = await play.state_and_trail()
        service.stop()
    return connected and not blocked.ruling.allowed and not shipped.ruling.allowed and done and works


async def _check(out: Console, settings: Settings) -> bool:
    _head(out, "1. Is the connection right?", "msgbot amazon check")
    async with open_office(settings, connected=True) as office:
        checks = AmazonCheck(office.amazon, system_clock, settings.amazon) if office.amazon is not None else None
        findings = [each async for each in checks.findings(ACCOUNT)] if checks is not None else []
    print_findings(out, ACCOUNT, findings)
    return bool(findings) and all(each.works for each in findings)


@asynccontextmanager
async def _reading_often(link: AmazonLink | None) -> AsyncIterator[None]:
    """The service looks four times a minute whether orders are to be read; here somebody looks all the time."""

    async def look() -> None:
        while link is not None:
            await link.poll.begin_due()
            await asyncio.sleep(_LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


class _Play:
    """The scenes, in which the buyer, the seller and Amazon act in turn."""

    def __init__(self, out: Console, fake: FakeAmazon, service: Service) -> None:
        self._out = out
        self._fake = fake
        self._service = service
        self._scene = 1
        self._began = service.ticks()

    async def orders_are_read(self) -> None:
        """Amazon is asked for changed orders, and what it lists is on file."""
        self._begin("Orders come in by themselves", "msgbot serve")
        await self._until(self._all_are_on_file)
        self._tell(f"{len(self._fake.orders)} orders are read; every {live.READ_EVERY:.0f} seconds Amazon is asked what changed")

    async def buyer_writes(self) -> None:
        """A mail comes in and is answered."""
        self._begin("A buyer writes a message")
        self._tell(f"{_PAUSE:.0f} seconds pass first: what was read from Amazon a moment ago is not read again")
        await asyncio.sleep(_PAUSE)
        known = len(self._fake.calls)
        raw = live.mail(self._service.clock())
        turn = await self._service.reading.run(len(raw), _read, raw)
        await self._service.intake.take([(turn, raw)])
        self._tell(f"about order {LAMP}: “{live.WORDS}”")
        message_id = turn.message.id
        await self._until(lambda: self._is_answered(message_id))
        if any(call.operation == "getOrder" for call in self._fake.calls[known:]):
            self._tell(f"the order is read from Amazon again: {await self._state_of(LAMP)}")
        reply = await self._reply_to(message_id)
        self._tell("answered:" if reply.delivered_to else f"not answered: {reply.note}")
        for line in reply.body.rstrip().split("\n"):
            self._out.print(f"            │ {line}", markup=False, style="quiet")

    async def seller_cancels(self) -> Ruled:
        """The seller asks for the cancellation, and the guard rules on it."""
        self._begin("The seller cancels", f"msgbot cancel {LAMP} --reason 'Buyer Canceled'")
        return await self._cancel(LAMP)

    async def buyer_files_request(self) -> None:
        """The buyer follows the answer, and msgbot notices."""
        self._begin("The buyer files the formal request at Amazon")
        self._fake.file_request(LAMP, reason="Ordered the wrong size")
        self._tell("filed; nobody tells msgbot")
        await self._until(self._is_requested)
        self._tell(f"noticed: {await self._state_of(LAMP)}")

    async def order_is_shipped_meanwhile(self) -> Ruled:
        """Another buyer has a formal request on file, but the parcel has left."""
        self._begin("Another order has a formal request, too, but was shipped", f"msgbot cancel {VASE} --reason 'Buyer Canceled'")
        self._fake.file_request(VASE)
        self._fake.ship(VASE)
        return await self._cancel(VASE)

    async def comes_to_its_end(self, made: Cancellation) -> bool:
        """Shows what becomes of a cancellation; whether it is done in the end."""
        self._begin(f"What becomes of the cancellation of {LAMP}", f"msgbot cancel {LAMP} --reason 'Buyer Canceled' --wait")
        told: object = None
        while True:
            made = await self._service.cancel.get(ACCOUNT, made.id)
            if told != (made.state, made.note):
                told = (made.state, made.note)
                note = f": {made.note}" if made.note else ""
                self._tell(f"{made.state.value}: it {SAID[made.state]}{note}")
            if made.state in ENDED:
                return made.state is CancellationState.DONE
            await asyncio.sleep(_LOOK_SECONDS)

    async def state_and_trail(self) -> bool:
        """Shows the state of the connection and whether the audit trail holds; whether all is well."""
        self._begin("The state of the connection", "msgbot amazon status")
        status = await self._service.amazon_status.of(ACCOUNT)
        print_status(self._out, status)
        self._begin("The audit trail", "msgbot audit verify")
        [proof] = await self._service.audit.verify(ACCOUNT)
        self._out.print(f"{proof.entries} entries, " + (f"[bad]broken[/]: {proof.broken}" if proof.broken else "the chain holds"))
        return status.works and not proof.broken

    async def _cancel(self, order_id: str) -> Ruled:
        ruled = await self._service.cancel.request(ACCOUNT, Proposal(order_id, CancelReason.BUYER_CANCELED), Asking(_ORIGIN))
        word = "[good]allowed[/]" if ruled.ruling.allowed else "[bad]not allowed[/]"
        self._tell(f"{word}  [quiet]{ruled.ruling.code.value}[/]", markup=True)
        print_reasons(self._out, ruled.ruling)
        return ruled

    def _begin(self, title: str, command: str = "") -> None:
        self._scene += 1
        _head(self._out, f"{self._scene}. {title}", command)

    def _tell(self, text: str, *, markup: bool = False) -> None:
        self._out.print(f"{self._service.ticks() - self._began:6.1f} s  {text}", markup=markup)

    async def _until(self, happened: Callable[[], Awaitable[bool]]) -> None:
        while True:
            if await happened():
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _all_are_on_file(self) -> bool:
        async with self._service.database.reading() as connection:
            return all([await orders.get(connection, ACCOUNT, each) is not None for each in self._fake.orders])

    async def _state_of(self, order_id: str) -> str:
        async with self._service.database.reading() as connection:
            order = await orders.get(connection, ACCOUNT, order_id)
            filed = await formal_requests.of_order(connection, ACCOUNT, order_id)
        status = order.status.value if order is not None else "unknown"
        return f"{status}, {'a' if filed else 'no'} formal request on file"

    async def _is_requested(self) -> bool:
        async with self._service.database.reading() as connection:
            return bool(await formal_requests.of_order(connection, ACCOUNT, LAMP))

    async def _is_answered(self, message_id: str) -> bool:
        async with self._service.database.reading() as connection:
            reply = (await replies.to_messages(connection, ACCOUNT, [message_id])).get(message_id)
        return reply is not None and reply.state is not ReplyState.PENDING

    async def _reply_to(self, message_id: str) -> Reply:
        async with self._service.database.reading() as connection:
            return (await replies.to_messages(connection, ACCOUNT, [message_id]))[message_id]


def _head(out: Console, title: str, command: str = "") -> None:
    out.print()
    out.rule(f"[head]{title}[/]", align="left")
    if command:
        out.print(f"  as with: {command}", markup=False, style="quiet")


def _read(reader: Reader, raw: bytes) -> Turn:
    return reader.read(read_mail(raw, account=ACCOUNT, own_addresses=frozenset({live.OWN_ADDRESS}), origin=_ORIGIN))
