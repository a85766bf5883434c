"""Checks of the rules: examples that get another intent, and words and phrases that cannot do what they are there for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.resources.abc import Traversable
from pathlib import Path

from msgbot.content.phrases import parse_phrase
from msgbot.content.rule_files import ExamplesFile, LanguageFile, RuleReader, language_folders, read_rule_files
from msgbot.content.trial import PhraseTrial
from msgbot.domain.detector import Detector
from msgbot.domain.index import index_of
from msgbot.domain.rulebook import Rulebook
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
    """What is wrong with the rules in `folder`, all of it: what keeps them from being read, else words and phrases that repeat,
    contradict each other or can never match, and examples that get another intent than the one they stand under."""
    try:
        rulebook = read_rule_files(folder)
        examples = list(read_examples(folder))
    except ContentError as error:
        return error.faults
    return [*_check_words(folder, rulebook), *check_examples(Detector(rulebook), examples)]


def check_examples(detector: Detector, examples: Iterable[tuple[str, Intent, str, Fault]]) -> Iterator[Fault]:
    """A fault for every example (as `read_examples` yields them) that `detector` gives another intent, with the rule that
    decided."""
    for language, intent, sentence, place in examples:
        verdict = detector.detect(sentence, language)
        if verdict.intent is not intent:
            found = f"{sentence!r} should be {intent}, but is {verdict.intent} ({verdict.rule}: {verdict.says})"
            yield replace(place, text=found)


def _check_words(folder: Traversable | Path, rulebook: Rulebook) -> Iterator[Fault]:
    reader = RuleReader(folder)
    roles = frozenset(rulebook.roles)
    forms = (rulebook.index or index_of(rulebook.languages, rulebook.frames)).forms
    languages = {language.code: language for language in rulebook.languages}
    for entry in language_folders(folder):
        document = reader.read(entry / "words.yaml", LanguageFile)
        if document is None:
            continue
        data = document.data
        for role, listed in data["words"].items():
            for index, word in enumerate(listed):
                if not _is_one_word(str(word)):
                    yield document.fault(("words", role, index), f"{word!r} {_NEVER}")
        for index, word in enumerate(data.get("not_typos", ())):
            if fold(str(word).strip()) in forms[entry.name]:
                yield document.fault(("not_typos", index), f"{word!r} is a word or stands in a phrase above: it is no typo anyway")
        trial = PhraseTrial(languages[entry.name], forms[entry.name])
        seen: dict[tuple[object, ...], str] = {}
        for role, listed in data.get("phrases", {}).items():
            for index, text in enumerate(listed):
                place = "phrases", role, index
                phrase = parse_phrase(role, str(text), roles)
                for word in sorted(set().union(*(element.words for element in phrase.elements))):
                    if not _is_one_word(word):
                        yield document.fault(place, f"{word!r} {_NEVER}")
                same = seen.setdefault((phrase.elements, phrase.opening), text)
                if same is not text:
                    yield document.fault(place, f"the same as {same!r} above")
                elif fault := trial.fault(phrase):
                    yield document.fault(place, fault)


def _is_one_word(word: str) -> bool:
    word = word.removesuffix("'")  # "l'" is split off the word it is written together with
    return [token.form for token in tokens_of(word)] == [fold(word.strip())]
