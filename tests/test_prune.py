"""Pruning: what goes, what stays, and that the record of it all still proves what was done."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from msgbot.audit import Audit
from msgbot.channels.mail import read_mail
from msgbot.domain.conversation import Turn
from msgbot.domain.message import Kind, Message, Source
from msgbot.domain.policy import Action, Decision, Template
from msgbot.domain.trail import Entry, EntryKind
from msgbot.domain.verdict import Intent, Reading, Span, Verdict
from msgbot.engine import Engine
from msgbot.errors import InputError
from msgbot.mailroom import Handled
from msgbot.prune import Prune, Pruned
from msgbot.store import messages, replies, schema, trail
from msgbot.store.database import Database, open_database
from msgbot.store.replies import Reply, ReplyState
from tests.conftest import NOW, Desk
from tests.dump import dump
from tests.mails import OWN, relay_mail, unshipped_report

A, B, C, D = (f"114-000000{number}-0000000" for number in range(1, 5))
OLD = NOW - timedelta(days=31)
ASKS = Verdict(Intent.REQUEST, 0.95, "asks/en", "asks to cancel", language="en")


class NoEngine:
    """Keeps no workflows; remembers up to when they were to be forgotten."""

    def __init__(self) -> None:
        self.forgotten: list[datetime] = []

    async def forget(self, older_than: datetime) -> int:
        self.forgotten.append(older_than)
        return 7


def pruning(database: Database, engine: NoEngine | None = None) -> Prune:
    return Prune(database, engine or NoEngine(), lambda: NOW)  # type: ignore[arg-type]


def message(number: int = 1, **changes: Any) -> Message:
    made = Message(
        "main", f"<{number}@a>", Kind.BUYER, Source.MAIL, "please cancel", OLD, (A,), f"b{number}+1@marketplace.amazon.com"
    )
    return dataclasses.replace(made, **changes)


def reply(number: int, state: ReplyState) -> Reply:
    once = f"{number}:instruction" if state in {ReplyState.SENT, ReplyState.FAILED, ReplyState.PENDING} else None
    return Reply(
        account="main",
        id=f"reply{number}",
        message_id=f"<{number}@a>",
        order_id=A,
        once=once,
        template=Template.INSTRUCT,
        language="en",
        state=state,
        automatic=once is not None,
        mail_id=f"<r{number}@s>",
        body="Hello",
        created_at=OLD,
        sent_at=OLD if state is ReplyState.SENT else None,
        delivered_to="outbox/1.eml" if state is ReplyState.SENT else "",
    )


async def put(
    database: Database,
    *given: Message,
    received: datetime = OLD,
    verdict: Verdict = ASKS,
    decided: bool = True,
    raw: bytes = b"raw",
) -> None:
    """Puts messages on file as if they had been taken in and decided on."""
    async with database.transaction() as connection:
        for each in given:
            await messages.add(connection, Turn(each, verdict), raw, received)
            if decided:
                decision = Decision(Action.NOTHING, "test", ("a reason of ours", each.note))
                await replies.add_decision(connection, each.account, each.id, A, decision, received)


async def put_reply(database: Database, *given: Reply) -> None:
    async with database.transaction() as connection:
        for each in given:
            await replies.add(connection, each)


async def column(database: Database, column: Any) -> list[Any]:
    async with database.reading() as connection:
        return list((await connection.execute(select(column))).scalars())


async def entries(database: Database, kind: EntryKind, account: str = "main") -> list[Entry]:
    async with database.reading() as connection:
        return [entry async for entry in trail.entries(connection, account) if entry.kind is kind]


async def holds(database: Database) -> bool:
    return all(proof.broken is None for proof in await Audit(database, lambda: NOW).verify())


STAYS = {"account", "id", "order_ids", "marketplace", "language", "request_id"}
"""Fields of a message whose text stays. Whatever else is text, also in fields that come to it later, must go."""


def filled() -> tuple[Message, Verdict, list[str]]:
    """A message and a verdict with words of their own in all that is text, and these words."""
    words: list[str] = []

    def word() -> str:
        words.append("zq" + secrets.token_hex(6))
        return words[-1]

    texts: dict[str, Any] = {}
    for field in dataclasses.fields(Message):
        if field.name not in STAYS and field.type in {"str", "tuple[str, ...]"}:
            texts[field.name] = word() if field.type == "str" else (word(), word())
    texts["buyer_address"] = f"{word()}+1@marketplace.amazon.com"

    def spans() -> tuple[Span, ...]:
        return (Span(0, 14, word(), "cancel"), Span(15, 29, word(), "order"))

    against = (Reading("r", Intent.NONE, 0.5, "s", spans(), "en"),)
    return message(**texts), dataclasses.replace(ASKS, evidence=spans(), against=against, part=spans()), words


async def test_nothing_on_file_holds_a_word_of_a_pruned_message(database: Database, tmp_path: Path) -> None:
    made, verdict, words = filled()
    raw = " ".join(words).encode() * 2_000
    await put(database, made, verdict=verdict, raw=raw)
    body, note, place = ("zq" + secrets.token_hex(6) for _ in range(3))
    await put_reply(database, dataclasses.replace(reply(1, ReplyState.SENT), body=body, note=note, delivered_to=place))
    words += [body, note, place]
    everything = "\n".join((await dump(database)).values())
    assert [word for word in words if word not in everything] == []

    await pruning(database).run(30)

    kept = await dump(database)
    assert {table: word for word in words for table, text in kept.items() if word in text} == {}
    if database.is_sqlite:
        # What was deleted is not in the file's free pages either, nor in the log beside it.
        files = b"".join(path.read_bytes() for path in (tmp_path / "store").iterdir())
        assert b"asks/en" in files
        assert [word for word in words if word.encode() in files] == []


async def test_of_a_pruned_message_the_facts_stay(database: Database) -> None:
    made, verdict, _ = filled()
    await put(database, dataclasses.replace(made, order_ids=(A,)), verdict=verdict)
    await pruning(database).run(30)
    async with database.reading() as connection:
        turn = await messages.get(connection, "main", made.id)
        [decided] = (await replies.decided(connection, "main", [made.id])).values()
    assert turn is not None
    assert (turn.pruned_at, turn.received_at) == (NOW, OLD)
    assert turn.message == Message("main", made.id, Kind.BUYER, Source.MAIL, "", OLD, (A,))
    assert turn.verdict.partial
    left = dataclasses.replace(turn.verdict, part=(), against=())
    assert left == ASKS
    assert decided.decision.reasons == ("a reason of ours",)
    assert await column(database, schema.messages.c.salt) == [""]


@pytest.mark.parametrize(
    ("days_ago", "decided", "state", "goes", "then"),
    [
        # what is old enough goes, whatever became of it
        (30.1, True, None, True, None),
        (30.1, True, ReplyState.SENT, True, ReplyState.SENT),
        (30.1, True, ReplyState.STOPPED, True, ReplyState.STOPPED),
        # what could still be sent can no more
        (30.1, True, ReplyState.SUGGESTED, True, ReplyState.STOPPED),
        (30.1, True, ReplyState.FAILED, True, ReplyState.STOPPED),
        # what is under way stays until it is done
        (30.1, False, None, False, None),
        (30.1, True, ReplyState.PENDING, False, ReplyState.PENDING),
        # and so does what is younger
        (29.9, True, ReplyState.SUGGESTED, False, ReplyState.SUGGESTED),
    ],
)
async def test_which_messages_go_and_what_becomes_of_their_replies(
    database: Database, days_ago: float, decided: bool, state: ReplyState | None, goes: bool, then: ReplyState | None
) -> None:
    await put(database, message(), received=NOW - timedelta(days=days_ago), decided=decided)
    before = reply(1, state) if state is not None else None
    if before is not None:
        await put_reply(database, before)
    prune = pruning(database)
    foretold = await prune.dry_run(30)
    pruned = await prune.run(30)
    waits = not goes and days_ago > 30
    assert (pruned.messages, pruned.replies, pruned.waiting) == (int(goes), int(goes and state is not None), int(waits))
    assert dataclasses.replace(foretold, workflows=7) == pruned
    async with database.reading() as connection:
        turn = await messages.get(connection, "main", "<1@a>")
        after = (await replies.to_messages(connection, "main", ["<1@a>"])).get("<1@a>")
    assert turn is not None
    assert (turn.message.text == "", turn.pruned_at is not None) == (goes, goes)
    assert (after.state if after is not None else None) == then
    stopped = await entries(database, EntryKind.REPLY_STOPPED)
    if before is None or after is None:
        assert stopped == []
    elif not goes:
        assert after == before
    elif before.state is then:
        assert after == dataclasses.replace(before, body="", delivered_to="", version=2)
        assert stopped == []
    else:
        assert (after.body, after.once, after.note, after.version) == ("", None, "the message it answers was removed", 2)
        assert [entry.facts for entry in stopped] == [{"reply": "reply1", "message": "<1@a>", "order": A, "because": "pruned"}]


async def test_each_account_has_its_entry_with_the_counts_and_the_limit(database: Database) -> None:
    await put(database, message(1), message(2), message(3, account="other"))
    await put_reply(database, reply(1, ReplyState.SENT))
    pruned = await pruning(database).run(30)
    assert (pruned.messages, pruned.replies, pruned.before) == (3, 1, NOW - timedelta(days=30))
    told = {account: [entry.facts for entry in await entries(database, EntryKind.PRUNED, account)] for account in ("main", "other")}
    limit = {"before": "2026-10-21T12:00:00+00:00", "days": 30}
    assert told == {
        "main": [{**limit, "messages": 2, "replies": 1, "deliveries": 0}],
        "other": [{**limit, "messages": 1, "replies": 0, "deliveries": 0}],
    }
    assert await holds(database)
    # Nothing is left to do, and nothing is recorded of it.
    assert (await pruning(database).run(30)).messages == 0
    assert len(await entries(database, EntryKind.PRUNED)) == 1


async def test_deliveries_go_with_the_messages_and_idempotency_keys_after_a_day(database: Database) -> None:
    delivery: dict[str, Any] = {
        "account": "main", "webhook_id": "w", "event": "x", "payload": "{}", "state": "delivered", "attempts": [],
    }  # fmt: skip
    async with database.transaction() as connection:
        for name, days in (("old", 31), ("young", 29)):
            made = {**delivery, "id": name, "created_at": NOW - timedelta(days=days)}
            await connection.execute(insert(schema.deliveries).values(made))
        for name, hours in (("old", 25), ("young", 23)):
            key = {"actor": "token", "key": name, "fingerprint": "f", "at": NOW - timedelta(hours=hours), "body": b"words"}
            await connection.execute(insert(schema.idempotency_keys).values(key))
    engine = NoEngine()
    pruned = await pruning(database, engine).run(30)
    assert pruned == Pruned(NOW - timedelta(days=30), messages=0, replies=0, deliveries=1, keys=1, workflows=7, waiting=0)
    assert await column(database, schema.deliveries.c.id) == ["young"]
    assert await column(database, schema.idempotency_keys.c.key) == ["young"]
    assert engine.forgotten == [NOW - timedelta(days=30)]


async def test_many_messages_go_in_batches(database: Database) -> None:
    await put(database, *(message(number) for number in range(1_001)))
    steps: list[int] = []
    pruned = await pruning(database).run(30, on_progress=steps.append)
    assert (steps, pruned.messages) == ([500, 1_000, 1_001], 1_001)
    assert sum(int(str(entry.facts["messages"])) for entry in await entries(database, EntryKind.PRUNED)) == 1_001
    assert await column(database, schema.raw_messages.c.message_id) == []


async def test_two_prunes_at_once_beside_writers_do_everything_once(database: Database) -> None:
    await put(database, *(message(number) for number in range(700)))
    await put_reply(database, *(reply(number, ReplyState.SUGGESTED) for number in range(0, 700, 10)))
    done = asyncio.Event()

    async def go_on() -> int:
        number = 1_000
        while not done.is_set():
            await put(database, message(number), received=NOW)
            number += 1
        return number - 1_000

    async def prune() -> tuple[Pruned, Pruned]:
        try:
            return await asyncio.gather(pruning(database).run(30), pruning(database).run(30))
        finally:
            done.set()

    both, written = await asyncio.gather(prune(), go_on())
    assert sum(pruned.messages for pruned in both) == 700
    assert sum(pruned.replies for pruned in both) == len(await entries(database, EntryKind.REPLY_STOPPED)) == 70
    assert Counter(await column(database, schema.messages.c.pruned_at)) == {NOW: 700, None: written}
    assert await holds(database)


async def test_a_suggestion_that_a_person_sends_at_the_same_moment_keeps_its_message(postgres: Callable[[], str]) -> None:
    """On SQLite one of the two waits until the other is done."""
    database = await open_database(postgres())
    await put(database, message(1), message(2))
    await put_reply(database, reply(1, ReplyState.SUGGESTED), reply(2, ReplyState.SUGGESTED))
    async with database.transaction() as sending:
        await sending.execute(update(schema.replies).where(schema.replies.c.id == "reply1").values(state="pending"))
        pruned = asyncio.create_task(pruning(database).run(30))
        while not await waits_for_a_lock(database):  # noqa: ASYNC110 - PostgreSQL sets no event of ours
            await asyncio.sleep(0.01)
    assert ((await pruned).messages, (await pruned).waiting) == (1, 1)
    assert sorted(await column(database, schema.messages.c.text)) == ["", "please cancel"]
    await database.close()


async def waits_for_a_lock(database: Database) -> bool:
    """Whether anybody waits for what another transaction holds."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with database.reading() as connection:
        return bool((await connection.execute(text(query))).scalar_one())


async def test_messages_without_an_order_keep_the_one_that_their_buyers_mails_told(database: Database) -> None:
    """Also the younger one, when the mail that named the order is gone."""
    buyer = "abc+1@marketplace.amazon.com"
    young = message(3, buyer_address=buyer, order_ids=(), sent_at=NOW)
    await put(database, message(1, buyer_address=buyer), message(2, buyer_address=buyer, order_ids=()))
    await put(database, young, received=NOW)
    await put(database, message(4, order_ids=()))
    await pruning(database).run(30)
    async with database.reading() as connection:
        assert [turn.message.id for turn in (await messages.about_order(connection, "main", A)).turns] == [
            "<1@a>",
            "<2@a>",
            "<3@a>",
        ]
        for number, orders in ((2, (A,)), (3, (A,)), (4, ())):
            turn = await messages.get(connection, "main", f"<{number}@a>")
            assert turn is not None
            assert await messages.orders_of(connection, turn.message) == orders
        # What the buyer writes from now on is still about the order of the mail that is young.
        assert await messages.orders_of(connection, young) == (A,)


@pytest.mark.parametrize("days", [0, -1, 40_000])
async def test_a_senseless_number_of_days_is_refused(database: Database, days: int) -> None:
    for asked in (pruning(database).run, pruning(database).dry_run):
        with pytest.raises(InputError, match=f"{days} days"):
            await asked(days)


WORDS = ("Zyxwander", "Birkenfels", "jolanda", "Quombat", "Sonnenkiste", "Vrilhand")
"""What buyers say and are called in the mails below."""


def pile() -> list[bytes]:
    """All that puts words and addresses of a person where they are not expected."""
    buyer = "jolanda1+case@marketplace.amazon.com"
    mails = [
        relay_mail(
            "Please cancel my order, Zyxwander.", order=A, number=1, buyer=buyer, extra="Reply-To: jolanda@private.example\n"
        ),
        relay_mail("Zyxwander! I want to cancel two of the lamps.", order=B, number=2, buyer="jolanda2@marketplace.amazon.com"),
        relay_mail("cancel it if it is not sent, Quombat", order=C, number=3, buyer="jolanda3@marketplace.amazon.com"),
        relay_mail("Sonnenkiste: where is it?", order="", number=4, buyer=buyer),
        relay_mail("please cancel, Quombat", order=D, number=5, extra="References: <jolanda@private.example>\n"),
        relay_mail("please cancel", number=6, buyer="jolanda@private.example"),
        relay_mail("please cancel", number=7, buyer="jolanda4@marketplace.amazon.com", extra="Auto-Submitted: Vrilhand\n"),
        relay_mail("Buyer asks, Quombat", number=8, buyer="jolanda@private.example", notice="BUYER_REQUESTED_CANCELLATION"),
        relay_mail("please cancel, Quombat", order="", number=9, buyer=buyer).replace(b"\nDate: ", b"\nDate: Vrilhand "),
    ]
    return [mail.replace(b"Jane", b"Birkenfels") for mail in mails]


async def post(desk: Desk, *mails: bytes) -> list[Handled]:
    stack, room = await desk.mailroom()
    async with stack:
        taken = await room.take_in((read_mail(raw, account="main", own_addresses=frozenset({OWN})), raw) for raw in mails)
        await room.answer_all()
        return [handled async for handled in room.handled(taken)]


async def test_months_later_the_record_stands_and_the_buyers_are_gone(desk: Desk) -> None:
    """The whole thing: mails of all kinds, answered, pruned, audited, delivered again."""
    database = desk.office.database
    flags = [(A, "1", "FALSE"), (B, "2", "FALSE"), (C, "3", "FALSE")]
    await desk.office.take_orders.report("main", unshipped_report(*flags), "report.txt")
    handled = await post(desk, *pile())
    assert len({each.decided.decision.code for each in handled if each.decided}) >= 5
    filed = unshipped_report((B, "2", "TRUE"))
    await desk.office.take_orders.report("main", filed, "later.txt", desk.now + timedelta(hours=1))
    before = await dump(database)
    assert {word for word in WORDS if any(word in text for text in before.values())} == set(WORDS)
    audited = await desk.office.audit.report("main")

    desk.now += timedelta(days=100)
    engine = Engine(database)
    try:
        pruned = await Prune(database, engine, lambda: desk.now).run(90)
    finally:
        await engine.close()

    assert (pruned.messages, pruned.waiting) == (len(handled), 0)
    kept = await dump(database)
    assert {table: word for word in WORDS for table, text in kept.items() if word in text} == {}
    assert await holds(database)
    again = await desk.office.audit.report("main")
    assert again.outcomes == audited.outcomes
    assert [(case.order_id, case.message.message.id) for case in again.cases] == [
        (case.order_id, case.message.message.id) for case in audited.cases
    ]
    assert {case.order_id: case.outcome.value for case in again.cases} == {A: "open", B: "formal_request", D: "unknown"}
    assert all(case.message.pruned_at == desk.now for case in again.cases)

    replayed = await post(desk, *pile())
    assert [each.new for each in replayed] == [False] * len(handled)
    assert {table: word for word in WORDS for table, text in (await dump(database)).items() if word in text} == {}


@pytest.mark.parametrize(
    ("changes", "new"),
    [
        # the same row, read again
        ({}, False),
        # exports number their rows from 1 each time: another row, which must not be lost
        ({"sent_at": NOW}, True),
        ({"sent_at": None}, True),
        ({"order_ids": (B,)}, True),
        # nothing that is left says otherwise
        ({"order_ids": ()}, False),
    ],
)
async def test_a_row_of_a_file_under_the_id_of_a_pruned_one(desk: Desk, changes: dict[str, Any], new: bool) -> None:
    first = message(source=Source.FILE, id="1")
    await put(desk.office.database, first)
    await pruning(desk.office.database).run(30)
    stack, room = await desk.mailroom()
    async with stack:
        for expected in (new, False):
            [taken] = (await room.take_in([(dataclasses.replace(first, **changes), b"another raw")])).items()
            assert taken == ("1" if not new else "1#" + taken[0].partition("#")[2], expected)


async def test_workflows_that_ended_are_forgotten_and_others_are_not(desk: Desk) -> None:
    database = desk.office.database
    await post(desk, *pile())
    engine = Engine(database)
    try:
        async with database.transaction() as connection:
            await engine.enqueue(connection, "answer", "main", "waits")
        assert await engine.forget(NOW - timedelta(days=1_000)) == 0
        ended = await engine.forget(NOW + timedelta(days=365_000))
        assert ended > 0
        assert await engine.forget(NOW + timedelta(days=365_000)) == 0
    finally:
        await engine.close()
    kept = await dump(database)
    assert kept["workflow_status"].count("answer:main") == 1
    assert "operation_outputs" not in kept
