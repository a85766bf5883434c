"""Looking words up: exactly, misspelled, glued together, and without blanks."""

from __future__ import annotations

import pytest

from msgbot.domain.index import index_of
from msgbot.domain.lexicon import Lexicon
from msgbot.domain.rulebook import LanguageRules
from msgbot.domain.text import fold

ENGLISH = LanguageRules(
    code="en",
    name="English",
    words={
        "cancel": ("cancel",),
        "cancellation": ("cancellation",),
        "order": ("order", "orders"),
        "not": ("don't",),
        "i": ("we're",),
        "was": ("were",),
        "common": ("to", "my", "the"),
        "pronoun": ("it",),
    },
    not_typos=frozenset({"cancer"}),
)
GERMAN = LanguageRules(
    code="de", name="German", words={"can": ("würde",), "was": ("wurde",), "want": ("möchte",), "order": ("order",)}
)
FRENCH = LanguageRules(code="fr", name="French", words={"pronoun": ("l'",), "cancel": ("annuler",), "filler": ("aujourd'hui",)})
JAPANESE = LanguageRules(code="ja", name="Japanese", words={"cancel": ("取消", "キャンセル"), "order": ("注文",)}, unspaced=True)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    languages = ENGLISH, GERMAN, FRENCH, JAPANESE
    return Lexicon(languages, index_of(languages, ()))


@pytest.mark.parametrize(
    ("written", "form", "edits"),
    [
        ("cancel", "cancel", 0),
        ("cancle", "cancel", 1),  # swapped
        ("canecl", "cancel", 1),
        ("cnacel", "cancel", 1),
        ("cancek", "cancel", 1),  # the key beside it
        ("cacel", "cancel", 1),  # missed
        ("canncel", "cancel", 1),  # doubled
        ("canc3l", "cancel", 1),  # a digit for a letter
        ("c@ncel", "cancel", 1),
        ("tocancel", "cancel", 1),  # the blank is missing
        ("cancelit", "cancel", 1),
        ("cancelmyorder", "cancel", 1),
        ("order123456", "order", 1),
        ("cancelation", "cancellation", 1),
        ("canselation", "cancellation", 2),  # long words may have two typos
        ("order's", "order", 0),
        ("dont", "dont", 0),  # no apostrophe
        ("mochte", "mochte", 0),  # no accent
    ],
)
def test_finds_the_word_behind(lexicon: Lexicon, written: str, form: str, edits: int) -> None:
    known = lexicon.look_up(fold(written))
    assert (known.form, known.edits) == (form, edits)
    assert known.entry


@pytest.mark.parametrize(
    "word",
    [
        "cancer",  # on the list of words that are no typos
        "parcel",  # two edits in six letters are too many
        "uncancelable",  # what sticks to it is no word
        "x" * 60,
        "",
    ],
)
def test_knows_what_it_does_not_know(lexicon: Lexicon, word: str) -> None:
    assert not lexicon.look_up(word).entry


def test_a_word_of_the_rules_is_never_another_one_misspelled(lexicon: Lexicon) -> None:
    """`were` is a word, so it does not stand for "we're"; `wurde` is not `würde`."""
    assert lexicon.look_up("were").entry["en"] == {"was"}
    assert lexicon.look_up("wurde").entry["de"] == {"was"}
    assert lexicon.look_up("würde").entry["de"] == {"can"}


def test_a_word_can_belong_to_several_languages(lexicon: Lexicon) -> None:
    assert set(lexicon.look_up("order").entry) == {"en", "de"}


def test_a_blank_by_accident(lexicon: Lexicon) -> None:
    found = lexicon.joined("can", "cel")
    assert found is not None
    assert found.form == "cancel"
    assert lexicon.joined("my", "order") is None


def test_elided_words(lexicon: Lexicon) -> None:
    found = lexicon.elided("l'annuler")
    assert found is not None
    assert found.form == "l'"
    assert lexicon.elided("aujourd'hui") is None
    assert lexicon.elided("l'") is None


@pytest.mark.parametrize(
    ("run", "pieces"),
    [
        ("注文を取消", ["注文", "を", "取消"]),
        ("キャンセル", ["キャンセル"]),
        ("orderをcancel", ["order", "を", "cancel"]),  # Latin words inside
        ("赤い靴", ["赤い靴"]),  # nothing known
    ],
)
def test_cut(lexicon: Lexicon, run: str, pieces: list[str]) -> None:
    cut = lexicon.cut(run)
    assert [known.form for _, _, known in cut] == pieces
    assert [run[start:end] for start, end, _ in cut] == pieces


TURKISH = LanguageRules(code="tr", name="Turkish", words={"cancel": ("iptal",)}, endings={"if": ("mazsa", "mezse", "diyse")})
ARABIC = LanguageRules(
    code="ar",
    name="Arabic",
    words={"cancel": ("إلغاء",), "order": ("طلب",), "want": ("أريد",)},
    prefixes={"و": "and", "ب": "", "ال": "", "بال": ""},
)
INFLECTED = Lexicon((TURKISH, ARABIC), index_of((TURKISH, ARABIC), ()))


@pytest.mark.parametrize(
    ("word", "entry"),
    [
        ("sığmazsa", {"tr": {"if"}}),
        ("gitmediyse", {"tr": {"if"}}),
        ("mazsa", {}),  # nothing before the ending
        ("الغاء", {"ar": {"cancel"}}),  # without hamza
        ("إِلْغَاء", {"ar": {"cancel"}}),  # with vowel signs
        ("وإلغاء", {"ar": {"cancel", "and"}}),
        ("والغاء", {"ar": {"cancel", "and"}}),
        ("بإلغاء", {"ar": {"cancel"}}),
        ("بالطلب", {"ar": {"order"}}),  # the longest prefix
        ("اريد", {"ar": {"want"}}),
        ("اريييد", {"ar": {"want"}}),
        ("وب", {}),
    ],
)
def test_inflected_words(word: str, entry: dict[str, set[str]]) -> None:
    assert INFLECTED.look_up(fold(word)).entry == entry


def test_an_ending_votes_for_no_language() -> None:
    assert INFLECTED.look_up("sığmazsa").votes == 0
    assert INFLECTED.look_up("والغاء").votes > 0


def test_what_a_typo_may_be_in_each_language(lexicon: Lexicon) -> None:
    """`cancl` is a typo of the English word; a glued word must be made of one language's words."""
    assert lexicon.look_up("cancl").entry == {"en": {"cancel"}}
    assert not lexicon.look_up("cancelwurde").entry
