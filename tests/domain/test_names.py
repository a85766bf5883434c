"""Nobody is sent an answer because of what they or their town is called; and a word that asks to cancel is no name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from msgbot import Detector, Intent, built_in_rules
from tests.domain.names import NAMES, THE_WORD_ITSELF

RULES = built_in_rules()
DETECTOR = Detector(RULES)


class Letter(NamedTuple):
    """Parts of a letter that asks for no cancellation. `errand` has a place for a name."""

    hello: str
    question: str
    errand: str
    farewells: tuple[str, ...]


LETTERS = {
    "ar": Letter("مرحبا", "أين طردي؟", "هل يمكن إرسال الطرد إلى {}؟", ("مع التحية", "تحياتي", "شكرا")),
    "de": Letter("Hallo", "Wo ist mein Paket?", "Können Sie es nach {} schicken?", ("Gruß", "Mit freundlichen Grüßen", "Danke")),
    "en": Letter("Hi", "Where is my parcel?", "Can you send my parcel to {}?", ("Regards", "Kind regards", "Thanks")),
    "es": Letter("Hola", "¿Dónde está mi paquete?", "¿Pueden enviar mi paquete a {}?", ("Un saludo", "Atentamente", "Gracias")),
    "fr": Letter("Bonjour", "Où est mon colis ?", "Pouvez-vous l'envoyer à {} ?", ("Cordialement", "Bien à vous", "Merci")),
    "hi": Letter("नमस्ते", "मेरा पार्सल कहाँ है?", "क्या आप मेरा पार्सल {} भेज सकते हैं?", ("सादर", "धन्यवाद")),
    "it": Letter("Ciao", "Dov'è il mio pacco?", "Potete mandare il mio pacco a {}?", ("Cordiali saluti", "Saluti", "Grazie")),
    "ja": Letter("こんにちは", "荷物はどこですか。", "荷物を{}に送ってもらえますか。", ("よろしくお願いいたします", "敬具")),
    "nl": Letter("Hallo", "Waar is mijn pakket?", "Kunt u het naar {} sturen?", ("Groet", "Met vriendelijke groet", "Bedankt")),
    "pl": Letter("Cześć", "Gdzie jest moja paczka?", "Czy możecie wysłać ją do {}?", ("Pozdrawiam", "Z poważaniem", "Dzięki")),
    "pt": Letter("Olá", "Onde está a minha encomenda?", "Podem enviá-la para {}?", ("Cumprimentos", "Abraço", "Obrigado")),
    "sv": Letter("Hej", "Var är mitt paket?", "Kan ni skicka mitt paket till {}?", ("Mvh", "Med vänlig hälsning", "Tack")),
    "tr": Letter("Merhaba", "Kargom nerede?", "Kargomu {} adresine gönderebilir misiniz?", ("Saygılarımla", "Teşekkürler")),
    "zh": Letter("你好", "我的包裹在哪里？", "可以把包裹寄到{}吗？", ("此致敬礼", "谢谢")),
}  # fmt: skip


def texts_with(name: str, letter: Letter) -> Iterator[str]:
    hello, question, errand, farewells = letter
    yield f"{hello} {name}, {question}"
    yield f"{hello} {name} {question}"
    yield f"{question}\n{name}"
    yield f"{question} {name}"
    yield errand.format(name)
    for farewell in farewells:
        yield f"{farewell}, {name}"
        yield f"{question} {farewell}, {name}"
        yield f"{question} {farewell} {name}"
        yield f"{question}\n{farewell}\n{name}"
        yield f"{question} {farewell}, {name.lower()}"
        yield f"{errand.format('Bern')} {farewell} {name}"


def test_every_language_has_a_letter() -> None:
    assert set(LETTERS) == {language.code for language in RULES.languages}


@pytest.mark.parametrize("language", LETTERS)
def test_no_answer_is_sent_because_of_a_name(language: str) -> None:
    names = [name for name in NAMES if language not in THE_WORD_ITSELF.get(name, ())]
    verdicts = [(text, DETECTOR.detect(text)) for name in names for text in texts_with(name, LETTERS[language])]
    sent = [text for text, each in verdicts if each.intent is Intent.REQUEST and each.score >= RULES.thresholds.send]
    assert not sent


@pytest.mark.parametrize(
    "text",
    [
        "Where is my parcel? Regards, Hava",
        "Regards, Hava",
        "Regards, Cansel",
        "Where is my parcel?\nRegards\nCancela",
        "Hi Hava, where is my parcel?",
        "Where is my parcel?\nHava",
        "I have moved to Angra, where is my parcel?",
        "Var är mitt paket? Mvh, Hava",
        "Kargom nerede? Saygılarımla, Cansel",
        "Dov'è il mio ordine, saluti Fermi",
    ],
)
def test_a_name_is_no_request(text: str) -> None:
    assert DETECTOR.detect(text).intent is Intent.NONE


@pytest.mark.parametrize(
    "text",
    [
        *("Cancel", "Stornieren", "Annuler", "Cancelar", "Annulla", "Annuleren", "Anuluj", "Anulowac", "Avbeställ", "Avbestall"),
        *("Häva", "Hava", "الغاء", "إلغاء"),
        "Cancel. Regards, Tom",
        "Cancel. Regards, Hava",
        "Stornieren. Gruß, Cansel",
        "Annuler\nCordialement\nTom",
        "Cancelar. Saludos, Tom",
        "Avbeställ. Mvh, Tom",
        "Hello, cancel",
        "Hello\nCancel",
        "Danke. Cancel",
        "Merhaba, cancel",
        "Saludos, cancelen",
        "مرحبا الغاء",
        "Where is it? Cancel",
        "Thanks and regards, cancel my order",
        "Mvh Lisa\nAvbeställ",
        "Jag vill häva köpet",
        "Jag vill hava kopet",
        "Kan ni häva köpet? Mvh, Hava",
        "Please Cancel my order",
        "Bitte Stornieren",
        "Ich bitte um Stornirung meiner Bestellung",
        "Hello Sir, Kindly Cancle The Order",
        "please cansel my order",
    ],
)
def test_a_word_that_asks_is_no_name(text: str) -> None:
    verdict = DETECTOR.detect(text)
    assert verdict.intent is Intent.REQUEST
    assert verdict.score >= RULES.thresholds.send


@pytest.mark.parametrize("text", ["Where is it? Hancel", "Thanks, Cansel", "Tack, Hava", "Can you send it to Hancel?"])
def test_what_may_be_a_name_is_left_to_a_person(text: str) -> None:
    verdict = DETECTOR.detect(text)
    assert verdict.intent is Intent.NONE or verdict.score < RULES.thresholds.send
