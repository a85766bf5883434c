"""Text to words: letters in disguise, markup, marks, and offsets that stay true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.domain.text import fold, has_cjk, tokens_of, unleet, without_accents


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("CANCEL", "cancel"),
        ("ｃａｎｃｅｌ", "cancel"),  # full-width
        ("𝐜𝐚𝐧𝐜𝐞𝐥", "cancel"),  # mathematical bold
        ("ⓒⓐⓝⓒⓔⓛ", "cancel"),  # circled
        ("саnсеl", "cancel"),  # Cyrillic с, а, е
        ("cαncεl", "cancel"),  # Greek alpha, epsilon
        ("can\u00adcel", "cancel"),  # soft hyphen
        ("can\u200bcel", "cancel"),  # zero-width blank
        ("\ufeffcancel", "cancel"),  # byte order mark
        ("don’t", "don't"),  # curly apostrophe
        ("заказ", "заказ"),  # a Russian word stays one
        ("Würde", "würde"),  # accents tell words apart
        ("wu\u0308rde", "würde"),  # decomposed
        ("ｷｬﾝｾﾙ", "キャンセル"),  # half-width katakana
    ],
)
def test_fold(written: str, form: str) -> None:
    assert fold(written) == form


@pytest.mark.parametrize(
    ("form", "plain"), [("würde", "wurde"), ("ação", "acao"), ("złoty", "zloty"), ("がぎ", "がぎ"), ("abc", "abc")]
)
def test_without_accents(form: str, plain: str) -> None:
    assert without_accents(form) == plain


@pytest.mark.parametrize(("form", "read"), [("canc3l", "cancel"), ("c@ncel", "cancel"), ("2024", "2024"), ("cancel", "cancel")])
def test_unleet(form: str, read: str) -> None:
    assert unleet(form) == read


def test_has_cjk() -> None:
    assert has_cjk("取消")
    assert not has_cjk("cancel")


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("Please cancel.", ["please", "cancel", "."]),
        ("Cancel, please!", ["cancel", ",", "please", "."]),
        ("c a n c e l this", ["cancel", "this"]),  # letters apart
        ("c.a.n.c.e.l this", ["cancel", "this"]),
        ("c-a-n-c-e-l", ["cancel"]),
        ("a b c", ["a", "b", "c"]),  # three letters are no word
        ("no. 3.50 e.g.x", ["no", ".", "3", "50", "e", "g", "x"]),  # a stop inside a number ends nothing
        ("sent.Please", ["sent", ".", "please"]),  # a forgotten blank does
        ("am 24. mai", ["am", "24", "mai"]),  # a day, no end
        ("<b>cancel</b> it", ["cancel", "it"]),
        ("cancel&nbsp;it", ["cancel", "it"]),
        ("don&#39;t", ["don't"]),
        ("a < b", ["a", "b"]),  # no tag
        ("https://shop.example/cancel-order now", ["now"]),  # an address says nothing
        ("cancel@shop.example", ["cancel@shop", "example"]),  # nor does a mail address
        ("Hi\nPlease cancel", ["hi", ".", "please", "cancel"]),
        ("please\ncancel", ["please", ",", "cancel"]),
        ("one\n\ntwo", ["one", ".", "two"]),
        ("取消してください。", ["取消してください", "."]),
        ("¿Pueden cancelar?", [",", "pueden", "cancelar", "."]),
        ("say “cancel”", ["say", '"', "cancel", '"']),
        ("", []),
    ],
)
def test_tokens(text: str, forms: list[str]) -> None:
    assert [token.form for token in tokens_of(text)] == forms


def test_a_long_line_was_wrapped_by_a_program() -> None:
    text = "I would like to ask you whether it is still possible to please\ncancel my order"
    assert "," not in [token.form for token in tokens_of(text)]


def test_offsets_point_into_the_original() -> None:
    text = "<p>Please&nbsp;<b>can&shy;cel</b></p>"
    word = [token for token in tokens_of(text) if token.is_word][-1]
    assert word.form == "cancel"
    assert text[word.start : word.end] == "can&shy;cel"


@given(st.text())
def test_any_text_gives_tokens_in_order(text: str) -> None:
    at = 0
    for token in tokens_of(text):
        assert at <= token.start < token.end <= len(text)
        at = token.end
