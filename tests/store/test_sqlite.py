"""What is peculiar to SQLite: where statements run, and by which index rows are found."""

from __future__ import annotations

import re
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.message import Kind, Message, Source
from msgbot.store import cancellations, formal_requests, messages, orders, replies, rulings
from msgbot.store.database import Database, open_database

ORDER = "302-1234567-1234567"
MESSAGE = Message("main", "<1@a>", Kind.BUYER, Source.MAIL, "hello", None, (ORDER,), "b+1@marketplace.amazon.de")

Question = Callable[[AsyncConnection], Awaitable[Any]]
QUESTIONS: dict[str, Question] = {
    "a message": lambda connection: messages.get(connection, "main", "<1@a>"),
    "known messages": lambda connection: messages.known(connection, "main", ["<1@a>", "<2@a>"]),
    "the conversation about an order": lambda connection: messages.about_order(connection, "main", ORDER),
    "the orders of a buyer": lambda connection: messages.orders_of(
        connection, Message("main", "<1@a>", Kind.BUYER, Source.MAIL, "hello", None, (), "b+1@marketplace.amazon.de")
    ),
    "what a buyer wrote without an order": lambda connection: messages.conversation(connection, MESSAGE, ()),
    "messages about an order": lambda connection: messages.page(
        connection, "main", messages.Filter(order_id=ORDER), None, 50
    ),
    "messages of a buyer": lambda connection: messages.page(
        connection, "main", messages.Filter(buyer="b@marketplace.amazon.de"), None, 50
    ),
    "an order": lambda connection: orders.get(connection, "main", ORDER),
    "formal requests": lambda connection: formal_requests.of_order(connection, "main", ORDER),
    "decisions": lambda connection: replies.decided(connection, "main", ["<1@a>"]),
    "replies to messages": lambda connection: replies.to_messages(connection, "main", ["<1@a>"]),
    "rulings on an order": lambda connection: rulings.of_order(connection, "main", ORDER),
    "cancellations of an order": lambda connection: cancellations.of_orders(connection, "main", [ORDER]),
    "an order's instruction": lambda connection: replies.instruction_for(connection, "main", ORDER),
}  # fmt: skip


@pytest.fixture
async def opened(tmp_path: Path) -> Any:
    database = await open_database(tmp_path / "msgbot.db")
    yield database
    await database.close()


@pytest.mark.parametrize("name", QUESTIONS)
async def test_what_is_on_file_about_one_thing_is_found_by_an_index(opened: Database, name: str) -> None:
    """Also while the database is young: nothing has been counted yet."""
    asked: list[tuple[str, Any]] = []
    async with opened.transaction() as connection:

        def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            asked.append((statement, parameters))

        event.listen(connection.sync_connection, "before_cursor_execute", note)
        await QUESTIONS[name](connection)
        event.remove(connection.sync_connection, "before_cursor_execute", note)
        assert asked
        for statement, parameters in asked:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            for step in (str(row.detail) for row in plan):
                assert not step.startswith("SCAN") or "CONSTANT" in step or "(subquery" in step, step
                assert not re.search(r"\(account=\?\)$", step), f"{step} in {statement}"


async def test_only_what_is_brief_runs_on_the_event_loop(opened: Database) -> None:
    """A statement in a transaction that writes runs here; whatever may wait, in the connection's own thread."""
    threads: dict[str, int] = {}

    def note(name: str) -> int:
        threads[name] = threading.get_ident()
        return 1

    async with opened.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.create_function("note", 1, note)
        await connection.exec_driver_sql("SELECT note('writing')")
        await connection.rollback()
        await connection.execution_options(msgbot_reading=True)
        await connection.exec_driver_sql("SELECT note('reading')")
        await connection.rollback()
        await connection.execution_options(msgbot_reading=False)
        await connection.exec_driver_sql("CREATE TEMP TABLE numbers (number INTEGER)")
        await connection.exec_driver_sql("INSERT INTO numbers VALUES (note(?))", [("many",), ("many",)])
        assert driver.holds_lock
        await connection.commit()
        assert not driver.holds_lock
    here = threading.get_ident()
    assert {name: thread == here for name, thread in threads.items()} == {"writing": True, "reading": False, "many": False}


async def test_an_error_in_a_statement_leaves_the_connection_usable(opened: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        async with opened.engine.begin() as connection:
            await connection.exec_driver_sql("SELECT * FROM nothing_of_the_kind")
    async with opened.transaction() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1
