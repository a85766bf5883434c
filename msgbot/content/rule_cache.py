"""The rules as they were read, kept in a file of the user's cache folder, so that starting takes a moment.

The file is named by what it was made of: the rules, and the code that reads them. It holds plain values in Python's marshal format,
which cannot run code, behind a digest; a file that is missing, damaged or foreign is made again, and one that cannot be written is
done without.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import marshal
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, overload

import platformdirs

from msgbot.domain.index import index_of
from msgbot.domain.rulebook import Element, Frame, LanguageRules, Phrase, Rulebook, RuleIndex, Thresholds
from msgbot.domain.verdict import Intent

_KEPT = 4
"""So many files of older rules stay, for people who go back and forth between versions."""
_DIGEST = 32
_READERS = {
    "msgbot.content": ("phrases.py", "rule_cache.py", "rule_files.py", "yamlfile.py"),
    "msgbot.domain": ("index.py", "rulebook.py", "text.py"),
}


def fingerprint_of(folder: Traversable | Path) -> str:
    """What the files in `folder` and the code that reads them are, as a short text that changes whenever they do."""
    digest = hashlib.sha256(f"{sys.implementation.cache_tag} {marshal.version}".encode())
    languages = sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=lambda entry: entry.name)
    sources = [folder / "common.yaml", folder / "frames.yaml", *(language / "words.yaml" for language in languages)]
    sources += [files(package) / name for package, names in _READERS.items() for name in names]
    for source in sources:
        with contextlib.suppress(OSError):
            digest.update(b"\0" + source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:32]


class RuleCache:
    """One place in the cache, for rules with this fingerprint."""

    def __init__(self, fingerprint: str, folder: Path | None = None) -> None:
        self._folder = folder or Path(platformdirs.user_cache_dir("msgbot", appauthor=False))
        self._file = self._folder / f"rules-{fingerprint}.bin"

    def load(self) -> Rulebook | None:
        """The rulebook, or None when the cache does not have it."""
        try:
            stored = self._file.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(stored[_DIGEST:]).digest() != stored[:_DIGEST]:
            return None
        with _without_collecting():
            return _unpacked(marshal.loads(stored[_DIGEST:]))  # noqa: S302 - runs nothing, and the user's own file

    def store(self, rulebook: Rulebook) -> Rulebook:
        """`rulebook` with its index, which is now in the cache if it could be written."""
        with _without_collecting():
            indexed = _indexed(rulebook)
            packed = marshal.dumps(_packed(indexed))
        if not self._folder.is_absolute():
            return indexed  # the user has no home folder
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self._file.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(hashlib.sha256(packed).digest() + packed)
            fresh.replace(self._file)
            older = sorted(self._folder.glob("rules-*.bin"), key=lambda file: file.stat().st_mtime, reverse=True)
            for file in older[_KEPT:]:
                file.unlink()
        return indexed


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """So many small values are made at once that looking for garbage among them takes most of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _StoredPhrases(Sequence[Phrase]):
    """The phrases of a language, unpacked when they are first needed."""

    def __init__(self, packed: bytes, forms: Iterable[str]) -> None:
        self._packed = packed
        self._forms = forms
        self._phrases: tuple[Phrase, ...] | None = None

    def _all(self) -> tuple[Phrase, ...]:
        packed = self._packed  # taken first: another thread may be done and have dropped it
        if self._phrases is None:
            # Words and places that are the same become the same, which saves most of the memory.
            names = {form: form for form in self._forms}
            same: dict[tuple[Any, ...], Element] = {}

            def element(words: frozenset[str], *rest: Any) -> Element:
                found = same.get((words, *rest))
                if found is None:
                    found = same[(words, *rest)] = Element(frozenset([names.get(word, word) for word in words]), *rest)
                return found

            self._phrases = tuple(
                Phrase(role, tuple([element(*place) for place in places]), text, opening)
                for role, places, text, opening in marshal.loads(packed)  # noqa: S302 - a part of what was loaded above
            )
            self._packed = b""
        return self._phrases

    @overload
    def __getitem__(self, place: int) -> Phrase: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Phrase]: ...

    def __getitem__(self, place: int | slice) -> Phrase | Sequence[Phrase]:
        return self._all()[place]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Phrase]:
        return iter(self._all())


def _indexed(rulebook: Rulebook) -> Rulebook:
    index = index_of(rulebook.languages, rulebook.frames)
    return Rulebook(rulebook.languages, rulebook.frames, rulebook.thresholds, rulebook.fingerprint, rulebook.roles, index)


def _packed(rulebook: Rulebook) -> tuple[Any, ...]:
    index = rulebook.index or index_of(rulebook.languages, rulebook.frames)
    return (
        rulebook.fingerprint,
        dict(rulebook.roles),
        (rulebook.thresholds.send, rulebook.thresholds.suggest),
        [
            (
                frame.id, frame.intent.value, frame.score, frame.says, frame.acts, frame.objects, frame.having, frame.any_of,
                frame.lacking, frame.opposes,
            )
            for frame in rulebook.frames
        ],
        [
            (
                language.code, language.name, dict(language.words), marshal.dumps(_packed_phrases(language)), language.not_typos,
                language.verb_final, language.negation_after, language.unspaced, language.head_first, language.negation_adjacent,
                dict(language.prefixes), dict(language.endings),
            )
            for language in rulebook.languages
        ],
        (index.forms, index.groups, index.ways),
    )  # fmt: skip


def _packed_phrases(language: LanguageRules) -> list[tuple[Any, ...]]:
    return [
        (
            phrase.role,
            [(place.words, place.roles, place.gap, place.optional) for place in phrase.elements],
            phrase.text,
            phrase.opening,
        )
        for phrase in language.phrases
    ]


def _unpacked(packed: tuple[Any, ...]) -> Rulebook:
    fingerprint, roles, thresholds, frames, languages, index = packed
    return Rulebook(
        tuple(
            LanguageRules(code, name, words, _StoredPhrases(phrases, index[0][code]), *rest)
            for code, name, words, phrases, *rest in languages
        ),
        tuple(Frame(name, Intent(intent), *rest) for name, intent, *rest in frames),
        Thresholds(*thresholds),
        fingerprint,
        roles,
        RuleIndex(*index),
    )
