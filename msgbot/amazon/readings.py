"""Several readings of one order in one file: made one order, and no formal request lost where they contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from msgbot.amazon.order_words import all_known
from msgbot.domain.order import Order, OrderItem, OrderStatus, RequestKnowledge

_MOMENT = timedelta(microseconds=1)
"""So much older than its file counts what another part of the file takes back: the newest word on a request decides."""
_Saying: TypeAlias = tuple[datetime | None, OrderItem]
"""What one reading says of an item, and when the order had last changed."""


@dataclass(frozen=True, slots=True)
class Merged:
    """One order out of several readings.

    `contradicted` is what other readings say of formal requests, to be filed before the order, one after the other. `unclear` are
    the ids of items whose readings contradict each other, and none is known to be newer: their formal requests are unknown."""

    order: Order
    contradicted: tuple[Order, ...] = ()
    unclear: tuple[str, ...] = ()


def merge(readings: Sequence[Order]) -> Merged:
    """What the readings say together: headers and items may come apart, and items on several pages. Of readings that tell the same
    kind of thing the one with the latest update counts; a formal request may be filed, or taken back, between two."""
    if len(readings) == 1:
        return Merged(readings[0])
    readings = sorted(readings, key=_changed)
    said: dict[str, list[_Saying]] = {}
    for reading in readings:
        for item in reading.items:
            said.setdefault(item.id, []).append((reading.updated_at, item))
    items = {item_id: _item(sayings) for item_id, sayings in said.items()}
    whole = tuple(items.values())
    header = next((each for each in reversed(readings) if each.status is not OrderStatus.UNKNOWN), readings[-1])
    order = replace(header, items=whole, request_as_of=header.as_of if all_known(whole) else None)
    if all(len(_words([item for _, item in sayings])) < 2 for sayings in said.values()):
        return Merged(order)
    unclear = tuple(item_id for item_id, sayings in said.items() if len(_words(_newest(sayings))) > 1)
    told = [next(item for _, item in said[each] if item.formal_request is RequestKnowledge.YES) for each in unclear]
    denied = [items[each] for each in unclear]
    return Merged(order, (*_older(readings), *disputed(order, told, denied)), unclear)


def disputed(order: Order, told: Sequence[OrderItem], denied: Sequence[OrderItem]) -> tuple[Order, ...]:
    """Readings of `order` to be filed one after the other: its items as those parts of the file tell of them that say yes, and then
    those items of which others do not. Nothing where no part says yes. The order's status is left out: it excuses no
    contradiction."""
    if not any(item.formal_request is RequestKnowledge.YES for item in told):
        return ()
    bare = replace(order, status=OrderStatus.UNKNOWN, request_as_of=None)
    readings = [replace(bare, as_of=order.as_of - _MOMENT, items=tuple(told))]
    if denied:
        denials = (replace(item, formal_request=RequestKnowledge.NO, cancel_reason="") for item in denied)
        readings.append(replace(bare, items=tuple(denials)))
    return tuple(readings)


def _older(readings: Sequence[Order]) -> tuple[Order, ...]:
    """The readings that a newer one follows, each as of the last change that it knew."""
    newest = readings[-1].updated_at
    return tuple(
        replace(each, as_of=min(each.updated_at, each.as_of - _MOMENT))
        for each in readings
        if each.updated_at is not None and newest is not None and each.updated_at < newest
    )


def _item(sayings: Sequence[_Saying]) -> OrderItem:
    last, newest = sayings[-1][1], _newest(sayings)
    if len(_words(newest)) > 1:
        return replace(last, formal_request=RequestKnowledge.UNKNOWN, cancel_reason="")
    if newest and last.formal_request is RequestKnowledge.UNKNOWN:
        return replace(last, formal_request=newest[-1].formal_request, cancel_reason=newest[-1].cancel_reason)
    return last


def _newest(sayings: Sequence[_Saying]) -> list[OrderItem]:
    """Of those that tell of a formal request the ones that no other is known to be newer than."""
    telling = [each for each in sayings if each[1].formal_request is not RequestKnowledge.UNKNOWN]
    newest = max((at for at, _ in telling if at is not None), default=None)
    return [item for at, item in telling if at is None or at == newest]


def _words(items: Sequence[OrderItem]) -> set[RequestKnowledge]:
    return {item.formal_request for item in items} - {RequestKnowledge.UNKNOWN}


def _changed(order: Order) -> float:
    return order.updated_at.timestamp() if order.updated_at is not None else float("-inf")
