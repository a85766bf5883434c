"""The store, on real SQLite and real PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from msgbot.domain.conversation import Turn
from msgbot.domain.message import Kind, Message, Source
from msgbot.domain.order import Canceller, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.domain.policy import Template
from msgbot.domain.trail import EntryKind, verify
from msgbot.domain.verdict import Intent, Reading, Span, Verdict
from msgbot.errors import ConfigError, StoreError
from msgbot.store import messages, orders, replies, trail
from msgbot.store.database import Database, open_database
from msgbot.store.orders import combine
from msgbot.store.replies import Reply, ReplyState
from msgbot.store.schema import metadata
from msgbot.store.values import items_from_json, items_to_json

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NO, YES, UNKNOWN = RequestKnowledge.NO, RequestKnowledge.YES, RequestKnowledge.UNKNOWN
SPAN = Span(0, 6, "cancel", "cancel")
VERDICT = Verdict(
    Intent.REQUEST,
    0.9,
    "asks/en",
    "asks",
    (SPAN,),
    (Reading("r", Intent.NONE, 0.5, "s", (SPAN,), "en"),),
    "en",
    (SPAN,),
    True,
    False,
    ("cut",),
)


def message(number: int = 1, **changes: object) -> Message:
    made = Message(
        account="main",
        id=f"<{number}@a>",
        kind=Kind.BUYER,
        source=Source.MAIL,
        text="please cancel",
        sent_at=NOW,
        order_ids=("A",),
        buyer_address="b+1@marketplace.amazon.com",
        buyer_name="Jane",
        own_address="me@s.example",
        subject="Inquiry",
        references=("<0@a>",),
        marketplace="ATVPDKIKX0DER",
        language="en",
        note="a note",
        flaws=("a flaw",),
        origin="inbox.mbox message 1",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def order(*items: OrderItem, status: OrderStatus = OrderStatus.UNSHIPPED, hours: float = 0, source: str = "one") -> Order:
    return Order(
        "main", "A", status, Fulfilment.SELLER, NOW + timedelta(hours=hours), source, items, "ATVPDKIKX0DER", NOW, NOW, NOW
    )


async def test_the_migrations_make_the_tables_that_the_code_describes(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        ours = set(metadata.tables)
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, parents: kind != "table" or name in ours, "compare_type": False}
        )
        return list(compare_metadata(context, metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_message_comes_back_as_it_was(database: Database) -> None:
    turn = Turn(message(), VERDICT, solicits=True)
    async with database.transaction() as connection:
        await messages.add(connection, turn, b"raw \0 bytes", NOW)
        assert await messages.get(connection, "main", "<1@a>") == turn
        assert await messages.get(connection, "other", "<1@a>") is None


async def test_a_message_is_on_file_once(database: Database) -> None:
    async with database.transaction() as connection:
        await messages.add(connection, Turn(message(), VERDICT), b"", NOW)
    with pytest.raises(IntegrityError):
        async with database.transaction() as connection:
            await messages.add(connection, Turn(message(), VERDICT), b"", NOW)


async def test_what_databases_refuse_is_made_storable(database: Database) -> None:
    """NUL and half a surrogate pair come in from broken mail; the raw message keeps them."""
    odd = message(text="a\0b \ud83d c", subject="\0", buyer_name="\udfff")
    async with database.transaction() as connection:
        await messages.add(connection, Turn(odd, replace(VERDICT, says="\0")), b"", NOW)
        turn = await messages.get(connection, "main", odd.id)
    assert turn is not None
    assert turn.message.text == "a\ufffdb ? c"


async def test_a_mail_without_an_order_id_belongs_to_the_one_order_of_its_buyer(database: Database) -> None:
    lone = message(2, order_ids=())
    async with database.transaction() as connection:
        await messages.add(connection, Turn(message(1), VERDICT), b"", NOW)
        await messages.add(connection, Turn(lone, VERDICT), b"", NOW)
        assert await messages.orders_of(connection, lone) == ("A",)
        assert [turn.message.id for turn in (await messages.about_order(connection, "main", "A")).turns] == ["<1@a>", "<2@a>"]
        # With a second order nobody can say which one is meant.
        await messages.add(connection, Turn(message(3, order_ids=("B",)), VERDICT), b"", NOW)
        assert await messages.orders_of(connection, lone) == ()
        assert [turn.message.id for turn in (await messages.about_order(connection, "main", "A")).turns] == ["<1@a>"]


@pytest.mark.parametrize(
    ("known", "read", "status", "as_of_hours"),
    [
        # newer facts replace older ones
        (order(hours=0), order(status=OrderStatus.SHIPPED, hours=1), OrderStatus.SHIPPED, 1),
        # a reading that cannot tell the status leaves it, and its age, as they were
        (order(hours=0), order(status=OrderStatus.UNKNOWN, hours=1), OrderStatus.UNSHIPPED, 0),
        (order(status=OrderStatus.UNKNOWN), order(status=OrderStatus.UNKNOWN, hours=1), OrderStatus.UNKNOWN, 1),
    ],
)
def test_what_is_known_of_an_order_after_another_reading(known: Order, read: Order, status: OrderStatus, as_of_hours: int) -> None:
    combined = combine(known, read)
    assert (combined.status, combined.as_of) == (status, NOW + timedelta(hours=as_of_hours))


def test_items_of_two_reports_are_put_together() -> None:
    """An all-orders report names items by SKU only; the shipping report names them by id."""
    by_id = order(OrderItem("1", "S1", quantity=1, formal_request=YES), OrderItem("2", "S2", formal_request=NO))
    by_sku = order(OrderItem("", "S2", "ASIN2"), OrderItem("", "S1", "ASIN1"), hours=1)
    expected = (OrderItem("1", "S1", "ASIN1", quantity=1, formal_request=YES), OrderItem("2", "S2", "ASIN2", formal_request=NO))
    assert combine(by_id, by_sku).items == expected
    assert set(combine(by_sku, replace(by_id, as_of=NOW + timedelta(hours=2))).items) == set(expected)


def test_who_cancelled_and_how_many_were_shipped_stays_known() -> None:
    """A report that cannot tell does not unsay what Amazon told."""
    told = OrderItem("1", "S1", cancelled_by=Canceller.BUYER, quantity_shipped=1)
    assert combine(order(told), order(OrderItem("1", "S1"), hours=1)).items == (told,)


@pytest.mark.parametrize(
    ("cancellers", "who"),
    [
        ([], Canceller.UNKNOWN),
        ([Canceller.BUYER, Canceller.BUYER], Canceller.BUYER),
        ([Canceller.AMAZON], Canceller.AMAZON),
        ([Canceller.AMAZON, Canceller.BUYER], Canceller.BUYER),
        # the seller, when it was the seller for any item; and nobody knows, when it is open for one
        ([Canceller.BUYER, Canceller.SELLER, Canceller.UNKNOWN], Canceller.SELLER),
        ([Canceller.BUYER, Canceller.UNKNOWN], Canceller.UNKNOWN),
    ],
)
async def test_who_cancelled_an_order_follows_from_its_items(
    database: Database, cancellers: list[Canceller], who: Canceller
) -> None:
    items = [OrderItem(str(number), cancelled_by=each) for number, each in enumerate(cancellers)]
    async with database.transaction() as connection:
        await orders.put(connection, "main", [order(*items, status=OrderStatus.CANCELLED)])
        known = await orders.get(connection, "main", "A")
        column = (await connection.execute(select(metadata.tables["orders"].c.cancelled_by))).scalar_one()
    assert known is not None
    assert known.items == tuple(items)
    assert (known.cancelled_by, column) == (who, who.value)


@pytest.mark.parametrize(
    ("known_hours", "read_hours", "expected"),
    [(0, 1, 0), (None, 1, None), (0, None, 0), (2, 1, 1)],
)
def test_a_reading_of_some_items_keeps_the_others(known_hours: int | None, read_hours: int | None, expected: int | None) -> None:
    """A page of items, or a notification about one. What is known of all items is as old as the oldest of it."""

    def told(hours: int | None) -> datetime | None:
        return NOW + timedelta(hours=hours) if hours is not None else None

    known = replace(order(OrderItem("1", "S1", formal_request=NO), OrderItem("2", "S2")), request_as_of=told(known_hours))
    combined = combine(known, replace(order(OrderItem("2", "S2", formal_request=YES), hours=1), request_as_of=told(read_hours)))
    assert {item.id: item.formal_request for item in combined.items} == {"1": NO, "2": YES}
    assert combined.request_as_of == told(expected)


async def test_who_cancelled_and_what_was_shipped_stays_on_file(database: Database) -> None:
    item = OrderItem("1", "S1", quantity=2, cancelled_by=Canceller.BUYER, quantity_shipped=1)
    async with database.transaction() as connection:
        await orders.put(connection, "main", [order(item)])
        await orders.put(connection, "main", [order(OrderItem("1", "S1"), hours=1)])
        known = await orders.get(connection, "main", "A")
    assert known is not None
    assert known.items == (item,)


def test_items_of_earlier_releases_are_read() -> None:
    [plain] = items_to_json((OrderItem("1", "S1", formal_request=YES),))
    del plain["cancelled_by"], plain["quantity_shipped"]
    assert items_from_json([plain]) == (OrderItem("1", "S1", formal_request=YES),)


async def test_older_facts_do_not_replace_newer_ones(database: Database) -> None:
    async with database.transaction() as connection:
        await orders.put(connection, "main", [order(status=OrderStatus.SHIPPED, hours=2)])
        taken = await orders.put(connection, "main", [order(status=OrderStatus.UNSHIPPED, hours=1)])
        assert taken.older == ("A",)
        known = await orders.get(connection, "main", "A")
    assert known is not None
    assert known.status is OrderStatus.SHIPPED


def reply(number: int, once: str | None) -> Reply:
    identity = f"reply{number}"
    return Reply(
        "main",
        identity,
        f"<{number}@a>",
        "A",
        once,
        Template.INSTRUCT,
        "en",
        ReplyState.PENDING,
        True,
        f"<{identity}@s>",
        "Hi",
        NOW,
    )


async def test_an_order_gets_one_instruction(database: Database) -> None:
    """What the code checks, the database guarantees."""
    async with database.transaction() as connection:
        await replies.add(connection, reply(1, "A:instruction"))
        await replies.add(connection, reply(2, None))
        await replies.add(connection, reply(3, None))
    with pytest.raises(IntegrityError):
        async with database.transaction() as connection:
            await replies.add(connection, reply(4, "A:instruction"))
    async with database.transaction() as connection:
        # One that was stopped leaves its place.
        await replies.settle(connection, reply(1, "A:instruction"), ReplyState.STOPPED, NOW)
        assert await replies.instruction_for(connection, "main", "A") is None
        await replies.add(connection, reply(4, "A:instruction"))


async def test_the_trail_is_append_only_in_the_database_too(database: Database) -> None:
    async with database.transaction() as connection:
        await trail.append(connection, "main", NOW, EntryKind.RULING, {"order": "A"})
    for statement in ("UPDATE trail SET facts = '{}'", "DELETE FROM trail"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction() as connection:
                await connection.execute(text(statement))


async def test_many_writers_make_one_chain(database: Database) -> None:
    async def write(writer: int) -> None:
        for number in range(5):
            async with database.transaction() as connection:
                await trail.append(connection, "main", NOW, EntryKind.RULING, {"writer": writer, "number": number})

    await asyncio.gather(*(write(writer) for writer in range(6)))
    async with database.transaction() as connection:
        entries = [entry async for entry in trail.entries(connection, "main")]
        assert verify("main", entries, await trail.head(connection, "main")) is None
    assert len(entries) == 30


async def test_an_entry_that_is_rolled_back_leaves_no_gap(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            await trail.append(connection, "main", NOW, EntryKind.RULING, {})
            raise RuntimeError

    async with database.transaction() as connection:
        await trail.append(connection, "main", NOW, EntryKind.RULING, {})
    with pytest.raises(RuntimeError):
        await fail()
    async with database.transaction() as connection:
        assert (await trail.append(connection, "main", NOW, EntryKind.RULING, {})).number == 2


@pytest.mark.parametrize("address", ["mysql://x/y", "postgresql+nonsense:///"])
async def test_a_wrong_address_is_a_clear_error(address: str) -> None:
    with pytest.raises((ConfigError, StoreError)):
        await open_database(address)


async def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database " * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        await open_database(tmp_path / "x.db")


async def test_a_newer_schema_is_refused(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer msgbot"):
        await open_database(database.url.render_as_string(hide_password=False))


async def test_reading_the_same_again_changes_nothing(database: Database) -> None:
    item = OrderItem("1", "S", formal_request=NO)
    first = replace(order(item), request_as_of=NOW)
    again = replace(order(item, hours=1), request_as_of=NOW + timedelta(hours=1))
    async with database.transaction() as connection:
        await orders.put(connection, "main", [first])
        taken = await orders.put(connection, "main", [again])
        assert (taken.new, taken.changed) == ((), ())
        assert await orders.get(connection, "main", "A") == again
