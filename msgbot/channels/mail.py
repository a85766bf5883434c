"""A raw mail to a `Message`: the one place where headers, frame and words come together. Parsing only, no fetching."""

from __future__ import annotations

import hashlib
from datetime import datetime

from msgbot.amazon import marketplaces
from msgbot.channels.addresses import domain_of, read_addresses, relay_marketplace
from msgbot.channels.envelope import classify
from msgbot.channels.headers import MAX_ID, Headers, decode_words, message_ids, read_date
from msgbot.channels.mime import Mail, read_mime
from msgbot.channels.relay import read_words
from msgbot.domain.message import Kind, Message, Source, order_ids_in

MAX_WORDS = 200_000
"""Characters of a message that are read: more than any person writes, with all that is quoted below."""
MAX_ADDRESS_FIELDS = 5
"""Fields of one name (To, Cc) that are searched for addresses."""
MAX_SUBJECT = 1_000
MAX_NAME = 200

SUBJECT_NAMES: tuple[str, ...] = (
    # what stands before the buyer's name in the subjects of Amazon's mail, in small letters; the name ends at a bracket
    "from amazon customer ",
    "von amazon-kunde ",
    "de la part du client amazon ",
    "da parte del cliente amazon ",
    "dal cliente amazon ",
    "del cliente de amazon ",
    "do cliente amazon ",
)

NAME_SUFFIXES: tuple[str, ...] = (" - Amazon Marketplace", " via Amazon", " über Amazon", " por Amazon", " tramite Amazon")
"""What Amazon puts behind the buyer's name in From."""

_MAIL_HEADERS = frozenset(
    {"from", "to", "subject", "date", "message-id", "received", "return-path", "mime-version", "content-type"}
)


def read_mail(raw: bytes, *, account: str, own_addresses: frozenset[str] = frozenset(), origin: str = "") -> Message:
    """The message in a raw mail. Never raises: what is no mail comes back with kind UNREADABLE and a flaw that says why."""
    own = frozenset(address.strip().lower() for address in own_addresses)
    try:
        mail = read_mime(raw)
        if not mail.headers.names() & _MAIL_HEADERS:
            return unreadable(raw, account=account, origin=origin, flaw="not a mail: it has none of a mail's headers")
        return _message(mail, raw, account, own, origin)
    except Exception as error:  # whatever a library trips over, one mail must not stop the mailbox, and it must not be lost
        return unreadable(raw, account=account, origin=origin, flaw=f"reading it failed: {error!r}")


def unreadable(raw: bytes, *, account: str, origin: str, flaw: str) -> Message:
    """The message that stands for content nobody could read."""
    return Message(account, content_id(raw), Kind.UNREADABLE, Source.MAIL, "", note=flaw, flaws=(flaw,), origin=origin)


def content_id(raw: bytes) -> str:
    """The id of a message that brings none: `sha256:` and the hash of its content."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _message(mail: Mail, raw: bytes, account: str, own: frozenset[str], origin: str) -> Message:
    headers = mail.headers
    kind, note = classify(headers, own)
    flaws = list(mail.flaws)
    if len(mail.text) > MAX_WORDS:
        flaws.append(f"text longer than {MAX_WORDS} characters, the rest was not read")
    framed = read_words(mail.text[:MAX_WORDS], mail.preformatted[:MAX_WORDS])
    subject = headers.text("subject")[:MAX_SUBJECT]
    buyer_address, buyer_name = _buyer(headers, kind)
    return Message(
        account=account,
        id=_id(headers, raw, flaws),
        kind=kind,
        source=Source.MAIL,
        text=framed.words,
        sent_at=_sent_at(headers, flaws),
        order_ids=tuple(dict.fromkeys(order_ids_in(subject) + framed.order_ids + order_ids_in(framed.words))),
        buyer_address=buyer_address,
        buyer_name=(buyer_name or _name_in(subject))[:MAX_NAME],
        own_address=_own_address(headers, own),
        subject=subject,
        references=message_ids(headers.first("references") + " " + headers.first("in-reply-to")),
        marketplace=_marketplace(headers, buyer_address),
        note=note,
        flaws=tuple(flaws),
        origin=origin,
    )


def _id(headers: Headers, raw: bytes, flaws: list[str]) -> str:
    written = headers.first("message-id")
    ids = message_ids(written)
    if ids:
        return ids[0]
    if written.strip("<> ") and len(written) <= MAX_ID:
        return written
    flaws.append("no message id")
    return content_id(raw)


def _sent_at(headers: Headers, flaws: list[str]) -> datetime | None:
    written = headers.first("date")
    moment = read_date(written)
    if moment is None:
        flaws.append(f"date not understood: {written[:100]}" if written else "no date")
    return moment


def _buyer(headers: Headers, kind: Kind) -> tuple[str, str]:
    """The buyer's relay address in its original letters, and the name beside it. For what the seller wrote, the one it went to."""
    for entry in _addresses(headers, "to", "cc") if kind is Kind.SELLER else _addresses(headers, "from"):
        if relay_marketplace(entry[0]) is not None:
            return entry
    return "", ""


def _own_address(headers: Headers, own: frozenset[str]) -> str:
    """The seller's address that this mail came to or from: one that is known as such, else the first it was sent to."""
    written = [address for address, _ in _addresses(headers, "to", "cc", "delivered-to", "x-original-to", "from")]
    known = [address for address in written if address.lower() in own]
    received = [address for address, _ in _addresses(headers, "to") if relay_marketplace(address) is None]
    return next(iter(known + received), "")


def _marketplace(headers: Headers, buyer_address: str) -> str:
    place = (
        marketplaces.by_id(headers.first("x-marketplace-id"))
        or relay_marketplace(buyer_address)
        or next((marketplaces.by_domain(domain_of(address)) for address, _ in _addresses(headers, "from")), None)
    )
    return place.id if place else ""


def _addresses(headers: Headers, *names: str) -> list[tuple[str, str]]:
    return [
        (entry.address, _bare(entry.name))
        for name in names
        for value in headers.all(name)[:MAX_ADDRESS_FIELDS]
        for entry in read_addresses(value)
    ]


def _bare(name: str) -> str:
    """A display name as a person would say it."""
    name = decode_words(name)
    suffix = next((suffix for suffix in NAME_SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix).strip()


def _name_in(subject: str) -> str:
    for before in SUBJECT_NAMES:
        start = subject.lower().find(before)
        if start >= 0:
            return subject[start + len(before) :].replace("（", "(").partition("(")[0].strip()
    return ""
