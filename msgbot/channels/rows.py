"""A row of a table of messages (a JSON object, a line of a CSV file) to a `Message`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from msgbot.amazon import marketplaces
from msgbot.channels.addresses import is_plain, read_addresses, relay_marketplace
from msgbot.channels.decoding import storable
from msgbot.channels.headers import MAX_ID, read_date
from msgbot.channels.mail import MAX_NAME, MAX_SUBJECT, MAX_WORDS, content_id
from msgbot.channels.relay import read_words
from msgbot.domain.message import Kind, Message, Source, order_ids_in
from msgbot.errors import InputError

FIELDS: dict[str, tuple[str, ...]] = {
    # what a row may say, and the names it may say it under; letter case, blanks and hyphens in a name don't matter
    "id": ("id", "message_id"),
    "text": ("text", "body"),
    "orders": ("order_ids", "order_id"),
    "from": ("from", "buyer"),
    "to": ("to",),
    "subject": ("subject",),
    "sent_at": ("sent_at", "date"),
    "language": ("language", "lang"),
    "marketplace": ("marketplace",),
    "direction": ("direction",),
}
DIRECTIONS = {"": Kind.BUYER, "inbound": Kind.BUYER, "outbound": Kind.SELLER}


def field_name(written: str) -> str:
    """`Order-ID ` as `order_id`."""
    return written.strip().lower().replace(" ", "_").replace("-", "_")


def read_row(
    row: Mapping[str, object], raw: bytes, *, account: str, own_addresses: frozenset[str] = frozenset(), origin: str = ""
) -> Message:
    """The message in a row, whose bytes are `raw`. Raises InputError that says what the row lacks.

    A row with no address at all is still a buyer's: its answer can be suggested, though not sent.
    """
    given = {field_name(name): value for name, value in row.items()}
    values = {
        field: next((_plain(given[name]) for name in names if _plain(given.get(name))), "") for field, names in FIELDS.items()
    }
    return message_of(values, raw, account=account, own_addresses=own_addresses, origin=origin)


def message_of(
    values: Mapping[str, str],
    raw: bytes,
    *,
    account: str,
    own_addresses: frozenset[str] = frozenset(),
    source: Source = Source.FILE,
    origin: str = "",
    request_id: str = "",
) -> Message:
    """The message that says `values`, one for each of FIELDS, empty where there is none. Raises InputError that says what is
    lacking."""
    if not values["text"]:
        raise InputError("no words: a field `text` (or `body`) is needed")
    if values["direction"].lower() not in DIRECTIONS:
        raise InputError(f"direction is {values['direction']!r}: it is inbound (from the buyer) or outbound (from the seller)")
    flaws: list[str] = []
    sender, name = _address(values["from"])
    receiver, _ = _address(values["to"])
    kind, note = _kind(DIRECTIONS[values["direction"].lower()], sender, frozenset(each.lower() for each in own_addresses))
    ours, buyer = (sender, receiver) if kind is Kind.SELLER else (receiver, sender)
    subject = " ".join(values["subject"].split())[:MAX_SUBJECT]
    framed = read_words(values["text"][:MAX_WORDS])
    return Message(
        account=account,
        id=values["id"] if 0 < len(values["id"]) <= MAX_ID else content_id(raw),
        kind=kind,
        source=source,
        text=framed.words,
        sent_at=_moment(values["sent_at"], flaws),
        order_ids=tuple(
            dict.fromkeys(order_ids_in(f"{values['orders']} {subject}") + framed.order_ids + order_ids_in(framed.words))
        ),
        buyer_address=buyer if relay_marketplace(buyer) else "",
        buyer_name=name[:MAX_NAME],
        own_address="" if relay_marketplace(ours) else ours,
        subject=subject,
        marketplace=_marketplace(values["marketplace"], buyer, flaws),
        language=values["language"].lower(),
        note=note,
        flaws=tuple(flaws),
        origin=origin,
        request_id=request_id,
    )


def _plain(value: object) -> str:
    """A field's value as text; a list with blanks between its members, nothing for what is absent."""
    if isinstance(value, list):
        return " ".join(filter(None, map(_plain, value)))
    return storable(str(value)).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _address(written: str) -> tuple[str, str]:
    """The address and the name in a field. What looks like an address but is none stays as it is, and fits no allow-list."""
    if is_plain(written):
        return written, ""
    entry = next(iter(read_addresses(written)), None)
    if entry is not None:
        return entry.address, entry.name
    return (written, "") if "@" in written else ("", written)


def _kind(direction: Kind, sender: str, own: frozenset[str]) -> tuple[Kind, str]:
    if direction is Kind.SELLER:
        return Kind.SELLER, "the row says that it is outbound"
    if sender.lower() in own:
        return Kind.SELLER, "the sender is one of our own addresses"
    if not sender:
        return Kind.BUYER, "the row names no address: an answer can only be suggested"
    place = relay_marketplace(sender)
    if place is not None:
        return Kind.BUYER, f"a buyer wrote through {place.relay_domain}"
    return Kind.STRANGER, f"{sender[:200]} is not a relay address of Amazon's"


def _moment(written: str, flaws: list[str]) -> datetime | None:
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        found = read_date(written)
        if found is None:
            flaws.append(f"date not understood: {written[:100]}")
        return found


def _marketplace(written: str, buyer: str, flaws: list[str]) -> str:
    place = marketplaces.by_id(written) or marketplaces.by_domain(written)
    if written and place is None:
        flaws.append(f"marketplace not known: {written[:100]}")
    place = place or relay_marketplace(buyer)
    return place.id if place else ""
