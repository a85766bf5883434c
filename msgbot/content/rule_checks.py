"""Checks of the rules: examples that get another intent, and words and phrases that cannot do what they are there for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.resources.abc import Traversable
from pathlib import Path

from msgbot.content.phrases import parse_phrase
from msgbot.content.rule_files import ExamplesFile, LanguageFile, RuleReader, language_folders, read_rule_files
from msgbot.domain.detector import Detector
from msgbot.domain.text import fold, tokens_of
from msgbot.domain.verdict import Intent
from msgbot.errors import ContentError, Fault

_NEVER = "can never match: texts are cut into other words there"


def read_examples(folder: Traversable | Path) -> Iterator[tuple[str, Intent, str, Fault]]:
    """Every example sentence: language, the intent it must get, the sentence, and its place (as a Fault that says nothing yet).

    Raises ContentError when a file cannot be read."""
    for language in language_folders(folder):
        reader = RuleReader(folder)
        document = reader.read(language / "examples.yaml", ExamplesFile)
        if document is None:
            raise ContentError(reader.faults)
        for intent in Intent:
            for index, sentence in enumerate(document.data[intent.value]):
                yield language.name, intent, str(sentence), document.fault((intent.value, index), "")


def check_rules(folder: Traversable | Path) -> list[Fault]:
    """What is wrong with the rules in `folder`, all of it: what keeps them from being read, else words and phrases that can never
    match, phrases that repeat, and examples that get another intent than the one they stand under."""
    try:
        rulebook = read_rule_files(folder)
        examples = list(read_examples(folder))
    except ContentError as error:
        return error.faults
    return [*_check_words(folder, frozenset(rulebook.roles)), *check_examples(Detector(rulebook), examples)]


def check_examples(detector: Detector, examples: Iterable[tuple[str, Intent, str, Fault]]) -> Iterator[Fault]:
    """A fault for every example (as `read_examples` yields them) that `detector` gives another intent, with the rule that
    decided."""
    for language, intent, sentence, place in examples:
        verdict = detector.detect(sentence, language)
        if verdict.intent is not intent:
            found = f"{sentence!r} should be {intent}, but is {verdict.intent} ({verdict.rule}: {verdict.says})"
            yield replace(place, text=found)


def _check_words(folder: Traversable | Path, roles: frozenset[str]) -> Iterator[Fault]:
    reader = RuleReader(folder)
    for language in language_folders(folder):
        document = reader.read(language / "words.yaml", LanguageFile)
        if document is None:
            continue
        for role, listed in document.data["words"].items():
            for index, word in enumerate(listed):
                if not _is_one_word(str(word)):
                    yield document.fault(("words", role, index), f"{word!r} {_NEVER}")
        seen: dict[tuple[object, ...], str] = {}
        for role, listed in document.data.get("phrases", {}).items():
            for index, text in enumerate(listed):
                phrase = parse_phrase(role, str(text), roles)
                for word in sorted(set().union(*(element.words for element in phrase.elements))):
                    if not _is_one_word(word):
                        yield document.fault(("phrases", role, index), f"{word!r} {_NEVER}")
                same = seen.setdefault((phrase.elements, phrase.opening), text)
                if same is not text:
                    yield document.fault(("phrases", role, index), f"the same as {same!r} above")


def _is_one_word(word: str) -> bool:
    word = word.removesuffix("'")  # "l'" is split off the word it is written together with
    return [token.form for token in tokens_of(word)] == [fold(word.strip())]
