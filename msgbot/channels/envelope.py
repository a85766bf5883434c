"""What a mail is, judged by its headers alone: who may be answered, and who never (domain.md sections 6 and 9, item 5)."""

from __future__ import annotations

import re

from msgbot.amazon import marketplaces
from msgbot.channels.addresses import Address, domain_of, read_addresses, relay_marketplace
from msgbot.channels.headers import Headers
from msgbot.domain.message import Kind

REPLY_HEADER = "X-Msgbot-Reply"
"""The header on every reply of ours: with it our own mail is known when it comes back."""

CONFIRMATION = "BBC_MESSAGE_CONFIRMATION_TO_MERCHANT"
BUYER_WROTE = "BBC_MESSAGE_SENT_TO_MERCHANT"
FORMAL_REQUEST = "BRC_SELLER_NOTIFICATION"

_BOUNCERS = frozenset({"mailerdaemon", "postmaster"})
_ROBOTS = frozenset({"noreply", "donotreply", "autoreply", "autoconfirm", "bounce", "bounces"})
_BULK = frozenset({"bulk", "list", "junk"})
_SUPPRESSED = frozenset({"all", "autoreply", "oof"})
_COMMENT = re.compile(r"\([^()]*\)")


def classify(headers: Headers, own_addresses: frozenset[str] = frozenset()) -> tuple[Kind, str]:
    """The kind of a mail with these headers, and one plain sentence why. The first rule that fits decides.

    `own_addresses` are the seller's, in small letters. Where From names no single sender, nobody is taken for the sender.
    """
    senders = read_addresses(headers.first("from"))
    sender = senders[0].address if len(senders) == 1 and len(headers.all("from")) == 1 else ""
    role = _role(sender)
    if bounce := _bounce(headers, role):
        return Kind.BOUNCE, bounce
    if sender.lower() in own_addresses:
        return Kind.SELLER, "the sender is one of our own addresses"
    if headers.first(REPLY_HEADER):
        return Kind.SELLER, "our own reply came back"

    types = {value.upper() for value in headers.all("x-space-notification-type")} - {""}
    if types - {BUYER_WROTE}:
        return _notice(types, sender)
    place = relay_marketplace(sender)
    if types and place is None:
        return Kind.STRANGER, f"marked as a buyer's message, but from {_shown(sender)}"
    if marketplaces.by_domain(domain_of(sender)) is not None:
        return Kind.NOTICE, f"written by Amazon itself: {sender}"

    if automatic := _automatic(headers, role):
        return Kind.AUTOMATIC, automatic
    if place is not None:
        return Kind.BUYER, f"a buyer wrote through {place.relay_domain}" + _reply_to(headers, sender)
    return Kind.STRANGER, f"{sender} is not a relay address of Amazon's" if sender else "From names no single sender"


def _notice(types: set[str], sender: str) -> tuple[Kind, str]:
    if not _is_amazons(sender):
        return Kind.STRANGER, f"forged: a notice of Amazon's from {_shown(sender)}"
    if CONFIRMATION in types:
        return Kind.SELLER, "Amazon's copy of what the seller wrote in Seller Central"
    if types == {FORMAL_REQUEST}:
        local, _, domain = sender.lower().partition("@")
        if local == "donotreply" and marketplaces.by_domain(domain) is not None:
            return Kind.FORMAL_REQUEST_NOTICE, "Amazon says that the buyer filed a formal request: to be checked in the order"
        return Kind.STRANGER, f"forged: formal requests come from Amazon's donotreply address, not from {sender}"
    return Kind.NOTICE, f"a notice of Amazon's: {', '.join(sorted(types))}"


def _bounce(headers: Headers, role: str) -> str:
    if headers.first("content-type").partition(";")[0].strip().lower() == "multipart/report":
        return "a delivery report"
    if "<>" in headers.all("return-path"):
        return "the return path is empty"
    if headers.all("x-failed-recipients"):
        return "it names recipients that failed"
    return "the sender is a mail server" if role in _BOUNCERS else ""


def _automatic(headers: Headers, role: str) -> str:
    """Why this mail was written by a machine (RFC 3834), or empty. Of repeated headers any one that says so is enough."""
    for value in headers.all("auto-submitted"):
        if _COMMENT.sub("", value.partition(";")[0]).strip().lower() not in ("", "no"):
            return f"Auto-Submitted: {value}"
    for value in headers.all("precedence"):
        if value.lower() in _BULK:
            return f"Precedence: {value}"
    for value in headers.all("x-auto-response-suppress"):
        if _SUPPRESSED & {word.strip().lower() for word in value.replace(";", ",").split(",")}:
            return f"X-Auto-Response-Suppress: {value}"
    for name in headers.names():
        if name in ("x-autoreply", "x-autorespond"):
            return "its sender says that it is an automatic reply"
        if name.startswith("list-"):
            return "it came by a mailing list"
    return "the sender reads no answers" if role in _ROBOTS | _BOUNCERS else ""


def _reply_to(headers: Headers, sender: str) -> str:
    others = [entry.address for entry in read_addresses(headers.first("reply-to")) if _is_elsewhere(entry, sender)]
    return f"; it asks for answers to {others[0]}, but only the relay address is answered" if others else ""


def _is_elsewhere(entry: Address, sender: str) -> bool:
    return entry.address.lower() != sender.lower() and relay_marketplace(entry.address) is None


def _role(address: str) -> str:
    """The local part without what people put into `no-reply`, `do_not_reply` and the like."""
    return re.sub(r"[-_.]", "", address.partition("@")[0].partition("+")[0].lower())


def _is_amazons(address: str) -> bool:
    """Whether the domain is Amazon's in a marketplace: `amazon.de` or below it."""
    domain = domain_of(address)
    return any(domain == place.domain or domain.endswith("." + place.domain) for place in marketplaces.MARKETPLACES)


def _shown(address: str) -> str:
    return address or "nobody in particular"
