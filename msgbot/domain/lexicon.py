"""The lexicon: which roles a word has, in which languages, found exactly, without blanks, glued to others, or with a typo.

One look-up serves all languages. A word that no look-up knows is compared once (rapidfuzz, optimal string alignment: one swap,
slip, miss or extra letter is one edit) and then remembered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

from msgbot.domain.rulebook import LanguageRules, Rulebook
from msgbot.domain.text import has_cjk, unleet, without_accents

Roles = frozenset[str]
Entry = Mapping[str, Roles]
"""Language code to the roles that the word has there."""

NOTHING: Entry = {}
STRONG = frozenset({"cancel", "cancelling", "cancelled", "cancellation"})
GLUED = STRONG | {"order"}
"""Roles whose words are found when others stick to them (`tocancel`, `order123`)."""
FUZZY_ROLES = STRONG | {"order", "disregard", "foreign", "please", "if", "error", "want"}
"""Roles whose words are recognised with typos."""
SHARED_ROLES = STRONG | {"order", "please"}
"""Roles that a word keeps in a sentence of another language ("bitte cancel")."""
MIN_FUZZY = 5
TWO_EDITS_FROM = 10
CACHE_LIMIT = 100_000
LONGEST_WORD = 40
LONGEST_PIECE = 15
_LATIN = re.compile("[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Known:
    """What the lexicon says of a word: its entry, the spelling it was taken for, and how many edits away that is."""

    entry: Entry
    form: str
    edits: int = 0


class Lexicon:
    """Built once per rulebook; look-ups fill a bounded cache and are safe from any thread."""

    def __init__(self, rulebook: Rulebook) -> None:
        entries = _entries(rulebook.languages)
        self._not_typos = frozenset().union(*(language.not_typos for language in rulebook.languages))
        self._known = {form: Known(entry, form) for form, entry in entries.items()}
        self._unspaced = {form: known for form, known in self._known.items() if has_cjk(form)}
        self._longest_unspaced = max(map(len, self._unspaced), default=0)
        # Typos are compared on the plain spelling, as they are looked up by it.
        spaced = [form for form in entries if len(form) >= MIN_FUZZY and form == _plain(form) and form not in self._unspaced]
        self._by_length: dict[int, list[str]] = {}
        for form in spaced:
            if _any_role(entries[form], FUZZY_ROLES):
                for length in range(len(form) - 2, len(form) + 3):
                    self._by_length.setdefault(length, []).append(form)
        self._strong = frozenset(form for form in spaced if _any_role(entries[form], STRONG))
        self._gluing = frozenset(form for form in spaced if _any_role(entries[form], GLUED))
        longest_first = sorted(self._gluing, key=len, reverse=True)
        self._glue = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
        self._cache: dict[str, Known] = {}

    def look_up(self, form: str) -> Known:
        """What is known of the folded word `form`; an empty entry when nothing is."""
        known = self._known.get(form) or self._cache.get(form)
        if known is None:
            known = self._find(form)
            if len(self._cache) >= CACHE_LIMIT:
                self._cache.clear()
            self._cache[form] = known
        return known

    def elided(self, form: str) -> Known | None:
        """The short word that `form` begins with, written with an apostrophe (French `l'annuler`), unless the rules know the
        whole."""
        head, apostrophe, rest = form.partition("'")
        if not (apostrophe and rest) or form in self._known:
            return None
        return self._known.get(head + apostrophe)

    def joined(self, left: str, right: str) -> Known | None:
        """What `left` and `right` make when the blank between them is an accident (`can cel`), if that is a word for cancelling."""
        form = left + right
        return self._known[form] if form in self._strong else None

    def _find(self, form: str) -> Known:
        if len(form) > LONGEST_WORD or has_cjk(form):
            return Known(NOTHING, form)
        form = without_accents(form)
        if form in self._known:
            return self._known[form]
        possessive = form.removesuffix("'s")
        if possessive != form and possessive in self._known:
            return self._known[possessive]
        if len(form) < MIN_FUZZY or form in self._not_typos:
            return Known(NOTHING, form)
        plain = unleet(form)
        if plain != form and plain in self._known:
            return replace(self._known[plain], edits=1)
        return self._glued(form) or self._misspelled(form) or Known(NOTHING, form)

    def _misspelled(self, form: str) -> Known | None:
        if any(map(str.isdigit, form)):
            return None
        allowed = 2 if len(form) >= TWO_EDITS_FROM else 1
        best = process.extractOne(form, self._by_length.get(len(form), ()), scorer=OSA.distance, score_cutoff=allowed)
        if best is None:
            return None
        spelling, edits, _ = best
        return replace(self._known[spelling], edits=int(edits))

    def _glued(self, form: str) -> Known | None:
        """`tocancel`, `cancelmyorder`, `order123`: a word worth finding, with nothing but known words and digits stuck to it."""
        for match in self._glue.finditer(form):
            before, after = form[: match.start()], form[match.end() :]
            if self._is_made_of_words(before) and self._is_made_of_words(after):
                return replace(self._known[match.group()], edits=1)
        return None

    def _is_made_of_words(self, rest: str) -> bool:
        """Whether `rest` can be cut into known words of two letters or more; digits count as words."""
        reached = {0}
        for start in range(len(rest)):
            if start in reached:
                for end in range(start + 1, min(len(rest), start + LONGEST_PIECE) + 1):
                    piece = rest[start:end]
                    if piece.isdigit() or (len(piece) > 1 and piece in self._known):
                        reached.add(end)
        return len(rest) in reached

    def cut(self, run: str) -> list[tuple[int, int, Known]]:
        """`run`, written without blanks, as the longest known words from left to right: (start, end, what is known). Stretches that
        no word covers come out as unknown."""
        pieces: list[tuple[int, int, Known]] = []
        at, unknown_from = 0, 0
        while at < len(run):
            known, length = self._longest_at(run, at)
            if known is not None:
                if unknown_from < at:
                    pieces.append((unknown_from, at, Known(NOTHING, run[unknown_from:at])))
                pieces.append((at, at + length, known))
                unknown_from = at + length
            at += length
        if unknown_from < len(run):
            pieces.append((unknown_from, len(run), Known(NOTHING, run[unknown_from:])))
        return pieces

    def _longest_at(self, run: str, at: int) -> tuple[Known | None, int]:
        """The longest known word at `at` and its length, or None and how far to go on. Latin words inside the run are whole
        words."""
        for length in range(min(self._longest_unspaced, len(run) - at), 0, -1):
            known = self._unspaced.get(run[at : at + length])
            if known is not None:
                return known, length
        latin = _LATIN.match(run, at)
        return (self.look_up(latin.group()), len(latin.group())) if latin else (None, 1)


def _entries(languages: tuple[LanguageRules, ...]) -> dict[str, dict[str, Roles]]:
    """Every word of the rules and its roles. Words that only phrases use are known, too, without a role."""
    entries: dict[str, dict[str, set[str]]] = {}
    for language in languages:
        for role, words in language.words.items():
            for word in words:
                entries.setdefault(word, {}).setdefault(language.code, set()).add(role)
        for phrase in language.phrases:
            for element in phrase.elements:
                for word in element.words:
                    entries.setdefault(word, {}).setdefault(language.code, set())
    found = {form: {code: frozenset(roles) for code, roles in entry.items()} for form, entry in entries.items()}
    for form, entry in list(found.items()):
        if len(_plain(form)) > 1:
            # As it is typed without accents and apostrophes, in each language where that is no other word: `cant` is "can't", but
            # `were` is not "we're".
            spelled = found.setdefault(_plain(form), {})
            spelled.update({code: roles for code, roles in entry.items() if not spelled.get(code)})
    return found


def _plain(form: str) -> str:
    return without_accents(form).replace("'", "")


def _any_role(entry: Entry, roles: Roles) -> bool:
    return any(mine & roles for mine in entry.values())
