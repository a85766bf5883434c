"""The detector as a whole, with the rules that ship: what disguise it sees through, what does not fool it, what holds for any text.

The languages' own sentences are tried in test_examples.py; these rows are about mechanics."""

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgbot.content.rules import built_in_rules
from msgbot.domain.detector import Detector
from msgbot.domain.text import MAX_LENGTH
from msgbot.domain.verdict import Intent

DETECTOR = Detector(built_in_rules())
WORDS = [
    *("please", "cancel", "my", "order", "the", "don't", "not", "want", "if", "it", "can", "you", "i", "this", "was", "cancelled"),
    *("cancellation", "refund", "send", "subscription", "two", "by", "mistake", "friday", "otherwise", "changed", "mind", "keep"),
    *("after", "all", "how", "parcel", "ignore", "message"),
]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        # letters
        ("PLEASE CANCEL MY ORDER", "request"),
        ("ｐｌｅａｓｅ　ｃａｎｃｅｌ ｍｙ ｏｒｄｅｒ", "request"),  # full-width
        ("Please 𝒄𝒂𝒏𝒄𝒆𝒍 my order", "request"),  # mathematical
        ("Please саnсеl my оrdеr", "request"),  # Cyrillic look-alikes
        ("Please can\u200bcel my order", "request"),  # zero-width
        ("Please can\u00adcel my order", "request"),  # soft hyphen
        ("please c@nc3l my order", "request"),
        # typos
        ("please cancle my order", "request"),
        ("please canecl my order", "request"),
        ("please cnacel my order", "request"),
        ("plese cancel my ordre", "request"),
        ("where is my parcel", "none"),  # not a typo of cancel
        ("I have cancer and need the order soon", "none"),
        # blanks
        ("please can cel my order", "request"),
        ("i want tocancel my order", "request"),
        ("c a n c e l my order", "request"),
        ("c.a.n.c.e.l", "request"),
        # markup
        ("<div>Please <b>cancel</b> my&nbsp;order</div>", "request"),
        ("I don&#39;t want to cancel my order", "none"),
        ("<a href='https://shop.example/cancel'>here</a>", "none"),
        ("see https://shop.example/please-cancel-my-order", "none"),
        # marks left out, lines
        ("hi please cancel my order i ordered the wrong one thanks", "request"),
        ("Hello\nplease cancel order 123-1234567-1234567\nBob", "request"),
        # how far a negation reaches
        ("Please do not cancel my order", "none"),
        ("I don't want it, please cancel", "request"),
        ("I do not want it please cancel my order", "request"),
        ("Don't send a replacement but cancel the order", "request"),
        ("I can't find out how to cancel", "request"),  # not being able asks all the more
        # who does it, and when
        ("They cancelled my order", "none"),
        ("Why did you cancel my order?", "none"),
        ("My order was cancelled", "none"),
        ("I want my order cancelled", "request"),
        # conditions
        ("Cancel my order if it is late", "conditional"),
        ("If it is late, cancel my order", "conditional"),
        ("What happens if I cancel my order?", "none"),
        ("If possible cancel my order", "request"),  # politeness
        ("Let me know if you can cancel my order", "request"),  # whether
        # other objects
        ("Cancel my subscription", "none"),
        ("I have a subscription. Please cancel it.", "none"),
        ("Please cancel my order, I forgot to use my gift card", "request"),
        # how-to, implicit
        ("How do I cancel my order?", "request"),
        ("Ordered by mistake, please do not ship", "request"),
        ("It arrived broken, I don't want it", "none"),
        # the last word counts between asking and taking back
        ("Please cancel my order. Actually no, ignore my request, I want to keep it.", "withdrawn"),
        ("Ignore my last message. Please cancel my order.", "request"),
        # nothing at all
        ("", "none"),
        ("   \n\t ", "none"),
        ("\ud800\x00\x07", "none"),
    ],
)
def test_intent(text: str, intent: str) -> None:
    verdict = DETECTOR.detect(text)
    assert verdict.intent == intent, f"{verdict.rule}: {verdict.says}"


def test_a_verdict_says_why() -> None:
    text = "Hello, please <b>cancel</b> my order 123-1234567-1234567."
    verdict = DETECTOR.detect(text)
    assert verdict.rule == "asks-for-order/en"
    assert verdict.says == "asks to cancel the order"
    assert verdict.language == "en"
    assert verdict.score > 0.9
    assert {(span.role, span.text) for span in verdict.evidence} >= {("cancel", "cancel"), ("order", "order")}


def test_a_typo_makes_it_less_sure() -> None:
    assert DETECTOR.detect("please canecl my order").score < DETECTOR.detect("please cancel my order").score


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Please cancel one of the lamps", "partial"),
        ("Please don't cancel my order", "opposes"),
        ("I already requested a cancellation on Amazon", "filed"),
    ],
)
def test_what_else_it_notices(text: str, field: str) -> None:
    assert getattr(DETECTOR.detect(text), field)
    assert not getattr(DETECTOR.detect("Please cancel my order"), field)


def test_what_speaks_against_is_kept() -> None:
    verdict = DETECTOR.detect("Please cancel my order. If it is shipped already I will return it.")
    assert verdict.intent is Intent.REQUEST
    verdict = DETECTOR.detect("Please ignore my last message. Please cancel my order.")
    assert [reading.intent for reading in verdict.against] == [Intent.WITHDRAWN]


QUOTED = (
    "Thanks, that helps!\n\nOn Mon, 3 Jun 2024 at 10:12, Shop <shop@example.com> wrote:\n> Please cancel my order\n> thank you\n"
)


def test_what_is_quoted_asks_for_nothing() -> None:
    assert DETECTOR.detect(QUOTED).intent is Intent.NONE


def test_offsets_below_a_quotation_stay_true() -> None:
    text = "> shall we send it?\nNo, please cancel my order.\n"
    verdict = DETECTOR.detect(text)
    assert verdict.intent is Intent.REQUEST
    assert all(text[span.start : span.end] == span.text for span in verdict.evidence)


def test_a_long_text_is_cut_and_says_so() -> None:
    verdict = DETECTOR.detect("please cancel my order. " + "x" * MAX_LENGTH)
    assert verdict.intent is Intent.REQUEST
    assert verdict.notes == ("only the first 20,000 characters were read",)
    assert DETECTOR.detect("x" * MAX_LENGTH + " please cancel my order").intent is Intent.NONE


@pytest.mark.parametrize(
    "text",
    [
        " " * 1_000_000,
        "a" * 10_000_000,
        "cancel " * 3000,
        "if not cancel order you want " * 700,
        "c " * 10_000,
        "don't want " * 2000,
        "<" * 20_000,
        "&" * 20_000,
        "\n" * 20_000,
        '"' * 20_000,
        "キャンセル" * 4000,
        "l'" * 10_000,
        "> On 1 May 2024, x wrote:\n" * 800,
    ],
)
def test_twice_the_text_is_twice_the_work(text: str) -> None:
    """Counted in calls, not in seconds: so it says the same on every machine. The first words see to it that the rest is read."""
    text = "cancel it. " + text
    short, long = text[: MAX_LENGTH // 2], text[:MAX_LENGTH]
    DETECTOR.detect(long)
    growth = len(long) / len(short)
    assert calls(long) <= 1.5 * growth * calls(short) + 1_000


def calls(text: str) -> int:
    """How many calls reading `text` takes, of Python's and of C's functions."""
    counted = itertools.count()

    def count(frame: object, event: str, argument: object) -> None:
        if event in {"call", "c_call"}:
            next(counted)

    sys.setprofile(count)
    try:
        DETECTOR.detect(text)
    finally:
        sys.setprofile(None)
    return next(counted)


@given(st.text())
@settings(deadline=None)
def test_any_text_gets_a_verdict_whose_spans_are_true(text: str) -> None:
    verdict = DETECTOR.detect(text)
    assert 0 <= verdict.score <= 1
    for span in verdict.evidence:
        assert 0 <= span.start < span.end <= len(text)
        assert text[span.start : span.end] == span.text


sentences = st.lists(st.sampled_from([*WORDS, ",", "?", "!"]), min_size=1, max_size=14).map(" ".join)


@given(sentences)
@settings(deadline=None)
def test_capitals_change_nothing(text: str) -> None:
    assert DETECTOR.detect(text.upper()).intent is DETECTOR.detect(text).intent


@given(sentences, st.sampled_from([" ", "\n", "\n\n", "\t", "  \r\n"]))
@settings(deadline=None)
def test_blanks_around_it_change_nothing(text: str, blanks: str) -> None:
    assert DETECTOR.detect(blanks + text + blanks).intent is DETECTOR.detect(text).intent


@given(sentences)
@settings(deadline=None)
def test_reading_twice_gives_the_same(text: str) -> None:
    assert DETECTOR.detect(text) == DETECTOR.detect(text)


def test_a_text_that_asks_both_is_for_a_person() -> None:
    verdict = DETECTOR.detect("Please do not cancel my order. Oh well, just cancel it.")
    assert verdict.intent is Intent.REQUEST
    assert verdict.score < DETECTOR.rulebook.thresholds.send
    assert "it also asks not to cancel" in verdict.notes


def test_threads_share_a_detector() -> None:
    """Whatever is made when it is first needed is whole before another thread sees it."""
    texts = [
        "please cancel my order",
        "I don't want it any more",
        "bitte stornieren Sie das",
        "merci d'annuler",
        "キャンセルお願いします",
    ] * 20
    expected = [DETECTOR.detect(text) for text in texts]
    for _ in range(5):
        fresh = Detector(built_in_rules())
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(fresh.detect, texts)) == expected
