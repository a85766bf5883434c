"""Mail addresses in headers, read so that a display name can never pass for the address.

Not `email.utils.getaddresses`: what it makes of crooked headers differs between Python releases, and the allow-list of relay
addresses (domain.md section 6) rests on this answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from msgbot.amazon import marketplaces
from msgbot.amazon.marketplaces import Marketplace

_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Address:
    """A display name (encoded words still in it, quotes and comments gone) and an address in its original letter case."""

    name: str
    address: str


def read_addresses(value: str) -> tuple[Address, ...]:
    """The addresses of a From, To or Reply-To value, in order. What holds no address is left out; linear in the length."""
    found = []
    for entry in _entries(value):
        name, opening, rest = entry.rpartition("<")
        address, closing, _ = rest.partition(">")
        if not (opening and closing):
            name, address = "", rest
        if is_plain(address.strip()):
            found.append(Address(_name(name), address.strip()))
    return tuple(found)


def is_plain(address: str) -> bool:
    """Whether `address` is one address and nothing else: one `@`, no blanks, quotes, commas or line ends."""
    return _PLAIN.fullmatch(address) is not None


def relay_marketplace(address: str) -> Marketplace | None:
    """The marketplace that relays mail for `address`, or None where it is not a plain address on the allow-list (section 6)."""
    return marketplaces.by_relay_address(address) if is_plain(address) else None


def domain_of(address: str) -> str:
    """The part after the `@`, in small letters."""
    return address.rpartition("@")[2].lower()


def _entries(value: str) -> list[str]:
    """`value` cut at the commas and semicolons between addresses; comments and the angle brackets in quoted names are dropped."""
    # An open quote or comment would swallow every address after it.
    if value.count('"') % 2:
        value = value.replace('"', "")
    has_comments = 0 < value.count("(") == value.count(")")
    entries: list[str] = []
    current: list[str] = []
    quoted = bracketed = False
    depth = 0
    for letter in value:
        if letter == '"':
            quoted = not quoted
        elif quoted:
            if letter not in "<>":
                current.append(letter)
        elif has_comments and letter in "()":
            depth = max(0, depth + (1 if letter == "(" else -1))
        elif depth:
            pass
        elif letter in ",;" and not bracketed:
            entries.append("".join(current))
            current = []
        else:
            if letter in "<>":
                bracketed = letter == "<"
            current.append(letter)
    entries.append("".join(current))
    return entries


def _name(written: str) -> str:
    return " ".join(written.replace("\\", "").split())
