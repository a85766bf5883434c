"""Messages: what a buyer or seller wrote, where it came from, and whether it may be answered at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ORDER_ID = re.compile(r"(?<![\d-])\d{3}-\d{7}-\d{7}(?![\d-])", re.ASCII)
"""An Amazon order id (domain.md section 6). Its first digits do not tell the marketplace."""


def order_ids_in(text: str) -> tuple[str, ...]:
    """The order ids in `text`, each once, in the order they first stand there."""
    return tuple(dict.fromkeys(ORDER_ID.findall(text)))


class Kind(StrEnum):
    """What a message is, judged from its envelope, not its words (domain.md sections 6 and 9)."""

    BUYER = "buyer"
    """A buyer wrote to the seller: the only kind that is read by the detector and may be answered."""
    SELLER = "seller"
    """The copy of an answer that the seller typed in Seller Central, or our own mail coming back."""
    FORMAL_REQUEST_NOTICE = "formal_request_notice"
    """Amazon says that the buyer filed a formal request. A reason to read the order again, never proof."""
    NOTICE = "notice"
    """Any other notice of Amazon's: return, refund, claim, opt-out."""
    BOUNCE = "bounce"
    """A delivery report."""
    AUTOMATIC = "automatic"
    """Auto-reply, mailing list, bulk mail or no-reply sender (RFC 3834)."""
    STRANGER = "stranger"
    """Written by somebody whose address is not one of Amazon's relay addresses."""
    UNREADABLE = "unreadable"
    """Not a mail or message at all; kept, never answered."""


class Source(StrEnum):
    """The channel a message came in by."""

    MAIL = "mail"
    FILE = "file"
    API = "api"


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came in, already reduced to what a person wrote.

    `id` is the sender's own message id, or `sha256:…` over the content where there is none; with `account` it is unique.
    `text` is what the writer wrote, without Amazon's frame and quoted history. `order_ids` are the ids that the message names,
    the one the mail is about (its subject) first. `language` is what the source says of the language, if it does. `marketplace`
    is a marketplace id (domain.md section 7) or empty. `note` says why `kind` is what it is. `flaws` are what could not be read
    as it should.
    """

    account: str
    id: str
    kind: Kind
    source: Source
    text: str
    sent_at: datetime | None = None
    order_ids: tuple[str, ...] = ()
    buyer_address: str = ""
    buyer_name: str = ""
    own_address: str = ""
    subject: str = ""
    references: tuple[str, ...] = ()
    marketplace: str = ""
    language: str = ""
    note: str = ""
    flaws: tuple[str, ...] = ()
    origin: str = ""
    """Where it was read from, for people: `inbox.mbox message 12`."""
    request_id: str = ""
    """The id of the HTTP request that brought it, or empty."""

    @property
    def buyer_key(self) -> str:
        """What stays the same in all of a buyer's relay addresses: `alias@domain`, without the `+case` (domain.md section 6)."""
        return buyer_key_of(self.buyer_address)


def buyer_key_of(address: str) -> str:
    """What stays the same in all of a buyer's relay addresses."""
    alias, at, domain = address.rpartition("@")
    return f"{alias.partition('+')[0]}{at}{domain}".lower()
