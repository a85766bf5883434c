"""The sieve holds back what asks for nothing, and nothing else: a verdict with it is the verdict without."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot import Detector, Intent, built_in_rules
from msgbot.domain.index import index_of
from msgbot.domain.lexicon import Lexicon
from msgbot.domain.rulebook import Frame, LanguageRules
from msgbot.domain.sieve import Sieve

RULES = built_in_rules()
INDEX = index_of(RULES.languages, RULES.frames)
SIEVE = Sieve(Lexicon(RULES.languages, INDEX), INDEX)
DETECTOR = Detector(RULES)
WORDS = sorted({form for forms in INDEX.forms.values() for form in forms})


class _Open(Detector):
    """A detector that reads every text."""

    class _LetsAllThrough:
        def sift(self, text: str) -> tuple[bool, int]:
            return True, 0

    def __init__(self) -> None:
        super().__init__(RULES)
        self._sieve = self._LetsAllThrough()  # type: ignore[assignment]


READS_ALL = _Open()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Where is my parcel?",
        "Thanks, it arrived today and the colour is lovely.",
        "I need the invoice for order 114-1234567-1234567",
        "I want to change my address",
        "Can you send me the invoice?",
        "I would like my money back",  # nothing tells that it was not sent yet
        "Guten Tag, wann kommt mein Paket?",
        "Où est mon colis ?",
    ],
)
def test_holds_back(text: str) -> None:
    assert not SIEVE.sift(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        "cancel",
        "Please CANCEL my order",
        "pls cancle",
        "can cel it",
        "c a n c e l",
        "c.a.n.c.e.l",
        "tocancel",
        "canc3l",
        "ｃａｎｃｅｌ",
        "саncel",  # the first two letters are Cyrillic
        "can\u00adcel my order",
        "<b>can</b>cel the order, or stop order 1234567",
        "I don't need it anymore",
        "do not ship it",
        "please stop order 1234567",
        "J'aimerais l'annuler",
        "請取消訂單",
    ],
)
def test_lets_through(text: str) -> None:
    assert SIEVE.sift(text)[0]


def test_counts_votes_of_a_very_long_text_without_overflow() -> None:
    text = "the " * 5_000 + "und " * 3
    assert DETECTOR.detect(text).language == "en"


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=6), st.sampled_from(list(",.!?\n\"'<>&#0123456789")))))
def test_holds_back_nothing_that_means_something(words: list[str]) -> None:
    text = " ".join(words)
    assert DETECTOR.detect(text).intent is READS_ALL.detect(text).intent


def test_holds_back_nothing_made_of_phrases() -> None:
    """Phrases and words of the acts, mixed at random: far likelier to mean something than words alone."""
    shuffled = random.Random(7)  # noqa: S311 - no secret
    for language in RULES.languages:
        pieces = [
            " ".join(min(place.words, default="") or "it" for place in phrase.elements if not (place.gap or place.optional))
            for phrase in language.phrases
        ]
        pieces += [word for words in language.words.values() for word in words]
        glue = "" if language.unspaced else " "
        for _ in range(60):
            text = glue.join(shuffled.sample(pieces, min(4, len(pieces))))
            assert DETECTOR.detect(text).intent is READS_ALL.detect(text).intent, text


TURKISH = LanguageRules(
    code="tr", name="Turkish", words={"halt": ("durdurun",), "order": ("siparişi",)}, endings={"if": ("mazsa", "mezse")}
)
ONLY_IF = Frame("stop-if", Intent.CONDITIONAL, 0.9, "stops it if", acts=frozenset({"halt"}), having=frozenset({"conditional"}))


@pytest.mark.parametrize(("text", "let_through"), [("sığmazsa durdurun", True), ("siparişi durdurun", False), ("sığmazsa", False)])
def test_heeds_what_only_an_ending_says(text: str, let_through: bool) -> None:
    index = index_of([TURKISH], [ONLY_IF])
    assert Sieve(Lexicon([TURKISH], index), index).sift(text)[0] is let_through


def test_heeds_all_that_a_typo_may_be() -> None:
    """In one language it may be a word without consequence, in another the one that matters."""
    english = LanguageRules(code="en", name="English", words={"order": ("cancer",)})
    other = LanguageRules(code="xx", name="Other", words={"cancel": ("cancen",)})
    asks = Frame("asks", Intent.REQUEST, 0.9, "asks", acts=frozenset({"cancel"}))
    index = index_of([english, other], [asks])
    assert Sieve(Lexicon([english, other], index), index).sift("cancex")[0]
