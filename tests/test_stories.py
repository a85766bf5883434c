"""Stories: what buyers and sellers do over time, told on real SQLite and real PostgreSQL."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgbot.answer import Answer
from msgbot.cancel import Asking
from msgbot.channels.compose import OutgoingReply
from msgbot.channels.mail import read_mail
from msgbot.content.replies import built_in_replies
from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.domain.message import Kind, Message, Source
from msgbot.domain.policy import Action
from msgbot.errors import DeliveryError
from msgbot.mailroom import Handled
from msgbot.reader import built_in_reader
from msgbot.receive import Receive
from msgbot.refresh import Refresh
from msgbot.scene import Scenes
from msgbot.store import messages, replies, trail
from msgbot.store.database import Database, open_database
from msgbot.store.replies import ReplyState
from msgbot.take_orders import TakeOrders
from tests.conftest import NOW, Desk
from tests.mails import OWN, relay_mail, unshipped_report

A, B = "114-0000001-0000001", "114-0000002-0000002"


def read(raw: bytes) -> tuple[Message, bytes]:
    return read_mail(raw, account="main", own_addresses=frozenset({OWN})), raw


async def post(desk: Desk, *mails: bytes) -> list[Handled]:
    """Takes mails in and answers them; what was done about each."""
    stack, room = await desk.mailroom()
    async with stack:
        taken = await room.take_in([read(mail) for mail in mails])
        assert await room.answer_all() == []
        return [handled async for handled in room.handled(taken)]


def codes(handled: Iterable[Handled]) -> list[str]:
    return [each.decided.decision.code if each.decided else "failed" for each in handled]


async def report(desk: Desk, *rows: tuple[str, str, str]) -> None:
    await desk.office.take_orders.report("main", unshipped_report(*rows), "report.txt")


async def test_a_buyer_who_writes_again_after_the_instruction_is_stuck(desk: Desk) -> None:
    await report(desk, (A, "1", "FALSE"))
    first = await post(desk, relay_mail("please cancel my order", at=NOW))
    assert codes(first) == ["instruct"]
    desk.now = NOW + timedelta(days=1)
    again = await post(desk, relay_mail("I still want to cancel my order!", number=2, at=desk.now))
    assert codes(again) == ["stuck"]
    assert len(list(desk.outbox.glob("*.eml"))) == 1


async def test_the_formal_request_makes_the_cancellation_free(desk: Desk) -> None:
    """The whole way: asked, instructed, blocked, filed, allowed."""
    await report(desk, (A, "1", "FALSE"))
    await post(desk, relay_mail("please cancel my order"))
    proposal = Proposal(A, CancelReason.BUYER_CANCELED)
    [blocked] = await desk.office.cancel.rule("main", [proposal], [Asking("test")])
    assert blocked.ruling.code.value == "informal"
    desk.now += timedelta(hours=1)
    await report(desk, (A, "1", "TRUE"))
    [allowed] = await desk.office.cancel.rule("main", [proposal], [Asking("test")])
    assert (allowed.ruling.allowed, allowed.ruling.counts) == (True, False)
    audit = await desk.office.audit.report("main")
    assert {outcome.value: count for outcome, count in audit.outcomes.items() if count} == {"formal_request": 1}
    assert [proof.broken for proof in await desk.office.audit.verify()] == [None]


async def test_a_request_that_a_later_report_denies_is_confirmed_by_one_that_tells_of_it_again(desk: Desk) -> None:
    """The change of mind is on record each time, with what it was read from."""
    proposal = Proposal(A, CancelReason.BUYER_CANCELED)
    ruled = []
    for flag in ("TRUE", "FALSE", "TRUE"):
        desk.now += timedelta(hours=1)
        await report(desk, (A, "1", flag))
        [each] = await desk.office.cancel.rule("main", [proposal], [Asking(f"after {flag}")])
        ruled.append(each.ruling.code.value)
    assert ruled == ["formal_request", "request_denied", "formal_request"]
    async with desk.office.database.reading() as connection:
        entries = [entry async for entry in trail.entries(connection, "main")]
    told = [(entry.kind.value, entry.facts["sha256"]) for entry in entries if entry.kind.value.startswith("formal_request_")]
    yes, no = (hashlib.sha256(unshipped_report((A, "1", flag))).hexdigest() for flag in ("TRUE", "FALSE"))
    assert told == [("formal_request_on_file", yes), ("formal_request_denied", no), ("formal_request_confirmed", yes)]


async def test_a_request_taken_back_while_the_reply_waits_is_not_answered(desk: Desk) -> None:
    await report(desk, (A, "1", "FALSE"))
    desk.settings = desk.settings.model_copy(update={"undo_seconds": 1.5})
    stack, room = await desk.mailroom()
    async with stack:
        first = await room.take_in([read(relay_mail("please cancel my order"))])
        answering = asyncio.create_task(room.answer_all())
        await decided(desk, first)
        await room.take_in([read(relay_mail("Ignore my last message, please ship it.", number=2, at=NOW + timedelta(minutes=1)))])
        assert await answering == []
        [handled] = [each async for each in room.handled(first)]
    assert handled.reply is not None
    assert (handled.reply.state, handled.reply.once) == (ReplyState.STOPPED, None)
    assert "took it back" in handled.reply.note
    assert not list(desk.outbox.glob("*"))


async def decided(desk: Desk, taken: dict[str, bool]) -> None:
    """Returns when all messages are decided on."""
    for _ in range(600):
        async with desk.office.database.transaction() as connection:
            if len(await replies.decided(connection, "main", list(taken))) == len(taken):
                return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody decided")


async def test_a_mail_without_order_id_from_a_known_buyer_joins_the_conversation(desk: Desk) -> None:
    await report(desk, (A, "1", "FALSE"))
    handled = await post(
        desk,
        relay_mail("please cancel my order", number=1),
        relay_mail("Ignore my last message, please ship it.", order="", number=2, at=NOW + timedelta(minutes=1)),
    )
    assert codes(handled) == ["withdrawn_later", "withdrawn"]


async def test_accounts_do_not_see_each_other(desk: Desk) -> None:
    await report(desk, (A, "1", "FALSE"))
    await post(desk, relay_mail("please cancel my order"))
    async with desk.office.database.transaction() as connection:
        assert (await messages.about_order(connection, "other", A)).turns == ()
    assert (await desk.office.audit.report("other")).cases == ()


class Tray:
    """An outbox in memory that remembers what it was asked, and can be told to fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.delivered: list[OutgoingReply] = []
        self.fails = fails

    async def deliver(self, reply: OutgoingReply, at: object) -> str:
        if self.fails:
            raise DeliveryError("the disk is full")
        self.delivered.append(reply)
        return "tray"


class NoEngine:
    """Remembers what is to be answered and leaves it to the test to do so, in any order."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    async def enqueue_many(self, connection: object, workflow: str, account: str, subjects: list[str]) -> None:
        self.waiting += subjects


READER = built_in_reader()


def bench(database: Database, tray: Tray) -> tuple[Receive, Answer, NoEngine]:
    engine = NoEngine()
    wordings = built_in_replies()
    receive = Receive(database, engine, READER, lambda: NOW)  # type: ignore[arg-type]
    scenes = Scenes(wordings, READER.detector.rulebook.thresholds, account="main", store="", freshness=timedelta(hours=24))
    answer = Answer(database, engine, scenes, tray, lambda: NOW, undo_seconds=0, refresh=offline(database))  # type: ignore[arg-type]
    return receive, answer, engine


def offline(database: Database) -> Refresh:
    """What reads orders from Amazon, where no account is connected."""
    return Refresh(database, NoEngine(), order_desk(database), None, lambda: NOW, frozenset(), None)  # type: ignore[arg-type]


def order_desk(database: Database) -> TakeOrders:
    return TakeOrders(database, NoEngine(), lambda: NOW)  # type: ignore[arg-type]


async def play(folder: Path, mails: list[bytes], order: list[int]) -> dict[str, Any]:
    """Takes `mails` in, answers in `order` with every step done twice, and tells the final state."""
    database = await open_database(folder / "msgbot.db")
    tray = Tray()
    try:
        await order_desk(database).report("main", unshipped_report((A, "1", "FALSE"), (B, "2", "FALSE")), "report.txt")
        receive, answer, engine = bench(database, tray)
        for mail in mails:
            await receive.receive([read(mail)])
        for index in order:
            if index < len(engine.waiting):
                for _ in "twice":
                    reply_id = await answer.decide("main", engine.waiting[index])
                    if reply_id and await answer.look_again("main", reply_id):
                        await answer.send("main", reply_id)
        async with database.transaction() as connection:
            decided = await replies.decided(connection, "main", engine.waiting)
        return {
            "decisions": {each.message_id: each.decision.code for each in decided.values()},
            "sent": sorted((reply.order_id, reply.in_reply_to) for reply in tray.delivered),
        }
    finally:
        await database.close()


MAILS = [
    relay_mail("please cancel my order", number=1, buyer="a@marketplace.amazon.com"),
    relay_mail("cancel it now!!", number=2, buyer="a@marketplace.amazon.com", at=NOW + timedelta(minutes=1)),
    relay_mail("Please cancel my order", order=B, number=3, buyer="b@marketplace.amazon.com"),
    relay_mail(
        "Please ignore my last message.", order=B, number=4, buyer="b@marketplace.amazon.com", at=NOW + timedelta(minutes=1)
    ),
    relay_mail("Where is my parcel?", number=5, buyer="a@marketplace.amazon.com", at=NOW + timedelta(minutes=2)),
]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.permutations(range(5)), st.lists(st.integers(0, 4), max_size=3), st.permutations(range(4)))
def test_any_order_and_repetition_of_a_mailbox_ends_the_same(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], again: list[int], answers: list[int]
) -> None:
    final = asyncio.run(play(tmp_path_factory.mktemp("play"), [MAILS[index] for index in [*order, *again]], answers))
    assert final == {
        "decisions": {
            "<0001@email.amazonses.com>": "asked_again_later",
            "<0002@email.amazonses.com>": "instruct",
            "<0003@email.amazonses.com>": "withdrawn_later",
            "<0004@email.amazonses.com>": "withdrawn",
        },
        "sent": [(A, "<0002@email.amazonses.com>")],
    }


async def test_two_messages_answered_at_the_same_moment_get_one_instruction(database: Database) -> None:
    await order_desk(database).report("main", unshipped_report((A, "1", "FALSE")), "report.txt")
    tray = Tray()
    receive, answer, engine = bench(database, tray)
    # Written in the same second: neither is the later one by its time.
    for number in range(4):
        await receive.receive([read(relay_mail("please cancel my order", number=number))])
    answered = await asyncio.gather(*(answer.decide("main", message_id) for message_id in engine.waiting))
    assert len([reply_id for reply_id in answered if reply_id]) == 1


async def test_a_reply_that_cannot_be_delivered_is_shown_as_failed(database: Database) -> None:
    await order_desk(database).report("main", unshipped_report((A, "1", "FALSE")), "report.txt")
    receive, answer, engine = bench(database, Tray(fails=True))
    await receive.receive([read(relay_mail("please cancel my order"))])
    reply_id = await answer.decide("main", engine.waiting[0])
    assert await answer.send("main", reply_id) == "failed"
    async with database.transaction() as connection:
        reply = await replies.get(connection, "main", reply_id.partition(":")[0])
    assert reply is not None
    assert (reply.state, reply.note) == (ReplyState.FAILED, "the disk is full")


async def test_a_failed_reply_is_tried_again_by_the_next_run(desk: Desk) -> None:
    await report(desk, (A, "1", "FALSE"))
    desk.outbox.write_text("in the way")
    stack, room = await desk.mailroom()
    async with stack:
        await room.take_in([read(relay_mail("please cancel my order"))])
        [failure] = await room.answer_all()
        assert "cannot be written" in failure.text
    desk.outbox.unlink()
    assert codes(await post(desk, relay_mail("please cancel my order"))) == ["instruct"]
    assert len(list(desk.outbox.glob("*.eml"))) == 1
    assert [proof.broken for proof in await desk.office.audit.verify()] == [None]


async def test_a_second_request_does_not_silence_the_first_ones_answer(database: Database) -> None:
    """Decided, not yet sent; then the buyer asks again: exactly one instruction goes out."""
    await order_desk(database).report("main", unshipped_report((A, "1", "FALSE")), "report.txt")
    tray = Tray()
    receive, answer, engine = bench(database, tray)
    await receive.receive([read(relay_mail("please cancel my order"))])
    waiting = await answer.decide("main", engine.waiting[0])
    await receive.receive([read(relay_mail("cancel it now!!", number=2, at=NOW - timedelta(minutes=1)))])
    assert await answer.decide("main", engine.waiting[1]) == ""
    assert await answer.look_again("main", waiting) == waiting
    assert await answer.send("main", waiting) == "sent"
    assert len(tray.delivered) == 1


async def test_a_formal_request_that_comes_while_the_reply_waits_leaves_a_suggestion(database: Database) -> None:
    orders = order_desk(database)
    await orders.report("main", unshipped_report((A, "1", "FALSE")), "report.txt")
    receive, answer, engine = bench(database, Tray())
    await receive.receive([read(relay_mail("please cancel my order"))])
    waiting = await answer.decide("main", engine.waiting[0])
    await orders.report("main", unshipped_report((A, "1", "TRUE")), "later.txt")
    assert await answer.look_again("main", waiting) == ""
    async with database.transaction() as connection:
        [decided] = (await replies.decided(connection, "main", engine.waiting)).values()
        [suggested] = (await replies.to_messages(connection, "main", engine.waiting)).values()
    assert decided.decision.code == "request_on_file"
    assert suggested.state is ReplyState.SUGGESTED


async def test_another_case_of_the_same_buyer_joins_the_conversation(desk: Desk) -> None:
    await report(desk, (A, "1", "FALSE"))
    handled = await post(
        desk,
        relay_mail("please cancel my order", number=1, buyer="abc+111@marketplace.amazon.com"),
        relay_mail(
            "Ignore my last message, please ship it.",
            order="",
            number=2,
            buyer="abc+222@marketplace.amazon.com",
            at=NOW + timedelta(minutes=1),
        ),
    )
    assert codes(handled) == ["withdrawn_later", "withdrawn"]


async def test_a_row_under_a_used_id_is_another_message(database: Database) -> None:
    """Exports number their rows from 1 each time."""
    receive, _, engine = bench(database, Tray())
    for order_id, raw in ((A, b"first"), (B, b"second"), (B, b"second")):
        message = Message("main", "1", Kind.BUYER, Source.FILE, "please cancel my order", NOW, (order_id,))
        [received] = await receive.receive([(message, raw)])
    assert not received.new
    assert len(engine.waiting) == 2


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("please cancel my order", "en"),
        ("bitte stornieren Sie meine Bestellung", "de"),
        ("注文をキャンセルしてください", "ja"),
    ],
)
async def test_the_answer_is_in_the_buyers_language(database: Database, words: str, language: str) -> None:
    await order_desk(database).report("main", unshipped_report((A, "1", "FALSE")), "report.txt")
    receive, answer, engine = bench(database, Tray())
    await receive.receive([read(relay_mail(words))])
    reply_id = await answer.decide("main", engine.waiting[0])
    async with database.transaction() as connection:
        reply = await replies.get(connection, "main", reply_id.partition(":")[0])
        [decided] = (await replies.decided(connection, "main", engine.waiting)).values()
    assert reply is not None
    assert (reply.language, decided.decision.action) == (language, Action.SEND)


def test_all_pairs_of_mails_above_are_different() -> None:
    """The stories rest on it: the same id would make two mails one."""
    ids = [read(mail)[0].id for mail in MAILS]
    assert all(left != right for left, right in itertools.combinations(ids, 2))
