"""Amazon's words about orders, in the spellings of all its interfaces: status, who ships, who cancelled, and the flag for formal
requests (domain.md sections 2 and 3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgbot.amazon.fields import Fields
from msgbot.amazon.marketplaces import by_domain
from msgbot.domain.order import Canceller, Fulfilment, OrderItem, OrderStatus, RequestKnowledge

_STATUS = {
    "pending": OrderStatus.PENDING,
    "pendingavailability": OrderStatus.PENDING,
    "unshipped": OrderStatus.UNSHIPPED,
    "partiallyshipped": OrderStatus.PARTLY_SHIPPED,
    "shipped": OrderStatus.SHIPPED,
    # All of it has been shipped; only the invoice is still to be confirmed.
    "invoiceunconfirmed": OrderStatus.SHIPPED,
    "canceled": OrderStatus.CANCELLED,
    "cancelled": OrderStatus.CANCELLED,
    # Only of orders that Amazon ships for other shops: neither shipped, nor cancelled, nor for the seller to cancel.
    "unfulfillable": OrderStatus.UNKNOWN,
}
_FULFILMENT = {
    "mfn": Fulfilment.SELLER,
    "merchant": Fulfilment.SELLER,
    "afn": Fulfilment.AMAZON,
    "amazon": Fulfilment.AMAZON,
}
_CANCELLER = {"buyer": Canceller.BUYER, "merchant": Canceller.SELLER, "seller": Canceller.SELLER, "amazon": Canceller.AMAZON}


def read_status(fields: Fields, name: str) -> OrderStatus:
    """The status in this field, which must be there. UNKNOWN, with a note, for a word that msgbot does not know."""
    word = fields.required_text(name)
    status = status_of(word)
    if status is None:
        fields.note(name, f'"{word[:40]}" is not a status that msgbot knows: taken as unknown')
    return status or OrderStatus.UNKNOWN


def status_of(word: str) -> OrderStatus | None:
    """The status that `PartiallyShipped` (v0, MWS) or `PARTIALLY_SHIPPED` (v2026) names; None for a word that is not known."""
    return _STATUS.get(word.strip().replace("_", "").lower())


def read_fulfilment(fields: Fields, name: str) -> Fulfilment:
    """Who ships; UNKNOWN where the field is missing and, with a note, where its word is not known."""
    word = fields.text(name)
    if word and fulfilment_of(word) is Fulfilment.UNKNOWN:
        fields.note(name, f'"{word[:40]}" does not say who ships: taken as unknown')
    return fulfilment_of(word)


def fulfilment_of(word: str) -> Fulfilment:
    """Who ships by `MFN`, `AFN`, `MERCHANT` or `AMAZON`; UNKNOWN for any other word."""
    return _FULFILMENT.get(word.strip().lower(), Fulfilment.UNKNOWN)


def read_canceller(fields: Fields, name: str) -> Canceller:
    """Who cancelled; UNKNOWN where the field is missing and, with a note, where its word is not known."""
    word = fields.text(name)
    canceller = _CANCELLER.get(word.lower(), Canceller.UNKNOWN)
    if word and canceller is Canceller.UNKNOWN:
        fields.note(name, f'"{word[:40]}" does not say who cancelled: taken as unknown')
    return canceller


def read_flag(fields: Fields, name: str) -> RequestKnowledge:
    """The flag in this field, the boolean or the word: absent, null, empty and false are no (domain.md section 2), and yes is only
    what says true. Anything else is unknown, with a note."""
    return agreed(fields, name, [flag_in(fields.get(name))])


def flag_in(value: object) -> RequestKnowledge:
    """What a value of JSON says of a flag; `read_flag` says how it is read."""
    if value is None or isinstance(value, bool):
        return RequestKnowledge.YES if value else RequestKnowledge.NO
    return flag_of(value) if isinstance(value, str) else RequestKnowledge.UNKNOWN


def agreed(fields: Fields, name: str, said: Collection[RequestKnowledge]) -> RequestKnowledge:
    """What the places say together that tell of one flag: no where none says anything; unknown, with a note, where they contradict
    each other or one cannot be read."""
    if len(set(said)) > 1 or RequestKnowledge.UNKNOWN in said:
        fields.note(name, "this is neither true nor false: taken as unknown")
        return RequestKnowledge.UNKNOWN
    return next(iter(said), RequestKnowledge.NO)


def flag_of(word: str) -> RequestKnowledge:
    """What the word says: `true` is yes; `false` and nothing are no; any other is unknown."""
    match word.strip().lower():
        case "true":
            return RequestKnowledge.YES
        case "false" | "":
            return RequestKnowledge.NO
    return RequestKnowledge.UNKNOWN


def all_known(items: Iterable[OrderItem]) -> bool:
    """Whether a reading tells of every item whether its buyer filed a formal request. A reading without items tells of none."""
    told = [item.formal_request is not RequestKnowledge.UNKNOWN for item in items]
    return bool(told) and all(told)


def marketplace_of(marketplace_id: str, sales_channel: str = "") -> str:
    """The marketplace's id: as it is given or, without one, that of `Amazon.de`; empty where neither tells."""
    place = None if marketplace_id else by_domain(sales_channel)
    return place.id if place is not None else marketplace_id
