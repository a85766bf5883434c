"""The writer's own words: what goes, what stays, and that nothing is ever stripped to nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.domain.quotes import ATTRIBUTION_VERBS, ORIGINALS, blank_quotes, strip_quotes

OURS = "My Account > My Orders > Request cancellation"


@pytest.mark.parametrize("marker", sorted(ORIGINALS))
def test_every_marker_of_an_original_message_ends_the_own_words(marker: str) -> None:
    assert strip_quotes(f"Where is it?\n\n-----{marker.title()}-----\n{OURS}") == "Where is it?"


@pytest.mark.parametrize("verb", ATTRIBUTION_VERBS)
def test_every_attribution_ends_the_own_words(verb: str) -> None:
    assert strip_quotes(f"Where is it?\n\n2024-01-02 10:00 Shop {verb}:\n\n{OURS}") == "Where is it?"


@pytest.mark.parametrize(
    ("history", "says"),
    [
        ("-----Original Message-----\nFrom: Shop", "Outlook"),
        ("-------- Original Message --------", "Thunderbird"),
        ("------------------ 原始邮件 ------------------", "QQ mail"),
        ("---Original---\nFrom: Shop", "QQ mail in English"),
        ("----- 元のメッセージ -----", "Outlook in Japanese"),
        ("On Mon, Jan 1, 2024 at 10:00 AM Shop <a@b.example> wrote:\n", "Gmail"),
        ("On Mon, Jan 1, 2024 at 10:00 AM Shop - Amazon Marketplace <\na@b.example> wrote:", "Gmail, wrapped"),
        ("On Jan 1, 2024, at 10:00, Shop - Amazon\nMarketplace and Company\n<a@b.example> wrote:", "Apple, over three lines"),
        ("Am 01.01.2024 um 10:00 schrieb Shop <a@b.example>:", "Thunderbird in German, the verb in the middle"),
        ("Le lun. 1 janv. 2024 à 10:00, Shop <a@b.example> a écrit :", "Gmail in French, with a blank before the colon"),
        ("El lun, 1 ene 2024 a las 10:00, Shop (<a@b.example>) escribió:", "Gmail in Spanish"),
        ("Il giorno lun 1 gen 2024 alle ore 10:00 Shop <a@b.example> ha scritto:", "Gmail in Italian"),
        ("Op ma 1 jan 2024 om 10:00 schreef Shop <a@b.example>:", "Gmail in Dutch"),
        ("Em seg., 1 de jan. de 2024 às 10:00, Shop <a@b.example> escreveu:", "Gmail in Portuguese"),
        ("pon., 1 sty 2024 o 10:00 Shop <a@b.example> napisał(a):", "Gmail in Polish"),
        ("Shop <a@b.example>, 1 Oca 2024 Pzt, 10:00 tarihinde\nşunu yazdı:", "Gmail in Turkish, wrapped"),
        ("2024年1月2日(火) 10:00 Shop <a@b.example>:", "Gmail in Japanese, no verb at all"),
        ("2024/01/02 10:00、Shopのメール:", "Apple in Japanese"),
        ("于2024年1月2日周二 10:00写道：", "Gmail in Chinese, full-width colon"),
        ("From: Shop\nSent: Monday\nTo: Jane\nSubject: RE: order", "Outlook block"),
        ("From: Shop\n\nSent: Monday\n\nTo: Jane\n\nSubject: RE: order", "the same out of HTML"),
        ("*From:* Shop\n*Sent:* Monday\n*To:* Jane", "the same in bold"),
        ("________________________________\nVon: Shop\nGesendet: Montag\nAn: Jane\nBetreff: AW: x", "with its rule, German"),
        ("De : Shop\nEnvoyé : lundi\nÀ : Jane\nObjet : RE: x", "French"),
        ("De: Shop\nEnviado el: lunes\nPara: Jane\nAsunto: RE: x", "Spanish"),
        ("Da: Shop\nInviato: lunedì\nA: Jane\nOggetto: R: x", "Italian"),
        ("Van: Shop\nVerzonden: maandag\nAan: Jane\nOnderwerp: RE: x", "Dutch"),
        ("差出人: Shop\n送信日時: 2024年1月1日\n宛先: Jane\n件名: RE: x", "Japanese"),
        ("发件人：Shop\n发送时间：2024年1月1日\n收件人：Jane\n主题：回复", "Chinese, full-width colons"),
        ("-- \nJane Doe\nCancellation Services Ltd", "a signature"),
        ("--\nJane Doe", "a signature whose blank got lost"),
    ],
)
def test_history_goes(history: str, says: str) -> None:
    assert strip_quotes(f"Where is my order?\nJane\n\n{history}\n{OURS}") == "Where is my order?\nJane", says


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("> please cancel\nNo, keep it", "No, keep it"),  # answer below
        ("> one\nyes\n> two\nno\n", "yes\nno"),  # answers between
        ("On 1 Jan 2024 10:00 Shop wrote:\n\n> quoted\n\nmine", "mine"),  # a marked history, the answer below it
        ("＞引用\n本文", "本文"),  # full-width mark
        ("cancel it\nSent from my iPhone", "cancel it"),
        ("Bitte stornieren\nVon meinem iPhone gesendet", "Bitte stornieren"),
        ("キャンセル希望\niPhoneから送信", "キャンセル希望"),
        ("Von meinem Konto wurde schon abgebucht", "Von meinem Konto wurde schon abgebucht"),  # begins like a phone's line
        ("iPhone case: please cancel", "iPhone case: please cancel"),
        ("Yes cancel -----Original Message----- From: Shop", "Yes cancel"),  # all in one line
        ("please cancel by 10:30\nOn Mon, Jan 1, 2024 at 10:00 Shop <a@b.example> wrote:\nx", "please cancel by 10:30"),
        (
            "my order 302-2012345-1234567\nShop <a@b.example>, 1 Oca 2024, 10:00 tarihinde\nşunu yazdı:\n> x",
            "my order 302-2012345-1234567",
        ),
        ("I wrote:\nplease cancel", "I wrote:\nplease cancel"),  # no date, no address: the writer's own sentence
        ("From: Berlin\nplease cancel", "From: Berlin\nplease cancel"),  # one header name is no block
        ("a -> b", "a -> b"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("cancel\n_____\n\n", "cancel"),  # a rule with nothing below it
    ],
)
def test_own_lines_stay(text: str, own: str) -> None:
    assert strip_quotes(text) == own


@pytest.mark.parametrize(
    "text", ["> all of it\n> is quoted", f"-----Original Message-----\n{OURS}", "--\nJane", "Sent from my iPhone"]
)
def test_if_nothing_is_left_the_whole_text_comes_back(text: str) -> None:
    assert strip_quotes(text) == text


MARKS = ["", "> quoted", "--", "-----Original Message-----", "From: a", "To: b", "Subject: c", "____", "wrote:", ":", "＞"]
LONGER = ["please cancel", "On 1 Jan 2024 10:00 Shop <a@b.example>", "Am 1.1.2024 10:00 schrieb Shop:", "Sent from my iPhone"]
LINES = st.sampled_from([*MARKS, *LONGER])


@given(st.one_of(st.text(), st.lists(st.one_of(LINES, st.text(max_size=20))).map("\n".join)))
def test_never_empty_and_nothing_added(text: str) -> None:
    own = strip_quotes(text)
    assert bool(own) == bool(text.strip())
    assert set(own.split()) <= set(text.split()) or "-----" in text  # the inline marker may cut a word


@given(st.lists(st.text(alphabet="abc äß,.?!", min_size=1, max_size=40)).map("\n".join))
def test_plain_words_are_left_alone(text: str) -> None:
    assert strip_quotes(text).split() == text.split()


@given(st.lists(st.one_of(LINES, st.text(max_size=20))).map("\n".join))
def test_blanking_keeps_every_offset(text: str) -> None:
    blanked = blank_quotes(text)
    assert len(blanked) == len(text)
    assert all(there in (here, " ") for here, there in zip(text, blanked, strict=True))
    assert blanked.split() == strip_quotes(text).split()
