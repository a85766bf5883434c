"""Rows of JSON or CSV to messages: which fields they may have, and whom they may be answered to."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.channels.rows import read_row
from msgbot.domain.message import Kind, Message, Source
from msgbot.errors import InputError

RELAY = "a1b2+1f2E@marketplace.amazon.de"
ORDER = "301-0000001-0000001"
RAW = b'{"text": "words"}\n'


def row(**fields: object) -> Message:
    return read_row(
        {"text": "words", **fields}, RAW, account="main", own_addresses=frozenset({"Shop@seller.example"}), origin="x line 1"
    )


def test_every_field() -> None:
    found = row(
        id=17,
        text=f"Please cancel {ORDER}\n\n> our instruction",
        order_ids=["302-0000002-0000002"],
        buyer=f"Jane <{RELAY}>",
        to="shop@seller.example",
        subject="Order  303-0000003-0000003",
        sent_at="2026-09-28T09:00:00-03:00",
        language="EN",
        marketplace="www.amazon.co.uk",
        direction="Inbound",
        account="somebody else's",
    )
    assert found == Message(
        account="main",
        id="17",
        kind=Kind.BUYER,
        source=Source.FILE,
        text=f"Please cancel {ORDER}",
        sent_at=datetime(2026, 9, 28, 12, 0, tzinfo=UTC),
        order_ids=("302-0000002-0000002", "303-0000003-0000003", ORDER),
        buyer_address=RELAY,
        buyer_name="Jane",
        own_address="shop@seller.example",
        subject="Order 303-0000003-0000003",
        marketplace="A1F83G8C2ARO7P",
        language="en",
        note="a buyer wrote through marketplace.amazon.de",
        origin="x line 1",
    )


def test_words_alone_are_enough() -> None:
    found = row()
    assert (found.kind, found.id) == (Kind.BUYER, f"sha256:{hashlib.sha256(RAW).hexdigest()}")
    assert (found.buyer_address, found.note) == ("", "the row names no address: an answer can only be suggested")


@pytest.mark.parametrize(
    ("fields", "kind", "buyer", "own"),
    [
        ({"from": RELAY}, Kind.BUYER, RELAY, ""),
        ({"from": "jane@private.example"}, Kind.STRANGER, "", ""),
        ({"from": f"evil@evil.example,{RELAY}"}, Kind.STRANGER, "", ""),  # the first counts
        ({"from": f"a@b@{RELAY}"}, Kind.STRANGER, "", ""),  # something with an @ that is no address
        ({"from": "Jane Doe"}, Kind.BUYER, "", ""),  # a name and no address
        ({"from": "shop@seller.example", "to": RELAY}, Kind.SELLER, RELAY, "shop@seller.example"),
        ({"direction": "outbound", "to": RELAY}, Kind.SELLER, RELAY, ""),
        ({"direction": "outbound", "from": "other@seller.example"}, Kind.SELLER, "", "other@seller.example"),
        ({"direction": "outbound", "to": "jane@private.example"}, Kind.SELLER, "", ""),
        ({"from": RELAY, "to": RELAY}, Kind.BUYER, RELAY, ""),
        ({"from": None, "direction": None}, Kind.BUYER, "", ""),
    ],
)
def test_who_wrote_to_whom(fields: dict[str, object], kind: Kind, buyer: str, own: str) -> None:
    found = row(**fields)
    assert (found.kind, found.buyer_address, found.own_address) == (kind, buyer, own), found.note


@pytest.mark.parametrize(
    ("fields", "flaw"),
    [
        ({"date": "yesterday"}, "date not understood: yesterday"),
        ({"date": "0001-01-01T00:00:00+14:00"}, "date not understood: 0001-01-01T00:00:00+14:00"),  # before the first year
        ({"marketplace": "ebay.de"}, "marketplace not known: ebay.de"),
        ({"date": "Mon, 28 Sep 2026 09:00:00 -0300"}, ""),
        ({"date": "2026-09-28"}, ""),
        ({"marketplace": "A1PA6795UKMFR9"}, ""),
    ],
)
def test_flaws(fields: dict[str, object], flaw: str) -> None:
    assert row(**fields).flaws == ((flaw,) if flaw else ())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": ""}, "no words"),
        ({"text": None, "body": " \n"}, "no words"),
        ({"text": {"a": 1}}, "no words"),
        ({"text": True}, "no words"),
        ({"direction": "sideways"}, "direction is 'sideways'"),
    ],
)
def test_rows_that_are_none(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        row(**fields)


def test_names_of_fields_may_be_dressed_up() -> None:
    found = read_row({" Body ": "words", "Order-ID": ORDER, "MESSAGE ID": "x"}, RAW, account="main")
    assert (found.text, found.order_ids, found.id) == ("words", (ORDER,), "x")


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
NAMES = st.sampled_from(["id", "text", "body", "from", "to", "date", "marketplace", "direction", "order_ids", "subject"])


@given(st.dictionaries(NAMES, VALUES))
def test_any_row_is_a_message_or_refused(fields: dict[str, object]) -> None:
    try:
        found = read_row(fields, RAW, account="main")
    except InputError:
        return
    assert found.text
    "".join([found.id, found.text, found.subject, found.buyer_name, found.note, *found.flaws]).encode()
