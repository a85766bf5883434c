"""Reads the files in `rules/` into a `Rulebook`, or lists every fault with its file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msgbot.content.phrases import PhraseError, parse_phrase
from msgbot.content.yamlfile import Document, read_yaml
from msgbot.domain.rulebook import ACTS, FEATURES, OBJECTS, Frame, LanguageRules, Phrase, Rulebook, Thresholds
from msgbot.domain.text import fold
from msgbot.domain.verdict import Intent
from msgbot.errors import ContentError, Fault

Words = Annotated[list[str], Field(min_length=1)]
Score = Annotated[float, Field(ge=0, le=1)]


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


class LanguageFile(_Strict):
    """`rules/<code>/words.yaml`."""

    name: str
    verb_final: bool = False
    negation_after: bool = False
    unspaced: bool = False
    head_first: bool = False
    negation_adjacent: bool = False
    prefixes: dict[str, str] = {}
    endings: dict[str, Words] = {}
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


def read_rule_files(folder: Traversable | Path) -> Rulebook:
    """The rulebook in `folder`. Raises ContentError with every fault."""
    reader = RuleReader(folder)
    rulebook = reader.rulebook()
    if reader.faults or rulebook is None:
        raise ContentError(reader.faults)
    return rulebook


def language_folders(folder: Traversable | Path) -> list[Traversable]:
    """The folders of the languages, English first."""
    found = [entry for entry in folder.iterdir() if entry.is_dir() and (entry / "words.yaml").is_file()]
    return sorted(found, key=lambda entry: (entry.name != "en", entry.name))


class RuleReader:
    """Reads the files of one folder and gathers their `faults`."""

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
        """The rulebook, or None when `faults` say why there is none."""
        common = self.read(self.folder / "common.yaml", _CommonFile)
        frames = self.read(self.folder / "frames.yaml", _FramesFile)
        if common is None or frames is None:
            return None
        roles = frozenset(common.data["roles"])
        languages = tuple(self._language(entry, roles) for entry in language_folders(self.folder))
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
        document = self.read(folder / "words.yaml", LanguageFile)
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
        for kind in ("prefixes", "endings"):
            for key, value in data.get(kind, {}).items():
                role = value if kind == "prefixes" else key
                if role and role not in roles:
                    self.faults.append(document.fault((kind, key), f"no role is called {role!r}; rules/common.yaml lists them"))
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
            negation_adjacent=data.get("negation_adjacent", False),
            prefixes={fold(str(prefix)): str(role) for prefix, role in data.get("prefixes", {}).items()},
            endings={role: tuple(fold(str(ending)) for ending in listed) for role, listed in data.get("endings", {}).items()},
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
