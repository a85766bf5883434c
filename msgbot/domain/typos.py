"""Words with a slip in them: which word of the rules was meant, and where a word of the rules sticks to others.

A slip of one edit leaves the first or the second half of a word whole, or swaps the two letters in the middle; so a few look-ups
find the few words worth comparing, however many the rules know. The comparison itself is rapidfuzz's optimal string alignment: one
swap, slip, miss or extra letter is one edit.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from rapidfuzz import process
from rapidfuzz.distance import OSA

SHORTEST = 5
"""Shorter words are never taken for typos: too many of them are one edit apart."""
SHORTEST_ARABIC = 6
"""So, too, in Arabic script, which writes few vowels."""
TWO_EDITS_FROM = 10
LONGEST_PIECE = 15
_END = 3
"""Two edits in a long word are taken to leave so many letters whole at its beginning or its end."""


class TypoIndex:
    """The words that are recognised with typos, found by their halves."""

    def __init__(self, forms: Iterable[str]) -> None:
        self._heads: dict[int, dict[str, list[str]]] = {}
        self._tails: dict[int, dict[str, list[str]]] = {}
        self._around: dict[int, dict[tuple[str, str], list[str]]] = {}
        self._ends: dict[str, list[str]] = {}
        self._ranks: dict[str, int] = {}
        for form in forms:
            length = len(form)
            if length < (SHORTEST_ARABIC if "\u0600" <= form[0] <= "\u06ff" else SHORTEST):
                continue
            self._ranks[form] = len(self._ranks)
            half = length // 2
            self._heads.setdefault(length, {}).setdefault(form[:half], []).append(form)
            self._tails.setdefault(length, {}).setdefault(form[half:], []).append(form)
            self._around.setdefault(length, {}).setdefault((form[: half - 1], form[half + 1 :]), []).append(form)
            if length >= TWO_EDITS_FROM - 2:
                self._ends.setdefault("^" + form[:_END], []).append(form)
                self._ends.setdefault(form[-_END:] + "$", []).append(form)

    def nearest(self, word: str) -> tuple[list[str], int]:
        """The known words that `word` may be a typo of, all equally near, in the order they were named, and the number of edits.
        One edit is forgiven, two in long words."""
        length = len(word)
        if length < SHORTEST or not word.isalpha():
            return [], 0
        found: list[str] = []
        for other in (length, length - 1, length + 1):
            heads = self._heads.get(other)
            if heads is not None:
                half = other // 2
                found += heads.get(word[:half], ())
                found += self._tails[other].get(word[half - other :], ())
        half = length // 2
        found += self._around.get(length, {}).get((word[: half - 1], word[half + 1 :]), ())
        allowed = 1
        if length >= TWO_EDITS_FROM:
            allowed = 2
            found += self._ends.get("^" + word[:_END], ())
            found += self._ends.get(word[-_END:] + "$", ())
        if not found:
            return [], 0
        in_order = sorted(set(found), key=self._ranks.__getitem__)
        near = process.extract(word, in_order, scorer=OSA.distance, score_cutoff=allowed, limit=None)
        if not near:
            return [], 0
        least = min(edits for _, edits, _ in near)
        return sorted((form for form, edits, _ in near if edits == least), key=self._ranks.__getitem__), int(least)


class GlueIndex:
    """The words that are found when others of their language stick to them: `tocancel`, `cancelmyorder`, `order123`.

    `forms` are the words worth finding, `known` all words, both by language code."""

    def __init__(self, forms: Mapping[str, Iterable[str]], known: Mapping[str, Container[str]]) -> None:
        self._known = known
        self._starts: dict[str, list[tuple[str, str]]] = {}
        pairs = ((form, code) for code, listed in forms.items() for form in listed if len(form) >= SHORTEST)
        for form, code in sorted(pairs, key=lambda pair: -len(pair[0])):
            self._starts.setdefault(form[:SHORTEST], []).append((form, code))

    def inside(self, word: str) -> dict[str, str]:
        """For each language, the word worth finding in `word` when nothing but known words and digits is stuck to it; the first and
        longest counts."""
        found: dict[str, str] = {}
        for at in range(len(word) - SHORTEST + 1):
            starting = self._starts.get(word[at : at + SHORTEST])
            if starting is None:
                continue
            for form, code in starting:
                if code not in found and word.startswith(form, at):
                    known = self._known[code]
                    if _made_of_words(word[:at], known) and _made_of_words(word[at + len(form) :], known):
                        found[code] = form
        return found


def _made_of_words(rest: str, known: Container[str]) -> bool:
    """Whether `rest` can be cut into known words of two letters or more; digits count as words."""
    reached = {0}
    for start in range(len(rest)):
        if start in reached:
            for end in range(start + 1, min(len(rest), start + LONGEST_PIECE) + 1):
                piece = rest[start:end]
                if piece.isdigit() or (len(piece) > 1 and piece in known):
                    reached.add(end)
    return len(rest) in reached
