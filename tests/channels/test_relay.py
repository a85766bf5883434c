"""Amazon's frame: the words out of it in every language, and what happens when it is not as expected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.channels.relay import FOOTERS, INTROS, LABELS, Item, read_words, unframe

DASHES = "-------------"
ORDER = "301-0000001-0000001"
PAIRS = [(language, begin, end) for language, begins, ends in LABELS for begin in begins for end in ends]


def framed(words: str, begin: str = "Begin message", end: str = "End message") -> str:
    return (
        f"You have received a message.\n\n# {ORDER}:\n1 / Brass lamp, large [ASIN: B0TESTTEST]\n\n"
        f"{DASHES} {begin} {DASHES}\n\n{words}\n\n{DASHES} {end} {DASHES}\n\nFor Your Information: x\n[commMgrTok:A1]\n"
    )


@pytest.mark.parametrize(("language", "begin", "end"), PAIRS)
def test_labels_of_every_language(language: str, begin: str, end: str) -> None:
    found = unframe(framed("Bitte stornieren\n\nJane", begin, end))
    assert found.words == "Bitte stornieren\n\nJane", language
    assert found.order_ids == (ORDER,)
    assert found.items == (Item("B0TESTTEST", "Brass lamp, large"),)
    assert found.labelled


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"{DASHES} Begin message / Début du message {DASHES}\nwords\n{DASHES} End message / Fin du message {DASHES}",
            "words",
        ),  # Canada
        (f"{DASHES} Message:  {DASHES}\nwords\n{DASHES} Finalizar mensaje {DASHES}", "words"),  # one label English, one Spanish
        ("---Begin message--\nwords\n----- END   MESSAGE ---", "words"),  # counts, blanks, capitals
        ("－－－－ メッセージ： －－－－\n本文\n－－－－メッセージはここまで－－－－", "本文"),  # full-width
        (f"{DASHES} DÃ©but du message {DASHES}\nwords\n{DASHES} Fin du message {DASHES}", "words"),  # a charset gone wrong
        (f"{DASHES} D=C3=A9but du message {DASHES}\nwords\n{DASHES} Fin du message {DASHES}", "words"),  # quoted-printable left in
        (f"{DASHES} Begin message\nwords\n{DASHES} End message", "words"),  # dashes on one side
        (
            f"Dear, {DASHES} Iniciar mensagem {DASHES} words {DASHES} Mensagem final {DASHES} Atenciosamente",
            "words",
        ),  # all in one line
        (f"{DASHES} Begin message {DASHES}\nwords\n\nFor Your Information: To help", "words"),  # no label at the end
        (f"{DASHES} Begin message {DASHES}\nwords\n[commMgrTok:A1]", "words"),
        (f"{DASHES} Begin message {DASHES}\nwords https://sellercentral.amazon.de/x/no-response-needed?x=1", "words"),
        (f"{DASHES} Begin message {DASHES}\nwords\n{DASHES}{DASHES}\nCopyright 2026 Amazon", "words"),
        (f"{DASHES} Begin message {DASHES}\nwords", "words"),
        (f"{DASHES} Begin message {DASHES}\n\n{DASHES} End message {DASHES}\nfooter", ""),  # a picture and no words
    ],
)
def test_labels_as_they_come(text: str, words: str) -> None:
    assert unframe(text).words == words


def test_a_quoted_frame_in_the_words_is_history() -> None:
    """A buyer's mail program quotes our older mail, frame and all, below the answer."""
    older = framed("Request cancellation")
    assert unframe(framed(f"Thanks, found it\n\n{older}")).words.startswith("Thanks, found it")
    assert "Request cancellation" not in unframe(framed(f"Thanks, found it\n\n{older}")).words
    assert (
        read_words(f"Thanks, found it\n\nOn Mon, Jan 1, 2024 at 10:00 Shop <a@b.example> wrote:\n{older}").words
        == "Thanks, found it"
    )
    assert read_words(f"Thanks, found it\n> {DASHES} Begin message {DASHES}\n> older").words == "Thanks, found it"


@pytest.mark.parametrize(
    ("intro", "footer"), [*((intro, FOOTERS[0]) for intro in INTROS), *((INTROS[0], footer) for footer in FOOTERS)]
)
def test_a_frame_without_labels(intro: str, footer: str) -> None:
    found = unframe(
        f"{intro.capitalize()}\n\nOrder ID {ORDER}:\n1 of Lamp [ASIN: B0TESTTEST]\nMessage:\nwords\nmore words\n\n{footer} x"
    )
    assert found.words == "words\nmore words"
    assert found.order_ids == (ORDER,)
    assert not found.labelled


@pytest.mark.parametrize(
    "text",
    [
        "Please cancel my order",
        f"Please cancel order {ORDER}:\nit was a mistake",  # an order id in the buyer's own first line
        f"{DASHES}\nrule\n{DASHES}",
        "I have sent you a message: --- please cancel ---",
        "sorry, one more -- message",
        f"> {DASHES} Begin message {DASHES}",
        "",
    ],
)
def test_without_a_frame_the_text_stays(text: str) -> None:
    assert unframe(text).words == text
    assert unframe(text).order_ids == ()


def test_the_preformatted_block_is_for_mails_without_labels() -> None:
    assert read_words("Hello seller,\nwords\nsome footer", "words").words == "words"
    assert read_words(framed("words"), "something else").words == "words"
    assert read_words("Hello\nwords", "words\n\n> quoted").words == "words"


def test_a_signature_in_the_words_takes_nothing_else_along() -> None:
    found = read_words(framed("Please cancel\n-- \nJane"))
    assert (found.words, found.order_ids) == ("Please cancel", (ORDER,))


PIECES = st.sampled_from(
    [f"{DASHES} Begin message {DASHES}", f"{DASHES} End message {DASHES}", "\n", "words", "[commMgrTok:", "> ", f"# {ORDER}:", "--"]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=10))).map("".join))
def test_any_text_can_be_unframed(text: str) -> None:
    assert set(unframe(text).words.split()) <= set(text.split()) or DASHES in text or "[commMgrTok:" in text
    read_words(text)
