"""Formal requests on file, on real SQLite and real PostgreSQL: once there, they stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from msgbot.domain.order import FormalRequest, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.store import formal_requests, orders
from msgbot.store.database import Database
from msgbot.store.formal_requests import CHUNK, Filed

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NO, YES, UNKNOWN = RequestKnowledge.NO, RequestKnowledge.YES, RequestKnowledge.UNKNOWN
FIRST, LATER = "1" * 64, "2" * 64
SHIPPED, CANCELLED, PARTLY = OrderStatus.SHIPPED, OrderStatus.CANCELLED, OrderStatus.PARTLY_SHIPPED


def order(*items: OrderItem, hours: float = 0, source: str = "one", status: OrderStatus = OrderStatus.UNSHIPPED) -> Order:
    return Order("main", "A", status, Fulfilment.SELLER, NOW + timedelta(hours=hours), source, items)


def says(
    knowledge: RequestKnowledge, hours: float, source: str = "one", status: OrderStatus = OrderStatus.UNSHIPPED, reason: str = ""
) -> Order:
    """A reading that says this of the one item."""
    return order(OrderItem("1", "S", formal_request=knowledge, cancel_reason=reason), hours=hours, source=source, status=status)


async def put(database: Database, *read: Order, evidence: str = LATER) -> Filed:
    async with database.transaction() as connection:
        return await formal_requests.put(connection, "main", read, evidence)


async def on_file(database: Database) -> tuple[FormalRequest, ...]:
    async with database.reading() as connection:
        return await formal_requests.of_order(connection, "main", "A")


@pytest.mark.parametrize(
    ("items", "on_file"),
    [
        ([OrderItem("1", "S", formal_request=YES)], ["1"]),
        ([OrderItem("1", formal_request=NO), OrderItem("2", formal_request=UNKNOWN)], []),
        # rows without item ids: by SKU, and by nothing at all only when the whole order carries the flag
        ([OrderItem("", "S1", formal_request=YES), OrderItem("", "S2", formal_request=NO)], ["sku:S1"]),
        ([OrderItem("", formal_request=YES), OrderItem("", formal_request=YES)], [""]),
        ([OrderItem("", formal_request=YES), OrderItem("", formal_request=NO)], []),
    ],
)
async def test_formal_requests_go_on_file_for_their_items(database: Database, items: list[OrderItem], on_file: list[str]) -> None:
    async with database.transaction() as connection:
        filed = await formal_requests.put(connection, "main", [order(*items)], FIRST)
        again = await formal_requests.put(connection, "main", [order(*items, hours=1)], LATER)
        found = await formal_requests.of_order(connection, "main", "A")
    assert [request.item_id for request in found] == on_file
    assert len(filed.new) == len(on_file)
    assert again == Filed((), (), ())


@pytest.mark.parametrize(
    ("readings", "denied_by"),
    [
        # another source says no, later or at the same time; an older reading denies nothing
        ([says(YES, 1), says(NO, 2, "two")], "two"),
        ([says(YES, 1), says(NO, 1, "two")], "two"),
        ([says(YES, 1), says(NO, 0, "two")], ""),
        # the same source says no: only what is newer denies
        ([says(YES, 1), says(NO, 2)], "one"),
        ([says(YES, 1), says(NO, 1)], ""),
        ([says(YES, 1), says(NO, 0)], ""),
        # what counts is the newest yes, not the first one
        ([says(YES, 1), says(YES, 3), says(NO, 2)], ""),
        ([says(YES, 1), says(YES, 3, "two"), says(NO, 2)], ""),
        ([says(YES, 3), says(YES, 1), says(NO, 2)], ""),
        # a source that cannot tell denies nothing, and neither does one that names other items
        ([says(YES, 1), says(UNKNOWN, 2)], ""),
        ([says(YES, 1), order(OrderItem("2", formal_request=NO), hours=2)], ""),
        ([says(YES, 1), order(hours=2)], ""),
        # Amazon drops the flag when the order is done with
        ([says(YES, 1), says(NO, 2, status=CANCELLED)], ""),
        ([says(YES, 1), says(NO, 2, "two", SHIPPED)], ""),
        ([says(YES, 1), says(NO, 2, status=PARTLY)], "one"),
        # the newest denial is the one that is shown
        ([says(YES, 1), says(NO, 2), says(NO, 3, "two")], "two"),
        ([says(YES, 1), says(NO, 3, "two"), says(NO, 2)], "two"),
        # a later yes clears it; one that is older than the denial, or as old, does not
        ([says(YES, 1), says(NO, 2), says(YES, 3)], ""),
        ([says(YES, 1), says(NO, 2), says(YES, 3, "two")], ""),
        ([says(YES, 1), says(NO, 3), says(YES, 2)], "one"),
        ([says(YES, 1), says(NO, 3), says(YES, 3, "two")], "one"),
        ([says(YES, 1), says(NO, 2), says(NO, 4), says(YES, 3)], "one"),
        # and it can be denied again
        ([says(YES, 1), says(NO, 2), says(YES, 3), says(NO, 4, "two")], "two"),
        # a request for the whole order is denied when all of it is
        ([order(OrderItem("", formal_request=YES)), says(NO, 1, "two")], "two"),
        (
            [
                order(OrderItem("", formal_request=YES)),
                order(OrderItem("1", formal_request=YES), OrderItem("2", formal_request=NO), hours=1),
            ],
            "",
        ),
    ],
)
@pytest.mark.parametrize("together", [False, True])
async def test_the_newest_word_on_a_request_decides_whether_it_is_denied(
    database: Database, readings: list[Order], denied_by: str, together: bool
) -> None:
    """Whether the readings come one by one or in one batch."""
    for batch in [readings] if together else [[reading] for reading in readings]:
        await put(database, *batch)
    (request,) = await on_file(database)
    assert request.denied_by == denied_by
    assert request.denied_evidence == (LATER if denied_by else "")
    assert (request.source, request.seen_at) == (readings[0].source, readings[0].as_of)


ALL_NO = says(NO, 2)


@pytest.mark.parametrize(
    ("newer", "told", "denied_by"),
    [
        # an older yes that comes in after a newer no
        (replace(ALL_NO, request_as_of=ALL_NO.as_of), says(YES, 1, "two"), "one"),
        (replace(ALL_NO, request_as_of=ALL_NO.as_of), order(OrderItem("", "S", formal_request=YES), hours=1), "one"),
        # the no is older than the yes, or as old
        (replace(ALL_NO, request_as_of=ALL_NO.as_of), says(YES, 3, "two"), ""),
        (replace(ALL_NO, request_as_of=ALL_NO.as_of), says(YES, 2, "two"), ""),
        # what is newer is only the header
        (replace(ALL_NO, request_as_of=NOW), says(YES, 1, "two"), ""),
        (ALL_NO, says(YES, 1, "two"), ""),
        # it does not deny this one
        (replace(says(UNKNOWN, 2), request_as_of=NOW + timedelta(hours=2)), says(YES, 1, "two"), ""),
        (replace(says(NO, 2, status=CANCELLED), request_as_of=NOW + timedelta(hours=2)), says(YES, 1, "two"), ""),
        (
            replace(order(OrderItem("2", formal_request=NO), hours=2), request_as_of=NOW + timedelta(hours=2)),
            says(YES, 1, "two"),
            "",
        ),
    ],
)
async def test_a_request_from_an_older_document_is_denied_by_what_is_on_file(
    database: Database, newer: Order, told: Order, denied_by: str
) -> None:
    async with database.transaction() as connection:
        await orders.put(connection, "main", [newer])
        await formal_requests.put(connection, "main", [newer], FIRST)
        await orders.put(connection, "main", [told])
        filed = await formal_requests.put(connection, "main", [told], LATER)
    (request,) = await on_file(database)
    assert (request.denied_by, request.denied_at) == (denied_by, newer.as_of if denied_by else None)
    assert (filed.new, filed.denied) == ((request,), (request,) if denied_by else ())
    # and a still newer yes clears it
    assert len((await put(database, says(YES, 4))).confirmed) == (1 if denied_by else 0)


async def test_a_change_of_mind_is_told_once(database: Database) -> None:
    changes = [
        await put(database, says(knowledge, hours)) for hours, knowledge in enumerate([YES, YES, NO, NO, YES, YES, NO, UNKNOWN])
    ]
    told = [(len(filed.new), len(filed.denied), len(filed.confirmed)) for filed in changes]
    assert told == [(1, 0, 0), (0, 0, 0), (0, 1, 0), (0, 0, 0), (0, 0, 1), (0, 0, 0), (0, 1, 0), (0, 0, 0)]


async def test_what_a_request_and_its_denial_were_read_from_is_kept(database: Database) -> None:
    await put(database, says(YES, 0), evidence=FIRST)
    await put(database, says(YES, 1), evidence=LATER)
    filed = await put(database, says(NO, 2, "two"), evidence=LATER)
    (request,) = await on_file(database)
    assert (request.evidence, request.denied_evidence) == (FIRST, LATER)
    assert filed.denied == (request,)


async def test_a_reason_that_was_not_known_is_filled_in_and_then_stays(database: Database) -> None:
    for hours, reason in enumerate(["", "ordered by mistake", "another"]):
        await put(database, says(YES, hours, reason=reason))
    (request,) = await on_file(database)
    assert request.reason == "ordered by mistake"


async def test_a_request_filed_by_an_earlier_release_can_be_denied(database: Database) -> None:
    await put(database, says(YES, 1))
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE formal_requests SET told_at = NULL, evidence = ''"))
    assert not (await put(database, says(NO, 1))).denied
    assert (await put(database, says(NO, 2))).denied


async def test_requests_of_many_orders_are_filed_and_denied_each_by_itself(database: Database) -> None:
    def read(hours: float, *denied: int) -> list[Order]:
        return [
            Order(
                "main",
                str(number),
                OrderStatus.UNSHIPPED,
                Fulfilment.SELLER,
                NOW + timedelta(hours=hours),
                "one",
                (OrderItem("1", formal_request=NO if number in denied else YES),),
            )
            for number in range(CHUNK + 2)
        ]

    await put(database, *read(0))
    filed = await put(database, *read(1, 0, CHUNK + 1))
    assert [request.order_id for request in filed.denied] == ["0", str(CHUNK + 1)]
    async with database.reading() as connection:
        query = text("SELECT order_id FROM formal_requests WHERE denied_by <> '' ORDER BY order_id")
        assert list((await connection.execute(query)).scalars()) == ["0", str(CHUNK + 1)]
