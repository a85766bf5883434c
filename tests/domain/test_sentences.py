"""Sentences, clauses and phrases: what becomes one node, and where the text is cut."""

from __future__ import annotations

import pytest

from msgbot.content.phrases import parse_phrase
from msgbot.domain.index import index_of
from msgbot.domain.lexicon import Lexicon
from msgbot.domain.matching import Node, PhraseIndex
from msgbot.domain.rulebook import LanguageRules
from msgbot.domain.sentences import LONGEST_SENTENCE, Sentence, SentenceReader

ROLES = frozenset({"cancel", "order", "not", "filler", "unwanted", "disregard", "error", "foreign", "pronoun", "if"})


def english(*phrases: tuple[str, str]) -> LanguageRules:
    return LanguageRules(
        code="en",
        name="English",
        words={"cancel": ("cancel",), "order": ("order",), "not": ("don't",), "but": ("but",), "and": ("and",), "pronoun": ("it",)},
        phrases=tuple(parse_phrase(role, text, ROLES) for role, text in phrases),
    )


GERMAN = LanguageRules(code="de", name="German", words={"cancel": ("stornieren",), "please": ("bitte",), "order": ("bestellung",)})


def sentences(text: str, *phrases: tuple[str, str], hint: str = "") -> list[Sentence]:
    languages = english(*phrases), GERMAN
    lexicon = Lexicon(languages, index_of(languages, ()))
    return SentenceReader(lexicon).sentences(text, hint)


def forms(text: str, *phrases: tuple[str, str]) -> list[list[list[str]]]:
    return [[[node.form for node in clause.nodes] for clause in sentence.clauses] for sentence in sentences(text, *phrases)]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("cancel it. order it", [[["cancel", "it"]], [["order", "it"]]]),
        ("cancel, order", [[["cancel"], ["order"]]]),
        ("cancel but order", [[["cancel"], ["but", "order"]]]),  # a joining word stays with its clause
        ("and cancel", [[["and", "cancel"]]]),
        ("cancel it?", [[["cancel", "it"]]]),
        ('"cancel"', [[["cancel"]]]),
        ("can cel it", [[["cancel", "it"]]]),
        ("...", []),
    ],
)
def test_sentences_and_clauses(text: str, cut: list[list[list[str]]]) -> None:
    assert forms(text) == cut


def test_questions_and_quotations() -> None:
    asked, told = sentences('cancel it? "order" it')
    assert asked.question
    assert not told.question
    assert [node.quoted for node in told.nodes()] == [True, False]


def test_a_sentence_without_end_is_cut() -> None:
    found = sentences("cancel " * (LONGEST_SENTENCE * 2))
    assert [len(list(sentence.nodes())) for sentence in found] == [LONGEST_SENTENCE] * 2


def test_each_sentence_has_its_language() -> None:
    english_one, german_one = sentences("please cancel it. Bitte Bestellung stornieren")
    assert (english_one.language.code, german_one.language.code) == ("en", "de")
    assert sentences("xyz", hint="de")[0].language.code == "de"
    assert sentences("xyz", hint="tlh")[0].language.code == "en"


def test_a_word_of_another_language_keeps_what_is_plain() -> None:
    (found,) = sentences("bitte meine bestellung cancel")
    assert found.language.code == "de"
    assert found.roles >= {"please", "order", "cancel"}


@pytest.mark.parametrize(
    ("phrase", "text", "merged"),
    [
        ("in order to", "in order to cancel", ["in order to", "cancel"]),
        ("in order [to]", "in order cancel", ["in order", "cancel"]),
        ("in|out order", "out order", ["out order"]),
        ("out <order>", "out order", ["out order"]),
        ("out <order|cancel>", "out cancel", ["out cancel"]),
        ("out ... <order>", "out of my big order", ["out of my big order"]),  # three words may stand between
        ("out ... <order>", "out of my very big order", ["out", "of", "my", "very", "big", "order"]),
        ("out [a] ... <order>", "out order", ["out order"]),
        ("out [a] a", "out a", ["out a"]),  # what is optional does not eat what is needed
        ("^ should it", "should it", ["should it"]),
        ("^ should it", "order should it", ["order", "should", "it"]),
        ("don't want", "dont want", ["dont want"]),
    ],
)
def test_phrases(phrase: str, text: str, merged: list[str]) -> None:
    assert forms(text, ("filler", phrase)) == [[merged]]


def test_a_phrase_keeps_the_roles_it_names() -> None:
    (found,) = sentences("don't want order", ("unwanted", "don't want <order>"))
    (node,) = found.nodes()
    assert node.roles == {"unwanted", "order"}


def test_a_phrase_that_is_an_act_hides_the_acts_in_it() -> None:
    (found,) = sentences("no need to cancel", ("disregard", "no need to <cancel>"))
    assert found.roles == {"disregard"}


def test_a_phrase_may_hold_another() -> None:
    (found,) = sentences("my request was oops", ("order", "my request"), ("error", "<order> was oops"))
    assert [node.form for node in found.nodes()] == ["my request was oops"]


def test_of_several_phrases_the_longest_counts() -> None:
    index = PhraseIndex([parse_phrase("filler", "a b", ROLES), parse_phrase("not", "a b c", ROLES)])
    hit = index.longest([Node(0, 1, "a"), Node(1, 2, "b"), Node(2, 3, "c")], 0)
    assert hit is not None
    assert (hit.phrase.role, hit.end) == ("not", 3)
