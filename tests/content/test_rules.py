"""Reading the rule files: what they say, and every fault with its file and line, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgbot.content.phrases import PhraseError, parse_phrase
from msgbot.content.rule_checks import check_rules, read_examples
from msgbot.content.rules import built_in_rules, read_rules
from msgbot.domain.rulebook import Element
from msgbot.domain.verdict import Intent
from msgbot.errors import ContentError

COMMON = """\
thresholds: {send: 0.85, suggest: 0.5}
roles:
  cancel: to cancel
  order: the order
  please: asking
  filler: nothing
"""
FRAMES = """\
frames:
  - {id: cancels, intent: request, score: 0.9, act: [cancel], says: asks to cancel}
"""
WORDS = """\
name: English
words:
  cancel: [cancel]
  order: [order, bestellung]
phrases:
  cancel:
    - call off
"""
EXAMPLES = """\
request: [cancel my order]
conditional: [nothing yet]
withdrawn: [nothing yet]
none: [hello]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "en").mkdir()
    for name, text in {"common.yaml": COMMON, "frames.yaml": FRAMES, "en/words.yaml": WORDS, "en/examples.yaml": EXAMPLES}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def faults(folder: Path) -> list[str]:
    with pytest.raises(ContentError) as caught:
        read_rules(folder)
    return [str(fault).removeprefix(f"{folder}/") for fault in caught.value.faults]


def test_reads(folder: Path) -> None:
    rulebook = read_rules(folder)
    (english,) = rulebook.languages
    assert english.words == {"cancel": ("cancel",), "order": ("order", "bestellung")}
    assert [phrase.text for phrase in english.phrases] == ["call off"]
    assert rulebook.frames[0].intent is Intent.REQUEST
    assert rulebook.thresholds.send == 0.85


def test_the_fingerprint_changes_with_the_rules(folder: Path) -> None:
    before = read_rules(folder).fingerprint
    assert read_rules(folder).fingerprint == before
    (folder / "en/words.yaml").write_text(WORDS + "    - back out\n", encoding="utf-8")
    assert read_rules(folder).fingerprint != before


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        # YAML
        ("en/words.yaml", "  order: [order, bestellung]", "  cancel: [order]", "en/words.yaml:4:3: 'cancel' stands here twice"),
        ("en/words.yaml", "[order, bestellung]", "[order, on]", "en/words.yaml:4:18: YAML does not read 'on' as a word"),
        ("en/words.yaml", "name: English", "name: [", "not valid YAML"),
        ("en/words.yaml", "name: English", "name: !!python/object:os.system x", "tags are not allowed here"),
        ("en/words.yaml", WORDS, "", "en/words.yaml: the file is empty"),
        # shape
        ("en/words.yaml", "name: English", "name: English\nverb_last: true", "words.yaml:2:12: verb_last: Extra inputs"),
        ("en/words.yaml", "name: English\n", "", "name: Field required"),
        ("en/words.yaml", "[order, bestellung]", "[]", "en/words.yaml:4:10: words.order: List should"),
        ("frames.yaml", "request", "requests", "frames.yaml:2:27: frames.0.intent: Input should be"),
        ("frames.yaml", "[cancel]", "[dance]", "frames.yaml:2:54: frames.0.act.0: Input should be"),
        ("common.yaml", "0.85", "1.85", "common.yaml:1:20: thresholds.send: Input should be less than or equal to 1"),
        # meaning
        ("en/words.yaml", "  order: [", "  ordre: [", "en/words.yaml:4:10: no role is called 'ordre'"),
        ("en/words.yaml", "bestellung", "ORDER", "en/words.yaml:4:18: 'ORDER' stands here already"),
        ("en/words.yaml", "bestellung", "my order", "en/words.yaml:4:18: 'my order' is not one word"),
        ("en/words.yaml", "call off", "call <of>", "en/words.yaml:7:7: no role is called 'of'"),
        ("en/words.yaml", "call off", "call off\n    - call off", "words.yaml:8:7: this phrase stands under"),
        ("frames.yaml", FRAMES, FRAMES + FRAMES.splitlines()[1] + "\n", "frames.yaml:3:10: a frame called 'cancels' stands above"),
    ],
)  # fmt: skip
def test_a_fault_has_its_place(folder: Path, file: str, old: str, new: str, fault: str) -> None:
    path = folder / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    assert any(fault in found for found in faults(folder)), faults(folder)


def test_a_missing_file(folder: Path) -> None:
    (folder / "frames.yaml").unlink()
    assert faults(folder) == ["frames.yaml: the file is missing"]


def test_not_utf_8(folder: Path) -> None:
    (folder / "en/words.yaml").write_bytes(WORDS.encode() + b"# \xff")
    assert faults(folder) == ["en/words.yaml:8: not UTF-8"]


def test_no_language(folder: Path) -> None:
    (folder / "en/words.yaml").unlink()
    assert "no language" in faults(folder)[0]


def test_all_faults_at_once(folder: Path) -> None:
    bad = WORDS.replace("bestellung", "order").replace("call off", "call <of>").replace("cancel: [", "cancle: [")
    (folder / "en/words.yaml").write_text(bad, encoding="utf-8")
    (folder / "common.yaml").write_text(COMMON + "extra: 1\n", encoding="utf-8")
    assert faults(folder) == ["common.yaml:7:8: extra: Extra inputs are not permitted"]  # without roles nothing else can be judged
    (folder / "common.yaml").write_text(COMMON, encoding="utf-8")
    assert [fault.split(": ")[0] for fault in faults(folder)] == ["en/words.yaml:3:11", "en/words.yaml:4:18", "en/words.yaml:7:7"]


def test_spellings(folder: Path) -> None:
    text = WORDS.replace("words:", "spellings: {ü: ue}\nwords:").replace("bestellung", "rückgabe")
    (folder / "en/words.yaml").write_text(text, encoding="utf-8")
    assert read_rules(folder).languages[0].words["order"] == ("order", "rückgabe", "rueckgabe")


def test_examples_know_their_place(folder: Path) -> None:
    language, intent, sentence, place = next(read_examples(folder))
    assert (language, intent, sentence, place.line) == ("en", Intent.REQUEST, "cancel my order", 1)


def test_missing_examples(folder: Path) -> None:
    (folder / "en/examples.yaml").unlink()
    with pytest.raises(ContentError, match="the file is missing"):
        list(read_examples(folder))


def test_a_good_folder_has_no_faults(folder: Path) -> None:
    (folder / "en/examples.yaml").write_text(EXAMPLES.replace("nothing yet", "hello"), encoding="utf-8")
    found = [fault for fault in check_rules(folder) if "should be" not in fault.text]
    assert found == []


def test_a_word_that_is_split_off_is_no_fault(folder: Path) -> None:
    (folder / "en/words.yaml").write_text(WORDS.replace("bestellung", '"l\'"'), encoding="utf-8")
    assert not [fault for fault in check_rules(folder) if "never match" in fault.text]


def test_an_example_read_otherwise_is_a_fault(folder: Path) -> None:
    (folder / "en/examples.yaml").write_text(EXAMPLES.replace("[hello]", "[hello, cancel it]"), encoding="utf-8")
    found = [str(fault).removeprefix(f"{folder}/") for fault in check_rules(folder)]
    assert "en/examples.yaml:4:15: 'cancel it' should be none, but is request (cancels/en: asks to cancel)" in found


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("bestellung", "pre-order", "en/words.yaml:4:18: 'pre-order' can never match"),
        ("call off", "call 'off", 'en/words.yaml:7:7: "\'off" can never match'),
        ("call off", "call off\n    - CALL off", "en/words.yaml:8:7: the same as 'call off' above"),
    ],
)
def test_what_can_never_match_is_a_fault(folder: Path, old: str, new: str, fault: str) -> None:
    (folder / "en/words.yaml").write_text(WORDS.replace(old, new), encoding="utf-8")
    assert any(fault in str(found) for found in check_rules(folder)), check_rules(folder)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "an empty phrase"),
        ("... cancel", "cannot stand first or last"),
        ("cancel ...", "cannot stand first or last"),
        ("[cancel] [it]", "nothing in it is required"),
        ("cancel [it", "without its"),
        ("cancel <cancel", "write words and <roles>"),
        ("cancel <dance>", "no role is called 'dance'"),
        (" ".join("abcdefghijklm"), "longer than 12"),
    ],
)
def test_a_phrase_that_cannot_be_read(text: str, problem: str) -> None:
    with pytest.raises(PhraseError, match=problem):
        parse_phrase("cancel", text, frozenset({"cancel"}))


def test_phrase_elements() -> None:
    phrase = parse_phrase("cancel", "^ stop|halt [my] ... <order|cancel>|IT", frozenset({"order", "cancel"}))
    assert phrase.opening
    assert phrase.elements == (
        Element(frozenset({"stop", "halt"})),
        Element(frozenset({"my"}), optional=True),
        Element(gap=3),
        Element(frozenset({"it"}), frozenset({"order", "cancel"})),
    )


def test_the_rules_that_ship_are_used_whole() -> None:
    """Every role that common.yaml explains is played by some word or phrase of some language."""
    rulebook = built_in_rules()
    played = {role for language in rulebook.languages for role in language.words}
    played |= {phrase.role for language in rulebook.languages for phrase in language.phrases}
    assert set(rulebook.roles) - played == set()


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("    - call  off", "the same as 'call off' above"),
        ("  filler:\n    - call off it\n  please:\n    - call off it", "this phrase stands under 'filler' already"),
        ("  filler:\n    - call off it\n  please:\n    - call off|of it", ""),
        ("  filler:\n    - call off|of it\n  please:\n    - call off it", "always comes first"),
        ("    - call ... off", ""),
        ("    - call <please>", "no word or phrase plays please"),
        ("    - call <please>\n  please:\n    - if you could", ""),
        ("    - call <order> ... [off]", ""),
        ("not_typos: [canal]", ""),
        ("not_typos: [order]", "'order' is a word or stands in a phrase above"),
        ("not_typos: [call]", "'call' is a word or stands in a phrase above"),
    ],
)
def test_phrases_that_repeat_contradict_or_never_match(folder: Path, more: str, fault: str) -> None:
    (folder / "en/words.yaml").write_text(WORDS + more + "\n", encoding="utf-8")
    found = [str(each) for each in check_rules(folder) if "should be" not in each.text]
    if fault:
        assert [fault in each and "en/words.yaml:" in each for each in found] == [True], found
    else:
        assert found == []
