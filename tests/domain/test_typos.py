"""Words with a slip in them: everything within the allowed edits is found, nothing further away."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from msgbot.domain.typos import GlueIndex, TypoIndex

FORMS = ["cancel", "cancelled", "cancellation", "order", "bestellung", "stornieren", "stornierung", "please"]
INDEX = TypoIndex(FORMS)
LETTERS = string.ascii_lowercase


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, str]:
    """A word and the same with one slip."""
    word = draw(st.sampled_from(FORMS))
    at = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from(LETTERS))
    kind = draw(st.sampled_from(["miss", "extra", "other", "swap"]))
    if kind == "miss":
        return word, word[:at] + word[at + 1 :]
    if kind == "extra":
        return word, word[:at] + letter + word[at:]
    if kind == "other":
        return word, word[:at] + letter + word[at + 1 :]
    return word, word[:at] + word[at : at + 2][::-1] + word[at + 2 :]


@given(slips())
def test_every_single_slip_is_found(slip: tuple[str, str]) -> None:
    word, typo = slip
    if len(typo) >= 5:
        near, edits = INDEX.nearest(typo)
        assert near
        assert edits <= OSA.distance(word, typo)


@given(st.text(LETTERS, min_size=1, max_size=14))
def test_what_is_found_is_near(word: str) -> None:
    near, edits = INDEX.nearest(word)
    for form in near:
        assert edits == OSA.distance(form, word) <= (2 if len(word) >= 10 else 1)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("cansellation", ("cancellation", 1)),
        ("canselation", ("cancellation", 2)),
        ("stornieern", ("stornieren", 1)),
        ("storniernug", ("stornierung", 1)),
        ("orde", None),  # too short to be taken for a typo
        ("order1", None),
        ("cansselatoin", None),  # three edits
    ],
)
def test_nearest(word: str, found: tuple[str, int] | None) -> None:
    near, edits = INDEX.nearest(word)
    assert ((near[0], edits) if near else None) == found


def test_all_that_are_equally_near() -> None:
    assert TypoIndex(["canceln", "annulla", "cancels"]).nearest("cancel") == (["canceln", "cancels"], 1)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("tocancel", "cancel"),
        ("cancelmyorder", "cancel"),
        ("cancelledit", "cancelled"),  # the longest counts
        ("order123", "order"),
        ("xcancel", None),
        ("scancelx", None),
        ("cancel", "cancel"),
        ("canc", None),
    ],
)
def test_glued(word: str, found: str | None) -> None:
    index = GlueIndex({"en": ["cancel", "cancelled", "order"]}, {"en": {"to", "my", "order", "it"}})
    assert index.inside(word) == ({"en": found} if found else {})


def test_words_of_other_languages_do_not_stick() -> None:
    index = GlueIndex({"en": ["cancel"], "de": ["cancelt"]}, {"en": {"this"}, "de": {"sie"}})
    assert index.inside("cancelthis") == {"en": "cancel"}
    assert index.inside("cancelsie") == {}
