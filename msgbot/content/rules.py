"""Reads `rules/` into a `Rulebook`, or lists every fault with its file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msgbot.content.phrases import PhraseError, parse_phrase
from msgbot.content.yamlfile import Document, read_yaml
from msgbot.domain.detector import Detector
from msgbot.domain.rulebook import ACTS, FEATURES, OBJECTS, Frame, LanguageRules, Phrase, Rulebook, Thresholds
from msgbot.domain.text import fold, tokens_of
from msgbot.domain.verdict import Intent
from msgbot.errors import ContentError, Fault

Words = Annotated[list[str], Field(min_length=1)]
Score = Annotated[float, Field(ge=0, le=1)]


_NEVER = "can never match: texts are cut into other words there"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ThresholdsFile(_Strict):
    send: Score
    suggest: Score


class _CommonFile(_Strict):
    """`rules/common.yaml`."""

    thresholds: _ThresholdsFile
    roles: dict[str, str]


class _FrameFile(_Strict):
    id: str
    intent: Intent
    score: Score
    says: str
    act: list[Literal[ACTS]] = []  # type: ignore[valid-type]
    object: list[Literal[OBJECTS]] = []  # type: ignore[valid-type]
    having: list[Literal[FEATURES]] = []  # type: ignore[valid-type]
    any_of: list[Literal[FEATURES]] = []  # type: ignore[valid-type]
    lacking: list[Literal[FEATURES]] = []  # type: ignore[valid-type]
    opposes: bool = False


class _FramesFile(_Strict):
    """`rules/frames.yaml`."""

    frames: list[_FrameFile]


class _LanguageFile(_Strict):
    """`rules/<code>/words.yaml`."""

    name: str
    verb_final: bool = False
    negation_after: bool = False
    unspaced: bool = False
    head_first: bool = False
    spellings: dict[str, str] = {}
    words: dict[str, Words]
    phrases: dict[str, Words] = {}
    not_typos: list[str] = []


class ExamplesFile(_Strict):
    """`rules/<code>/examples.yaml`: sentences by the intent that each must get."""

    request: Words
    conditional: Words
    withdrawn: Words
    none: Words


@lru_cache(maxsize=1)
def built_in_rules() -> Rulebook:
    """The rules that ship with msgbot. Raises ContentError."""
    return read_rules(files("msgbot.rules"))


def read_rules(folder: Traversable | Path) -> Rulebook:
    """The rulebook in `folder`. Raises ContentError with every fault."""
    reader = _Reader(folder)
    rulebook = reader.rulebook()
    if reader.faults or rulebook is None:
        raise ContentError(reader.faults)
    return rulebook


def read_examples(folder: Traversable | Path) -> Iterator[tuple[str, Intent, str, Fault]]:
    """Every example sentence: language, the intent it must get, the sentence, and its place (as a Fault that says nothing yet).

    Raises ContentError when a file cannot be read."""
    for language in _language_folders(folder):
        reader = _Reader(folder)
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
        rulebook = read_rules(folder)
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
    reader = _Reader(folder)
    for language in _language_folders(folder):
        document = reader.read(language / "words.yaml", _LanguageFile)
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


def _language_folders(folder: Traversable | Path) -> list[Traversable]:
    found = [entry for entry in folder.iterdir() if entry.is_dir() and (entry / "words.yaml").is_file()]
    return sorted(found, key=lambda entry: (entry.name != "en", entry.name))


class _Reader:
    def __init__(self, folder: Traversable | Path) -> None:
        self.folder = folder
        self.faults: list[Fault] = []
        self.digest = hashlib.sha256()

    def read(self, file: Traversable, model: type[BaseModel]) -> Document | None:
        """The file's document when it has the shape of `model`; faults are collected."""
        name = str(file) if isinstance(file, Path) else file.name
        try:
            raw = file.read_bytes()
            text = raw.decode("utf-8")
        except FileNotFoundError:
            self.faults.append(Fault(name, 0, 0, "the file is missing"))
            return None
        except UnicodeDecodeError as error:
            self.faults.append(Fault(name, raw[: error.start].count(b"\n") + 1, 0, "not UTF-8"))
            return None
        self.digest.update(raw)
        document = read_yaml(name, text)
        before = len(self.faults)
        self.faults += document.faults
        if document.data is not None:
            try:
                model.model_validate(document.data)
            except ValidationError as error:
                for problem in error.errors():
                    path = tuple(part for part in problem["loc"] if isinstance(part, str | int))
                    self.faults.append(document.fault(path, f"{'.'.join(map(str, path)) or 'file'}: {problem['msg']}"))
        return document if len(self.faults) == before else None

    def rulebook(self) -> Rulebook | None:
        common = self.read(self.folder / "common.yaml", _CommonFile)
        frames = self.read(self.folder / "frames.yaml", _FramesFile)
        if common is None or frames is None:
            return None
        roles = frozenset(common.data["roles"])
        languages = tuple(self._language(entry, roles) for entry in _language_folders(self.folder))
        if not languages:
            self.faults.append(Fault(str(self.folder), 0, 0, "no language: each needs a folder with a words.yaml"))
        return Rulebook(
            languages=tuple(language for language in languages if language is not None),
            frames=tuple(self._frames(frames)),
            thresholds=Thresholds(**common.data["thresholds"]),
            fingerprint=self.digest.hexdigest()[:16],
            roles=common.data["roles"],
        )

    def _frames(self, document: Document) -> Iterator[Frame]:
        seen: set[str] = set()
        for index, each in enumerate(document.data["frames"]):
            if each["id"] in seen:
                self.faults.append(document.fault(("frames", index, "id"), f"a frame called {each['id']!r} stands above already"))
            seen.add(each["id"])
            yield Frame(
                each["id"], Intent(each["intent"]), float(each["score"]), each["says"], frozenset(each.get("act", ())),
                frozenset(each.get("object", ())), frozenset(each.get("having", ())), frozenset(each.get("any_of", ())),
                frozenset(each.get("lacking", ())), bool(each.get("opposes", False)),
            )  # fmt: skip

    def _language(self, folder: Traversable, roles: frozenset[str]) -> LanguageRules | None:
        document = self.read(folder / "words.yaml", _LanguageFile)
        if document is None:
            return None
        data: dict[str, Any] = document.data
        spellings = data.get("spellings", {})
        words: dict[str, tuple[str, ...]] = {}
        for role, listed in data["words"].items():
            if role not in roles:
                self.faults.append(document.fault(("words", role), f"no role is called {role!r}; rules/common.yaml lists them"))
            forms: dict[str, None] = {}
            for index, word in enumerate(listed):
                form = fold(str(word).strip())
                place = ("words", role, index)
                if not form or " " in form:
                    self.faults.append(document.fault(place, f"{word!r} is not one word; several words belong under 'phrases'"))
                if form in forms:
                    self.faults.append(document.fault(place, f"{word!r} stands here already (capitals do not count)"))
                for variant in spelling_variants(str(word), spellings):
                    forms[variant] = None
            words[role] = tuple(forms)
        phrases = tuple(self._phrases(document, roles, spellings))
        not_typos = frozenset(fold(str(word).strip()) for word in data.get("not_typos", ()))
        return LanguageRules(
            code=folder.name,
            name=data["name"],
            words=words,
            phrases=phrases,
            not_typos=not_typos,
            verb_final=data.get("verb_final", False),
            negation_after=data.get("negation_after", False),
            unspaced=data.get("unspaced", False),
            head_first=data.get("head_first", False),
        )

    def _phrases(self, document: Document, roles: frozenset[str], spellings: dict[str, str]) -> Iterator[Phrase]:
        seen: dict[str, str] = {}
        for role, listed in document.data.get("phrases", {}).items():
            if role not in roles:
                self.faults.append(document.fault(("phrases", role), f"no role is called {role!r}; rules/common.yaml lists them"))
                continue
            for index, text in enumerate(listed):
                place = ("phrases", role, index)
                if text in seen:
                    self.faults.append(document.fault(place, f"this phrase stands under {seen[text]!r} already"))
                seen[text] = role
                for variant in spelling_variants(str(text), spellings, fold_it=False):
                    try:
                        yield parse_phrase(role, variant, roles)
                    except PhraseError as error:
                        self.faults.append(document.fault(place, str(error)))
                        break


def spelling_variants(text: str, spellings: dict[str, str], *, fold_it: bool = True) -> list[str]:
    """`text` as it is and with each letter spelled out (`für`, `fuer`), without repeats."""
    spelled = text
    for letter, out in spellings.items():
        spelled = spelled.replace(letter, out).replace(letter.upper(), out)
    found = [fold(text.strip()), fold(spelled.strip())] if fold_it else [text, spelled]
    return list(dict.fromkeys(found))
