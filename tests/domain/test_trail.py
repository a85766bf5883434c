"""The audit chain: whatever is done to it is found, and named."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.domain.trail import START, Entry, EntryKind, Facts, chain, digest, verify

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def made(facts: list[Facts]) -> list[Entry]:
    entries: list[Entry] = []
    previous = START
    for number, each in enumerate(facts, 1):
        entry = chain("main", number, NOW + timedelta(seconds=number), EntryKind.DECISION, each, previous)
        entries.append(entry)
        previous = entry.hash
    return entries


def head(entries: list[Entry]) -> tuple[int, str]:
    return (entries[-1].number, entries[-1].hash) if entries else (0, START)


FIVE = made([{"message": f"<{number}@a>", "score": 0.5, "orders": ["a", "b"], "counts": None} for number in range(5)])

CHANGES = [
    ("account", replace(FIVE[2], account="other"), 3),
    ("number", replace(FIVE[2], number=7), 3),
    ("time", replace(FIVE[2], at=NOW), 3),
    ("kind", replace(FIVE[2], kind=EntryKind.RULING), 3),
    ("facts", replace(FIVE[2], facts={**FIVE[2].facts, "score": 0.51}), 3),
    ("a fact more", replace(FIVE[2], facts={**FIVE[2].facts, "extra": ""}), 3),
    ("previous", replace(FIVE[2], previous=START), 3),
    ("hash", replace(FIVE[2], hash="f" * 64), 3),
]


def test_a_chain_left_alone_holds() -> None:
    assert verify("main", FIVE, head(FIVE)) is None
    assert verify("main", [], (0, START)) is None


@pytest.mark.parametrize(("field", "changed", "place"), CHANGES)
def test_a_changed_field_is_named(field: str, changed: Entry, place: int) -> None:
    broken = verify("main", [*FIVE[:2], changed, *FIVE[3:]], head(FIVE))
    assert broken is not None, field
    assert broken.number == place


def test_every_field_of_an_entry_was_changed_above() -> None:
    assert len(fields(Entry)) == len({name for name, _, _ in CHANGES} - {"a fact more"})


@pytest.mark.parametrize(
    ("entries", "place"),
    [
        ([*FIVE[:2], *FIVE[3:]], 3),  # one taken out
        ([*FIVE[:2], FIVE[2], FIVE[2], *FIVE[3:]], 3),  # one twice
        ([FIVE[0], FIVE[2], FIVE[1], *FIVE[3:]], 2),  # two swapped
        (FIVE[:4], 5),  # the end cut off
        (FIVE[1:], 1),  # the beginning cut off
        ([*FIVE, chain("main", 6, NOW, EntryKind.RULING, {}, FIVE[-1].hash)], 7),  # one added past the head
        ([], 1),  # all of it gone
    ],
)
def test_a_chain_that_was_cut_is_named(entries: list[Entry], place: int) -> None:
    broken = verify("main", entries, head(FIVE))
    assert broken is not None
    assert broken.number == place


def test_rewriting_everything_from_one_entry_on_is_found_by_the_head() -> None:
    """Who rewrites the rest of the chain must also change the head: anchors of the head outside the database are for that."""
    rewritten = made([*(entry.facts for entry in FIVE[:4]), {"message": "another"}])
    assert verify("main", rewritten, head(FIVE)) is not None


facts = st.dictionaries(
    st.text(max_size=8),
    st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.none(), st.lists(st.text(max_size=5), max_size=3)),
    max_size=4,
)


@given(st.lists(facts, min_size=1, max_size=6), st.data())
def test_any_chain_holds_and_no_single_fact_can_change(all_facts: list[Facts], data: st.DataObject) -> None:
    entries = made(all_facts)
    assert verify("main", entries, head(entries)) is None
    index = data.draw(st.integers(0, len(entries) - 1))
    other = data.draw(facts)
    changed = [*entries[:index], replace(entries[index], facts=other), *entries[index + 1 :]]
    assert (verify("main", changed, head(entries)) is None) == (
        repr(other) == repr(dict(entries[index].facts)) or other == entries[index].facts
    )


def test_a_digest_needs_its_salt() -> None:
    assert digest("please cancel", "salt") == digest("please cancel", "salt")
    assert digest("please cancel", "salt") != digest("please cancel", "other")
    assert digest("please cancel", "salt") != digest("please cance1", "salt")
    assert len(digest("half a pair: \ud83d", "salt")) == 64
