"""A page of orders as an answer gives it, whichever interface it comes from."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from msgbot.amazon.fields import Fields
from msgbot.domain.order import Order
from msgbot.errors import InputError

_PLACED_ELSEWHERE = re.compile(r"S\d\d-\d{7}-\d{7}")


@dataclass(frozen=True, slots=True)
class OrderPage:
    """The orders of one answer, each once.

    `next_token` asks for the next page; empty on the last one. `updated_before` is the time up to which Amazon has looked for
    changes, where the answer says so. `flaws` are the orders that could not be read, with path and reason; the others are there.
    `notes` are sentences about values that are not known. `repeated` are other readings of orders that the answer lists more than
    once, as one put together by hand may.
    """

    orders: tuple[Order, ...]
    next_token: str = ""
    updated_before: datetime | None = None
    flaws: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    repeated: tuple[Order, ...] = ()


def read_each(
    fields: Fields, name: str, id_name: str, read: Callable[[Fields], Order]
) -> tuple[tuple[Order, ...], tuple[Order, ...], tuple[str, ...]]:
    """The orders in a list of orders, other readings of the same ones, and what is wrong with those that cannot be read."""
    found: dict[str, Order] = {}
    repeated = []
    flaws = []
    for value, path in fields.required_list(name):
        try:
            each = Fields(value, path, fields.notes)
            if _PLACED_ELSEWHERE.fullmatch(each.text(id_name)):
                each.note(id_name, f"{each.text(id_name)} was not placed at Amazon, which only ships it: left out")
                continue
            order = read(each)
        except InputError as error:
            flaws.append(str(error))
            continue
        before = found.get(order.id)
        if before is None or _changed(order) >= _changed(before):
            found[order.id] = order
        if before is not None:
            repeated.append(order if found[order.id] is before else before)
    return tuple(found.values()), tuple(repeated), tuple(flaws)


def _changed(order: Order) -> float:
    return order.updated_at.timestamp() if order.updated_at is not None else 0.0


def refuse_errors(fields: Fields) -> None:
    """Raises InputError for an answer that says that Amazon refused the call (`{"errors": [...]}`), in Amazon's words."""
    errors = fields.get("errors")
    if not isinstance(errors, list) or not errors:
        return
    told = []
    for value, path in fields.required_list("errors"):
        each = Fields(value, path)
        told.append(": ".join(text for text in (each.text("code"), each.text("message")) if text))
    raise InputError(f"this is an error that Amazon answered with, and holds no orders: {'; '.join(told)[:300]}")
