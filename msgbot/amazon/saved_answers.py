"""Saved answers: what Amazon's order interfaces once answered, kept in files by hand or by other programs.

MWS answers in XML, and answers of the Orders API v0 and 2026-01-01 in JSON: one, a list of them, or one a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from typing_extensions import TypedDict

from msgbot.amazon import orders_v0, orders_v2026
from msgbot.amazon.fields import Fields
from msgbot.amazon.json_documents import json_text, read_json_values
from msgbot.amazon.mws_orders import read_mws_answer
from msgbot.amazon.order_page import OrderPage, refuse_errors
from msgbot.amazon.readings import merge
from msgbot.amazon.xml_documents import xml_text
from msgbot.domain.order import Fulfilment, Order, OrderStatus
from msgbot.errors import InputError

_WEB_PAGE = re.compile(r"(<\?xml[^>]*>|<!--.*?-->|\s)*<(!doctype\s+)?html", re.IGNORECASE | re.DOTALL)
_EXPECTED = "answers of getOrders, getOrder, getOrderItems (v0), searchOrders or getOrder (2026-01-01)"


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """What the answers in one file say together: every order once, with what any of them tells.

    `kind` names the operations. `answers` counts the answers in the file. `flaws` are orders and answers that could not be read,
    with path and reason; `notes` are sentences for the user. `contradicted` are what `ReadFile`
    says.
    """

    kind: str
    answers: int
    orders: tuple[Order, ...]
    flaws: tuple[str, ...]
    notes: tuple[str, ...]
    contradicted: tuple[Order, ...] = ()


class _Reading(TypedDict):
    """Whose facts are read, from where, and when they were true."""

    account: str
    source: str
    as_of: datetime


def read_saved(data: bytes, *, account: str, source: str, as_of: datetime) -> SavedAnswer | None:
    """The orders in a file of answers; None when it is neither JSON nor XML, or a web page.

    Whether an answer of the Orders API 2026-01-01 was asked for with includedData=CANCELLATION is not in the answer: the formal
    requests of an order are known when any item of it has `cancellation`, otherwise unknown, never "no".

    Raises InputError when it is JSON or XML but no such answer, is cut off, or is an error that Amazon answered with; among several
    answers those that can be read count, and the others are flaws.
    """
    reading = _Reading(account=account, source=source, as_of=as_of)
    if json_text(data[:400]).lstrip().startswith(("{", "[")):
        return _read_json(data, reading)
    start = xml_text(data[:4000]).lstrip()
    if start.startswith("<") and not _WEB_PAGE.match(start):
        answer = read_mws_answer(data, **reading)
        return _together([(f"{answer.operation} (MWS)", answer.page)], 1, [])
    return None


def _read_json(data: bytes, reading: _Reading) -> SavedAnswer:
    source = reading["source"]
    values = read_json_values(data, source)
    answers = [each for value in values for each in (value if isinstance(value, list) else [value])]
    if not answers:
        raise InputError(f"the JSON holds nothing; expected {_EXPECTED}", file=source, line=1, column=1)
    pages = []
    faults = []
    for number, answer in enumerate(answers, start=1):
        try:
            pages.append(_read(answer, reading))
        except InputError as error:
            faults.append(f"answer {number}: {error}" if len(answers) > 1 else str(error))
    if not pages:
        raise InputError(faults[0], file=source, line=1, column=1)
    return _together(pages, len(answers), faults)


def _read(answer: object, reading: _Reading) -> tuple[str, OrderPage]:
    """The name of the operation that gave an answer, and what the answer says."""
    fields = Fields(answer)
    payload = fields.within("payload") if fields.get("payload") is not None else fields
    for holder, name, operation, read in _OPERATIONS:
        if (fields if holder == "answer" else payload).has(name):
            return operation, read(answer, reading)
    refuse_errors(fields)
    raise InputError(f"this is JSON, but none of the answers that msgbot reads; expected {_EXPECTED}")


def _v0_orders(answer: object, reading: _Reading) -> OrderPage:
    return orders_v0.read_page(answer, **reading)


def _v0_order(answer: object, reading: _Reading) -> OrderPage:
    notes: list[str] = []
    return OrderPage((orders_v0.read_order(answer, **reading, notes=notes),), notes=tuple(notes))


def _v0_items(answer: object, reading: _Reading) -> OrderPage:
    page = orders_v0.read_items(answer)
    bare = Order(id=page.order_id, status=OrderStatus.UNKNOWN, fulfilment=Fulfilment.UNKNOWN, **reading)
    return OrderPage((orders_v0.with_items(bare, page.items),), page.next_token, notes=page.notes)


def _v2026_orders(answer: object, reading: _Reading) -> OrderPage:
    return orders_v2026.read_page(answer, **reading, asked_for_cancellation=False)


def _v2026_order(answer: object, reading: _Reading) -> OrderPage:
    notes: list[str] = []
    return OrderPage((orders_v2026.read_order(answer, **reading, asked_for_cancellation=False, notes=notes),), notes=tuple(notes))


# The field that shows which operation gave an answer, and where it stands. The first that is there decides.
_OPERATIONS: tuple[tuple[str, str, str, Callable[[object, _Reading], OrderPage]], ...] = (
    ("payload", "Orders", "getOrders (v0)", _v0_orders),
    ("payload", "OrderItems", "getOrderItems (v0)", _v0_items),
    ("payload", "AmazonOrderId", "getOrder (v0)", _v0_order),
    ("answer", "orders", "searchOrders (2026-01-01)", _v2026_orders),
    ("answer", "order", "getOrder (2026-01-01)", _v2026_order),
)


def _together(pages: list[tuple[str, OrderPage]], answers: int, faults: list[str]) -> SavedAnswer:
    notes = dict.fromkeys(note for _, page in pages for note in page.notes)
    readings: dict[str, list[Order]] = {}
    for _, page in pages:
        for order in (*page.repeated, *page.orders):
            readings.setdefault(order.id, []).append(order)
    merged = [merge(each) for each in readings.values()]
    for each in merged:
        for item in each.unclear:
            about = f"a formal request for item {item} of order {each.order.id}"
            notes[f"the answers contradict each other about {about}: unknown"] = None
    orders = tuple(each.order for each in merged)
    if pages[-1][1].next_token:
        notes["the last answer names a next page, which is not in this file"] = None
    untold = sum(1 for order in orders if order.request_as_of is None)
    if 0 < untold < len(orders):
        asked = "it is unknown whether their buyers filed formal requests: the answers do not tell"
        notes[f"of {untold} of {len(orders)} orders {asked}"] = None
    return SavedAnswer(
        kind=", ".join(dict.fromkeys(operation for operation, _ in pages)),
        answers=answers,
        orders=orders,
        flaws=(*faults, *(flaw for _, page in pages for flaw in page.flaws)),
        notes=tuple(notes),
        contradicted=tuple(reading for each in merged for reading in each.contradicted),
    )
