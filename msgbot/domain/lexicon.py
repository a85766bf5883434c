"""The lexicon: which roles a word has, in which languages, found exactly, without accents or blanks, glued to others, or with a
typo.

One look-up serves all languages. Each new word is worked out once and then remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgbot.domain.index import mark_of
from msgbot.domain.rulebook import SHARED_ROLES, STRONG, LanguageRules, Roles, RuleIndex
from msgbot.domain.text import has_cjk, has_kana, is_number, plainly, unleet, unstretched, without_accents
from msgbot.domain.typos import SHORTEST, GlueIndex, TypoIndex

Entry = Mapping[str, Roles]
"""Language code to the roles that the word has there."""

NOTHING: Entry = {}
GLUED = STRONG | {"order"}
"""Roles whose words are found when others stick to them (`tocancel`, `order123`)."""
FUZZY_ROLES = STRONG | {"order", "disregard", "foreign", "please", "if", "error", "want"}
"""Roles whose words are recognised with typos."""
VOTE = 60
"""Every known word has so many votes for the language of a text, shared among the languages that know it."""
VOTE_BITS = 32
"""Votes are counted for all languages at once, in fields of one number: a text of 20,000 characters cannot overflow them."""
CACHE_LIMIT = 50_000
LONGEST_WORD = 40
_SHORTEST_STEM = 3
_SHORTEST_ROOT = 2
_LATIN = re.compile("[a-z0-9]+")


class Known(NamedTuple):
    """What the lexicon says of a word: its entry, the spelling it was taken for, how many edits away that is, and its votes for
    each language (VOTE_BITS a language, in the order of the rulebook). `whole`: it is one word and need not be cut.
    `is_number`: it is long enough to name an order. `alike`: all that it may stand for, when that is not just `form`: words of the
    rules, and marks (index.mark_of) for roles that come from how it begins or ends."""

    entry: Entry
    form: str
    edits: int = 0
    votes: int = 0
    whole: bool = True
    is_number: bool = False
    alike: tuple[str, ...] = ()


class Lexicon:
    """Built once per rulebook; look-ups fill a bounded cache and are safe from any thread."""

    def __init__(self, languages: Iterable[LanguageRules], index: RuleIndex) -> None:
        self.languages = tuple(languages)
        self._roles = index.forms
        self._shifts = {language.code: VOTE_BITS * place for place, language in enumerate(self.languages)}
        self._not_typos: frozenset[str] = frozenset().union(*(language.not_typos for language in self.languages))
        self._kana_votes = sum(VOTE << self._shifts[language.code] for language in self.languages if _writes_kana(language))
        self._known: set[str] = set().union(*self._roles.values())
        # Typos are compared on the plain spelling, as they are looked up by it.
        strong = self._forms(STRONG)
        self._typos = TypoIndex(self._forms(FUZZY_ROLES))
        self._glue = GlueIndex({language.code: self._forms(GLUED, language) for language in self.languages}, self._roles)
        self._strong = frozenset(strong)
        self._fragments = frozenset(form[cut:] for form in strong for cut in range(2, len(form) - 1))
        self._spelled = {language.code: _as_listed(language) for language in self.languages}
        self._unspaced: dict[str, list[str]] = {}
        self._prefixes = [(language.code, _longest_first(language.prefixes)) for language in self.languages if language.prefixes]
        self._endings = [(language.code, _by_length(language.endings)) for language in self.languages if language.endings]
        self._cache: dict[str, Known] = {}

    def _forms(self, wanted: Roles, *languages: LanguageRules) -> dict[str, None]:
        """The words with one of the `wanted` roles that can have a typo, in plain spelling, of all languages or those named."""
        found: dict[str, None] = {}
        for language in languages or self.languages:
            known = self._roles[language.code]
            for role, words in language.words.items():
                if role in wanted:
                    for word in words:
                        form = plainly(word)
                        if len(form) >= SHORTEST and role in known.get(form, ()) and not has_cjk(form):
                            found[form] = None
        return found

    def look_up(self, form: str) -> Known:
        """What is known of the folded word `form`; an empty entry when nothing is."""
        known = self._cache.get(form)
        if known is None:
            known = self._exact(form) if form in self._known else self._find(form)
            if len(form) <= LONGEST_WORD:
                if len(self._cache) >= CACHE_LIMIT:
                    self._cache.clear()
                self._cache[form] = known
        return known

    def _exact(self, form: str, edits: int = 0) -> Known:
        entry = {code: roles[form] for code, roles in self._roles.items() if form in roles}
        # A language that knows a word only as a part of phrases has less to say about it than one that gives it a role.
        voting = [code for code, roles in entry.items() if roles] or entry.keys()
        share = VOTE // len(voting)
        return Known(entry, form, edits, sum(share << self._shifts[code] for code in voting))

    def elided(self, form: str) -> Known | None:
        """The short word that `form` begins with, written with an apostrophe (French `l'annuler`), unless the rules know the
        whole."""
        head, apostrophe, rest = form.partition("'")
        if not (apostrophe and rest) or form in self._known or head + apostrophe not in self._known:
            return None
        return self.look_up(head + apostrophe)

    def joined(self, left: str, right: str) -> Known | None:
        """What `left` and `right` make when the blank between them is an accident (`can cel`), if that is a word for cancelling."""
        form = plainly(left + right)
        return self.look_up(form) if form in self._strong else None

    def shared(self, form: str, entry: Entry) -> Roles:
        """The roles that the word `form` has in a sentence of a language that does not know it. Without its accents it has none
        there: Swedish "häva" (cancel) is plain, but "hava" may be anything in other languages."""
        if not form.isascii():
            return SHARED_ROLES.intersection(frozenset().union(*entry.values()))
        return frozenset().union(*[self._spelled[code].get(form, ()) for code in entry])

    def is_fragment(self, form: str) -> bool:
        """Whether `form` may be what a blank by accident left of a word for cancelling (the `cel` of `can cel`)."""
        return form in self._fragments

    def _find(self, form: str) -> Known:
        if has_cjk(form):
            return self._gap(form)
        if len(form) > LONGEST_WORD or self.elided(form):
            return Known(NOTHING, form, whole=False)
        form = without_accents(form)
        if form in self._known:
            return self._exact(form)
        if form.endswith("'s") and form[:-2] in self._known:
            return self._exact(form[:-2])
        for shorter in unstretched(form):
            if shorter in self._known:
                return self._exact(shorter)
        inflected = self._without_prefix(form) or self._by_ending(form)
        if inflected:
            return inflected
        if form.isdigit():
            return Known(NOTHING, form, is_number=is_number(form))
        if len(form) < SHORTEST or form in self._not_typos:
            return Known(NOTHING, form)
        if not form.isalpha():
            plain = unleet(form)
            if plain != form and plain in self._known:
                return self._exact(plain, 1)
        return self._guessed(form) or Known(NOTHING, form)

    def _guessed(self, form: str) -> Known | None:
        """What an unknown word says: in each language the word that others stick to in it, or else the word it is nearest to."""
        meant = self._glue.inside(form)
        near, edits = self._typos.nearest(form)
        for each in near:
            for code, roles in self._roles.items():
                if each in roles:
                    meant.setdefault(code, each)
        if not meant:
            return None
        share = VOTE // len(meant)
        entry = {code: self._roles[code][word] for code, word in meant.items()}
        votes = sum(share << self._shifts[code] for code in entry)
        alike = tuple(dict.fromkeys(meant.values()))
        return Known(entry, alike[0], edits or 1, votes, alike=alike)

    def _without_prefix(self, form: str) -> Known | None:
        """The word that something is written onto (Arabic `وإلغاء`, and cancel)."""
        for code, prefixes in self._prefixes:
            for prefix, role in prefixes:
                rest = form[len(prefix) :]
                if form.startswith(prefix) and len(rest) >= _SHORTEST_STEM and (roles := self._roles[code].get(rest)):
                    alike = (rest, mark_of(role)) if role else (rest,)
                    entry = {code: roles | {role} if role else roles}
                    return Known(entry, rest, 0, VOTE << self._shifts[code], alike=alike)
        return None

    def _by_ending(self, form: str) -> Known | None:
        """What an ending says of a word that nobody listed (Turkish `sığmazsa`, if it does not fit). It votes for no language, as
        words of others may end like that."""
        for code, endings in self._endings:
            found: Roles = frozenset()
            for length, listed in endings.items():
                if len(form) >= length + _SHORTEST_ROOT:
                    found |= listed.get(form[-length:], found)
            if found:
                return Known({code: found}, form, alike=tuple(mark_of(role) for role in sorted(found)))
        return None

    def cut(self, run: str) -> list[tuple[int, int, Known]]:
        """`run`, written without blanks, as the longest known words from left to right: (start, end, what is known). Stretches that
        no word covers come out as unknown."""
        pieces: list[tuple[int, int, Known]] = []
        at, unknown_from, end = 0, 0, len(run)
        starts = self._unspaced
        if not starts:
            starts = self._unspaced = _by_first_character(form for form in self._known if not form.isascii() and has_cjk(form))
        while at < end:
            upto, known = at + 1, None
            for word in starts.get(run[at], ()):
                if run.startswith(word, at):
                    upto, known = at + len(word), self.look_up(word)
                    break
            else:
                # Latin words inside the run are whole words.
                latin = _LATIN.match(run, at)
                if latin:
                    upto, known = latin.end(), self.look_up(latin.group())
            if known is not None:
                if unknown_from < at:
                    pieces.append((unknown_from, at, self._gap(run[unknown_from:at])))
                pieces.append((at, upto, known))
                unknown_from = upto
            at = upto
        if unknown_from < end:
            pieces.append((unknown_from, end, self._gap(run[unknown_from:])))
        return pieces

    def _gap(self, stretch: str) -> Known:
        return Known(NOTHING, stretch, 0, self._kana_votes if has_kana(stretch) else 0, False)


def _as_listed(language: LanguageRules) -> dict[str, list[str]]:
    """The words that count in sentences of other languages, too, as the rules spell them, and the roles for which they do."""
    found: dict[str, list[str]] = {}
    for role in SHARED_ROLES:
        for word in language.words.get(role, ()):
            found.setdefault(word, []).append(role)
    return found


def _longest_first(prefixes: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(prefixes.items(), key=lambda item: -len(item[0]))


def _by_length(endings: Mapping[str, Iterable[str]]) -> dict[int, dict[str, Roles]]:
    """The roles of each ending, by its length."""
    found: dict[int, dict[str, Roles]] = {}
    for role, listed in endings.items():
        for ending in listed:
            alike = found.setdefault(len(ending), {})
            alike[ending] = alike.get(ending, frozenset()) | {role}
    return found


def _by_first_character(forms: Iterable[str]) -> dict[str, list[str]]:
    """The words by their first character, the longest first."""
    found: dict[str, list[str]] = {}
    for form in sorted(forms, key=len, reverse=True):
        found.setdefault(form[0], []).append(form)
    return found


def _writes_kana(language: LanguageRules) -> bool:
    return language.unspaced and any(has_kana(word) for words in language.words.values() for word in words)
