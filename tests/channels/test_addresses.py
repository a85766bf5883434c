"""Addresses in headers: the allow-list of relay addresses rests on these answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.channels.addresses import is_plain, read_addresses, relay_marketplace

RELAY = "a1b2c3+case-9@marketplace.amazon.de"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (RELAY, [("", RELAY)]),
        (f"Jane <{RELAY}>", [("Jane", RELAY)]),
        (f'"Doe, Jane" <{RELAY}>', [("Doe, Jane", RELAY)]),
        (f"{RELAY} (Jane)", [("", RELAY)]),
        ("a@b.example, C <c@d.example>; e@f.example", [("", "a@b.example"), ("C", "c@d.example"), ("", "e@f.example")]),
        (f"{RELAY} <evil@evil.example>", [(RELAY, "evil@evil.example")]),  # the address is what stands in the brackets
        (f'"{RELAY}" <evil@evil.example>', [(RELAY, "evil@evil.example")]),
        (f'"x <{RELAY}>" <evil@evil.example>', [(f"x {RELAY}", "evil@evil.example")]),
        (f'<evil@evil.example> "x <{RELAY}>"', [("", "evil@evil.example")]),
        (f"evil@evil.example ({RELAY})", [("", "evil@evil.example")]),
        (f"evil@evil.example,{RELAY}", [("", "evil@evil.example"), ("", RELAY)]),
        ('"open quote <a@b.example>', [("open quote", "a@b.example")]),
        ("Jane (open bracket <a@b.example>", [("Jane (open bracket", "a@b.example")]),
        ("Jane <a@b.example", [("", "a@b.example")]),
        ("a@b@c.example", []),
        ("undisclosed-recipients:;", []),
        ("Jane", []),
        ("", []),
    ],
)
def test_reading(value: str, found: list[tuple[str, str]]) -> None:
    assert [(entry.name, entry.address) for entry in read_addresses(value)] == found


@pytest.mark.parametrize(
    ("address", "marketplace"),
    [
        (RELAY, "A1PA6795UKMFR9"),
        ("A1B2@Marketplace.Amazon.CO.UK", "A1F83G8C2ARO7P"),
        ("a@marketplace.amazon.co.za", None),  # a marketplace where no relay was seen
        ("a@amazon.de", None),
        ("a@marketplace.amazon.de.evil.example", None),
        ("evil@evil.example,a@marketplace.amazon.de", None),  # two addresses
        ("a b@marketplace.amazon.de", None),
        ("a@marketplace.amazon.de\nBcc: evil@evil.example", None),
        ("@marketplace.amazon.de", None),
        ("", None),
    ],
)
def test_the_allow_list_takes_one_plain_address(address: str, marketplace: str | None) -> None:
    place = relay_marketplace(address)
    assert (place.id if place else None) == marketplace


@given(st.text(alphabet=st.sampled_from('ab@.<>"(),;\\ \t=?-'), max_size=60))
def test_any_value_gives_plain_addresses(value: str) -> None:
    assert all(is_plain(entry.address) for entry in read_addresses(value))
