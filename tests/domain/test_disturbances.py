"""A plain request stays one, whatever keyboards, programs and jokers do to it; and a quoted one below a harmless answer is none."""

from __future__ import annotations

import html
import random
import re
import unicodedata
from collections.abc import Callable

import pytest

from msgbot import Detector, Intent, built_in_rules
from msgbot.domain.text import has_cjk

DETECTOR = Detector(built_in_rules())
PLAIN = {
    "en": (
        "please cancel my order",
        "Hello, could you cancel this order for me? Thanks",
        "I want to cancel order 114-1234567-1234567",
    ),
    "de": ("bitte stornieren Sie meine Bestellung", "ich möchte meine Bestellung stornieren"),
    "fr": ("veuillez annuler ma commande", "pouvez-vous annuler ma commande ?"),
    "es": ("por favor cancelen mi pedido", "me pueden cancelar el pedido por favor?"),
    "it": ("vorrei annullare il mio ordine", "per favore annullate l'ordine"),
    "nl": ("graag mijn bestelling annuleren", "kunt u mijn bestelling annuleren?"),
    "pl": ("proszę anulować moje zamówienie", "chcę anulować zamówienie"),
    "sv": ("jag vill avbeställa min beställning", "kan ni avbeställa min order?"),
    "tr": ("siparişimi iptal edin lütfen", "siparişi iptal edebilir misiniz?"),
    "pt": ("quero cancelar meu pedido", "podem cancelar a minha encomenda?"),
    "ja": ("注文をキャンセルしてください", "キャンセルをお願いします"),
    "zh": ("请取消我的订单", "請幫我取消訂單"),
    "ar": ("أرجو إلغاء طلبي", "أريد إلغاء الطلب من فضلك"),
    "hi": ("कृपया मेरा ऑर्डर रद्द करें", "mera order cancel kar do"),
}
TEXTS = [text for texts in PLAIN.values() for text in texts]
_VERB = re.compile(r"(?i)\b(?:cancel|storn|annul|anul|avbest)\w*")
Change = Callable[[str], str]


def in_the_verb(change: Change) -> Change:
    """`change` made to the word for cancelling, where it is written in letters with blanks around it."""

    def changed(text: str) -> str:
        return _VERB.sub(lambda verb: change(verb.group()), text, count=1)

    return changed


def at_random(change: Callable[[str, int], str]) -> Change:
    """`change` made to the word for cancelling at some place inside it."""

    def changed(verb: str) -> str:
        return change(verb, random.Random(verb).randrange(1, len(verb) - 2))  # noqa: S311 - the same place in every run

    return in_the_verb(changed)


def only_latin(change: Change) -> Change:
    """`change` for texts in plain Latin letters; others stay."""
    return lambda text: change(text) if text.isascii() else text


def blanks(change: Change) -> Change:
    """`change` for texts that have blanks between words."""
    return lambda text: text if has_cjk(text) else change(text)


def without_accents(text: str) -> str:
    if has_cjk(text) or re.search("[\u0900-\u097f]", text):
        return text
    plain = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
    return plain.translate({ord("ı"): "i", ord("ł"): "l"})


QUOTE = "On Mon, 3 Aug 2026 at 10:00, Shop <shop@example.com> wrote:\n> "
CHANGES: dict[str, Change] = {
    "capitals": str.upper,
    "titles": str.title,
    "exclamation marks": lambda text: text + "!!!!!!",
    "urgent": lambda text: "URGENT!!! " + text,
    "many blanks": blanks(lambda text: text.replace(" ", "     ")),
    "tabs": lambda text: text.replace(" ", "\t"),
    "blanks that do not break": lambda text: text.replace(" ", "\xa0"),
    "a broken line": blanks(lambda text: text.replace(" ", "\n", 1)),
    "swapped letters": at_random(lambda verb, at: verb[:at] + verb[at + 1] + verb[at] + verb[at + 2 :]),
    "a missing letter": at_random(lambda verb, at: verb[:at] + verb[at + 1 :]),
    "an extra letter": at_random(lambda verb, at: verb[:at] + "x" + verb[at:]),
    "another letter": at_random(lambda verb, at: verb[:at] + "h" + verb[at + 1 :]),
    "a doubled letter": at_random(lambda verb, at: verb[:at] + verb[at] + verb[at:]),
    "a stretched letter": at_random(lambda verb, at: verb[:at] + verb[at] * 4 + verb[at + 1 :]),
    "digits for letters": in_the_verb(lambda verb: verb.replace("e", "3", 1)),
    "a blank inside": in_the_verb(lambda verb: verb[:3] + " " + verb[3:]),
    "letter by letter": in_the_verb(" ".join),
    "dots between letters": in_the_verb(".".join),
    "the blank before it missing": only_latin(lambda text: re.sub(r"(to|could you) (cancel)", r"\1\2", text)),
    "look-alikes": in_the_verb(lambda verb: verb.translate(str.maketrans("aeopc", "аеорс"))),
    "full width": only_latin(lambda text: "".join(chr(ord(sign) + 0xFEE0) if sign != " " else "\u3000" for sign in text)),
    "mathematical letters": only_latin(lambda text: re.sub("[a-z]", lambda sign: chr(0x1D41A + ord(sign.group()) - 97), text)),
    "zero-width signs": "\u200b".join,
    "a soft hyphen": in_the_verb(lambda verb: verb[:3] + "\u00ad" + verb[3:]),
    "marks of direction": lambda text: "\u202b" + text + "\u202c",
    "a byte order mark": lambda text: "\ufeff" + text,
    "no accents": without_accents,
    "decomposed accents": lambda text: unicodedata.normalize("NFD", text),
    "HTML": lambda text: f"<html><body><p>{html.escape(text)}</p><br></body></html>",
    "a bold word": in_the_verb(lambda verb: f"<b>{verb}</b>"),
    "entities": lambda text: "".join(f"&#{ord(sign)};" if sign in "aeéüó" else sign for sign in text),
    "emoji": lambda text: "😡😡 " + text + " 🙏",
    "stars": lambda text: f"**{text}**",
    "quotation marks": lambda text: f'"{text}"',
    "a curly apostrophe": lambda text: text.replace("'", "\u2019"),
    "a greeting and a signature": lambda text: f"Dear seller,\n\n{text}\n\nBest regards\nJohn\n-- \nSent from my iPhone",
    "history below": lambda text: f"{text}\n\n{QUOTE}To cancel, go to My Orders and choose Request cancellation",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("text", TEXTS)
def test_a_disturbed_request_is_found(text: str, change: Change) -> None:
    assert DETECTOR.detect(change(text)).intent is Intent.REQUEST, change(text)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "answer", ["Thanks, that helps!", "OK", "When will it arrive?", "Danke, alles gut.", "ありがとうございます。"]
)
def test_a_quoted_request_is_none(text: str, answer: str) -> None:
    assert DETECTOR.detect(f"{answer}\n\n{QUOTE}{text}\n> thank you\n").intent is Intent.NONE
