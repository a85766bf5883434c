"""The index of a rulebook: what the look-ups need, worked out from the rules once, as plain values that can be kept in a file.

`forms` are the words of each language as they may be typed. `ways` say what a text must hold to ask for anything: which words can
carry an act, and what each of them needs beside it. Both follow from the rules; there is nothing to maintain here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgbot.domain.rulebook import (
    ACTS,
    ASKING,
    SHARED_ROLES,
    SPEAKS_OF_AN_ORDER,
    STRONG,
    Element,
    Frame,
    LanguageRules,
    Roles,
    RuleIndex,
)
from msgbot.domain.text import plainly
from msgbot.domain.verdict import Intent

Words = frozenset[str]

A_NUMBER = "#"
"""Stands for any number among the words that are needed."""


def mark_of(role: str) -> str:
    """Stands for any word that gets `role` from what it begins or ends with, and is not listed."""
    return "-" + role


# What each feature of an act cannot be true without: one word with one of these roles. What other acts bring about (a change of
# mind, a request made before) is left out: their words let the text through themselves.
_SOURCES: dict[str, Roles] = {
    "asked": ASKING,
    "please": frozenset({"please"}),
    "negated": frozenset({"not", "cannot"}),
    "cannot": frozenset({"not", "cannot"}),
    "conditional": frozenset({"if", "otherwise"}),
    "unsent": frozenset({"unsent"}),
    "takeback": frozenset({"takeback"}),
    "earlier": frozenset({"earlier"}),
    "rethink": frozenset(),
    "in-order-talk": SPEAKS_OF_AN_ORDER,
}
_NAMES: dict[str, Roles] = {
    "order": frozenset({"order", "number"}),
    "item": frozenset({"item"}),
    "pronoun": frozenset({"pronoun"}),
    "cancellation": frozenset({"cancellation"}),
}
_SENDS = frozenset({"send"})
_DENIES_A_SENDING = frozenset({"not", "halt"})
_FREQUENT = 500
_SHORT = 2
# How often a word is met in buyers' messages, roughly, by the roles it plays: the rarest word of a phrase is the one to wait for.
_WEIGHTS: dict[str, int] = dict.fromkeys(
    ("article", "i", "you", "they", "not", "please", "want", "need", "can", "is", "was", "have", "did", "be", "link", "and", "but",
     "because", "pronoun", "just", "still", "if", "that", "how", "why", "greeting", "farewell", "your"), _FREQUENT
) | dict.fromkeys(("common", "order", "item", "buy", "send", "trade", "received"), 50)  # fmt: skip
_ROUNDS = 2
"""Phrases may hold phrases, as deep as sentences.py merges them."""


def index_of(languages: Sequence[LanguageRules], frames: Sequence[Frame]) -> RuleIndex:
    """The index of the rules."""
    forms = {language.code: _forms_of(language) for language in languages}
    shared = _Vocabulary(forms.values())
    found: dict[str, dict[tuple[Words, ...], None]] = {}
    for language in languages:
        inflected = {mark_of(role): frozenset({role}) for role in (*language.endings, *language.prefixes.values()) if role}
        _add_ways(found, _without_gaps(language), frames, _Vocabulary([forms[language.code], inflected], shared))
    # A word that needs nothing lets its text through; so nobody need ask for it.
    free = frozenset(word for word, ways in found.items() if () in ways)
    groups: dict[Words, int] = {}
    needed: dict[str, tuple[tuple[int, ...], ...]] = {}
    for word, ways in found.items():
        if word in free:
            needed[word] = ((),)
            continue
        rests = {tuple([group - free for group in way]): None for way in ways}
        possible = sorted((way for way in rests if all(way)), key=len)
        if possible:
            needed[word] = tuple(tuple([groups.setdefault(group, len(groups)) for group in way]) for way in possible)
    return RuleIndex(forms, tuple(tuple(sorted(group)) for group in groups), needed)


def _add_ways(
    found: dict[str, dict[tuple[Words, ...], None]],
    phrases: Sequence[tuple[str, list[Element]]],
    frames: Sequence[Frame],
    vocabulary: _Vocabulary,
) -> None:
    """Adds to `found` the words of one language that can carry an act, and the sets of words of which each needs one."""

    def add(words: Iterable[str], way: Iterable[Words]) -> None:
        sets = tuple(way)
        for word in words:
            found.setdefault(word, {})[sets] = None

    for _ in range(_ROUNDS):
        vocabulary.learn(phrases)
    meanings = {act: _meanings(act, frames, vocabulary) for act in ACTS}
    for act, asked_for in meanings.items():
        for group in asked_for:
            add(vocabulary.of_role(act), (group,) if group else ())
    for role, elements in phrases:
        if role in meanings:
            lightest, *others = sorted({vocabulary.of(element) for element in elements}, key=vocabulary.weight)
            for group in meanings[role]:
                add(lightest, (*others, group) if group else others)
    add(vocabulary.any_of(_SENDS), (vocabulary.any_of(_DENIES_A_SENDING),))


def _forms_of(language: LanguageRules) -> dict[str, Roles]:
    """Every word of a language and its roles. Words that only phrases use are known, too, without a role."""
    gathered: dict[str, tuple[str, ...]] = {}
    for role, words in language.words.items():
        for word in words:
            gathered[word] = (*gathered.get(word, ()), role)
    for phrase in language.phrases:
        for element in phrase.elements:
            for word in element.words:
                gathered.setdefault(word, ())
    sets = {roles: frozenset(roles) for roles in set(gathered.values())}
    found = {form: sets[roles] for form, roles in gathered.items()}
    for form, roles in list(found.items()):
        # As it is typed without accents and apostrophes, where that is no other word: `cant` is "can't", but `were` is not "we're".
        plain = plainly(form)
        if plain != form and len(plain) > 1 and not found.get(plain):
            found[plain] = roles
    return found


class _Vocabulary:
    """The words that can bring each role into a sentence of one language: by themselves, or as a part of a phrase."""

    def __init__(self, languages: Iterable[Mapping[str, Roles]], shared: _Vocabulary | None = None) -> None:
        self._words: dict[str, set[str]] = {}
        # A short word is frequent in some language or other.
        self._weights: dict[str, int] = shared._weights if shared else {}
        self._made: dict[Roles, Words] = {}
        self._places: dict[tuple[Words, Roles], Words] = {}
        for roles_of in languages:
            for form, roles in roles_of.items():
                for role in roles:
                    self._words.setdefault(role, set()).add(form)
                if shared is None:
                    weight = max([_WEIGHTS.get(role, 1) for role in roles], default=1)
                    if len(form) <= _SHORT and form.isascii():
                        weight = _FREQUENT
                    if weight > 1:
                        self._weights[form] = max(weight, self._weights.get(form, 0))
        for role in SHARED_ROLES if shared else ():
            self._words.setdefault(role, set()).update(shared.of_role(role) if shared else ())
        self._words.setdefault("number", set()).add(A_NUMBER)
        self._own = {role: frozenset(words) for role, words in self._words.items()}
        self._weighed: dict[Words, int] = {}
        self._strong: Words = shared._strong if shared else frozenset().union(*(self._words.get(role, ()) for role in STRONG))

    def of_role(self, role: str) -> Words:
        """The words that play `role` by themselves."""
        return self._own.get(role, frozenset())

    def any_of(self, roles: Roles) -> Words:
        """The words that can bring one of `roles`."""
        found = self._made.get(roles)
        if found is None:
            found = self._made[roles] = frozenset().union(*(self._words.get(role, ()) for role in roles))
        return found

    def of(self, element: Element) -> Words:
        """The words that can stand at a place of a phrase."""
        if not element.roles:
            return element.words
        key = element.words, element.roles
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = element.words | self.any_of(element.roles)
        return found

    def weight(self, words: Words) -> int:
        """How often words of this set may be met, roughly. Words for cancelling let a text through anyway and count for nothing."""
        weight = self._weighed.get(words)
        if weight is None:
            rest = words - self._strong
            weight = self._weighed[words] = len(rest) + sum([self._weights[word] for word in rest & self._weights.keys()])
        return weight

    def learn(self, phrases: Sequence[tuple[str, list[Element]]]) -> None:
        """Adds what phrases bring: each by the place in it that is met least often."""
        for role, elements in phrases:
            mine = self._words.setdefault(role, set())
            places = [self.of(element) for element in elements]
            # A phrase around a word that brings the role by itself adds nothing.
            if not any(words <= mine for words in places):
                around = [words for words in places if role in STRONG and not words.isdisjoint(self._strong)]
                rarest: Words = min(around or places, key=self.weight)
                mine.update(rarest & self._strong if around else rarest)
        self._made, self._places = {}, {}


def _without_gaps(language: LanguageRules) -> list[tuple[str, list[Element]]]:
    """The role of every phrase and the places in it that must be there."""
    return [(phrase.role, [place for place in phrase.elements if not (place.optional or place.gap)]) for phrase in language.phrases]


def _meanings(act: str, frames: Sequence[Frame], vocabulary: _Vocabulary) -> list[Words]:
    """For each frame that gives `act` a meaning, the words of which it needs one; an empty set when it needs none."""
    groups: list[Words] = []
    for frame in frames:
        if frame.intent is Intent.NONE or (frame.acts and act not in frame.acts):
            continue
        options = [_SOURCES[feature] for feature in frame.having if feature in _SOURCES]
        if frame.any_of and frame.any_of <= _SOURCES.keys():
            options.append(frozenset().union(*(_SOURCES[feature] for feature in frame.any_of)))
        if frame.objects and frame.objects <= _NAMES.keys():
            options.append(frozenset().union(*(_NAMES[name] for name in frame.objects)))
        if not options:
            return [frozenset()]
        found: list[Words] = [vocabulary.any_of(option) for option in options]
        groups.append(min(found, key=vocabulary.weight))
    return groups
