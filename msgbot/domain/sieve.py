"""The sieve: tells at once which texts cannot ask for anything, so that only the others are read clause by clause.

One look-up per word serves all languages: it brings the word's votes for the language of the text and says whether the word is
what it looks like. A text is let through when it holds a word that can carry an act, and beside it one of the words without which
that act never means anything (`refund` matters before the sending, `need` when it is denied). What is needed is worked out from
the phrases and the frames when the rules load; the sieve may let too much through, never too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgbot.domain.lexicon import CACHE_LIMIT, SHARED_ROLES, VOTE_BITS, Lexicon, Roles
from msgbot.domain.manner import ASKING
from msgbot.domain.matching import is_number
from msgbot.domain.reading import SPEAKS_OF_AN_ORDER
from msgbot.domain.rulebook import ACTS, Element, Frame, LanguageRules
from msgbot.domain.text import fold, has_cjk, plain_markup, words_of
from msgbot.domain.verdict import Intent

Words = frozenset[str]
_Way = tuple[Words, ...]

# What each feature of an act cannot be true without: one word with one of these roles.
_SOURCES: dict[str, Roles] = {
    "asked": ASKING,
    "please": frozenset({"please"}),
    "negated": frozenset({"not", "cannot"}),
    "cannot": frozenset({"not", "cannot"}),
    "conditional": frozenset({"if", "otherwise"}),
    "unsent": frozenset({"unsent"}),
    "takeback": frozenset({"takeback"}),
    "earlier": frozenset({"earlier", "asked", "be"}),
    "rethink": frozenset({"rethink"}),
    "in-order-talk": SPEAKS_OF_AN_ORDER,
}
_NAMES: dict[str, Roles] = {
    "order": frozenset({"order", "number"}),
    "item": frozenset({"item"}),
    "pronoun": frozenset({"pronoun"}),
    "cancellation": frozenset({"cancellation"}),
}
_DENIES_A_SENDING = frozenset({"not", "halt"})
_FREQUENT = 500
_SHORT = 2
# How often a word is met in buyers' messages, roughly, by the roles it plays: the rarest word of a phrase is the one to wait for.
_WEIGHTS: dict[str, int] = dict.fromkeys(
    ("article", "i", "you", "they", "not", "please", "want", "need", "can", "is", "was", "have", "did", "be", "link", "and", "but",
     "because", "pronoun", "just", "still", "if", "that", "how", "why", "greeting", "your"), _FREQUENT
) | dict.fromkeys(("common", "order", "item", "buy", "send", "trade", "received"), 50)  # fmt: skip
_A_NUMBER = "#"
_A_FRAGMENT = "\0"
_LONGEST_REMEMBERED = 40
_ONE = 1
_VOWELS = frozenset("aeiouy")
_LETTERS_OF_A_WORD = 2
"""A word written letter by letter has at least so many consonants; single vowels are words of many languages."""
_ROUNDS = 2
"""Phrases may hold phrases, as deep as sentences.py merges them."""


class Sieve:
    """Built once per rulebook; safe from any thread."""

    def __init__(self, lexicon: Lexicon, frames: Sequence[Frame]) -> None:
        self._lexicon = lexicon
        places = len(lexicon.languages)
        self._odd = _ONE << VOTE_BITS * places
        self._letter = self._odd << VOTE_BITS
        self._number = self._letter << VOTE_BITS
        self._table = _Table(self)
        self._needs = _Needs(lexicon, frames)
        self._triggers = frozenset(self._needs.words)

    def sift(self, text: str) -> tuple[bool, int]:
        """Whether `text` must be read, and its votes for each language (see lexicon.VOTE_BITS)."""
        words = words_of(plain_markup(text))
        if not text.isascii() and has_cjk(text):
            words = [form for word in words for form in self._pieces(word)]
        votes = sum(map(self._table.__getitem__, words))
        if votes >= self._odd:
            flags, votes = divmod(votes, self._odd)
            return self._is_suspicious(words, flags), votes
        return not self._triggers.isdisjoint(words) and self._may_mean(frozenset(words)), votes

    def _pieces(self, word: str) -> Iterable[str]:
        return [known.form for _, _, known in self._lexicon.cut(fold(word))] if has_cjk(word) else (word,)

    def _is_suspicious(self, words: Sequence[str], flags: int) -> bool:
        """What `sift` asks, of a text with numbers, single letters or words that are not what they look like."""
        field = (1 << VOTE_BITS) - 1
        if flags >> VOTE_BITS & field >= _LETTERS_OF_A_WORD:
            return True
        if flags & field:
            words = [form for word in words for form in (self._forms(word) if self._table[word] & self._odd else (word,))]
        if self._triggers.isdisjoint(words):
            return _A_FRAGMENT in words
        present = frozenset(words)
        return self._may_mean(present | {_A_NUMBER} if flags >> 2 * VOTE_BITS else present)

    def _may_mean(self, present: Words) -> bool:
        """Whether a word that can carry an act stands beside one that it needs."""
        if _A_FRAGMENT in present:
            return True
        for word in self._triggers & present:
            for needed in self._needs.of(word):
                for words in needed:
                    if words.isdisjoint(present):
                        break
                else:
                    return True
        return False

    def _forms(self, word: str) -> list[str]:
        """The words of the rules that `word` stands for."""
        found, form = [], fold(word)
        while (elided := self._lexicon.elided(form)) is not None:
            found.append(elided.form)
            form = form[len(elided.form) :]
        known = self._lexicon.look_up(form)
        found.append(known.form)
        if not known.entry and self._lexicon.is_fragment(known.form):
            found.append(_A_FRAGMENT)
        return found

    def weigh(self, word: str) -> int:
        """The votes of a word and what must be known of it, as one number: whether it is odd, a single letter, or a number."""
        if word.isdigit():
            return self._number if is_number(word) else 0
        forms = self._forms(word)
        votes = sum(self._lexicon.look_up(form).votes for form in forms)
        if forms != [word]:
            votes += self._odd
        if len(word) == 1 and word not in _VOWELS:
            votes += self._letter
        return votes


class _Table(dict[str, int]):
    """Every word seen and what `Sieve.weigh` says of it; each new word is weighed once, and the table is bounded."""

    def __init__(self, sieve: Sieve) -> None:
        super().__init__()
        self._sieve = sieve

    def __missing__(self, word: str) -> int:
        weight = self._sieve.weigh(word)
        if len(word) <= _LONGEST_REMEMBERED and not word.isdigit():
            if len(self) >= CACHE_LIMIT:
                self.clear()
            self[word] = weight
        return weight


class _Needs:
    """Which words can carry an act, and what each of them needs beside it."""

    def __init__(self, lexicon: Lexicon, frames: Sequence[Frame]) -> None:
        self._ways: dict[str, list[_Way]] = {}
        self._ordered: dict[str, list[_Way]] = {}
        shared = _Vocabulary(lexicon.roles_in(language.code) for language in lexicon.languages)
        for language in lexicon.languages:
            vocabulary = _Vocabulary([lexicon.roles_in(language.code)], shared)
            phrases = _without_gaps(language)
            for _ in range(_ROUNDS):
                vocabulary.learn(phrases)
            meanings = {act: _meanings(act, frames, vocabulary) for act in ACTS}
            for act, groups in meanings.items():
                for word in vocabulary.of_words(act):
                    self._ways.setdefault(word, []).extend((group,) if group else () for group in groups)
            for role, elements in phrases:
                if role in meanings:
                    lightest, *others = sorted((vocabulary.of(element) for element in elements), key=vocabulary.weight)
                    ways = [(*others, group) if group else tuple(others) for group in meanings[role]]
                    for word in lightest:
                        self._ways.setdefault(word, []).extend(ways)
            denials = vocabulary.any_of(_DENIES_A_SENDING)
            for word in vocabulary.any_of(frozenset({"send"})):
                self._ways.setdefault(word, []).append((denials,))

    @property
    def words(self) -> Iterable[str]:
        """The words that can carry an act, or be a part of a phrase that does."""
        return self._ways

    def of(self, word: str) -> list[_Way]:
        """The ways in which `word` can carry an act: of each set of a way, one word must be present."""
        ways = self._ordered.get(word)
        if ways is None:
            ways = self._ordered[word] = sorted(set(self._ways[word]), key=len)
            if ways[0] == ():
                del ways[1:]
        return ways


class _Vocabulary:
    """The words that can bring each role into a sentence of one language: by themselves, or as a part of a phrase."""

    def __init__(self, languages: Iterable[Mapping[str, Roles]], shared: _Vocabulary | None = None) -> None:
        self._words: dict[str, set[str]] = {}
        # A short word is frequent in some language or other.
        self._weights: dict[str, int] = shared._weights if shared else {}
        self._made: dict[Roles, Words] = {}
        for roles_of in languages:
            for form, roles in roles_of.items():
                for role in roles:
                    self._words.setdefault(role, set()).add(form)
                if shared is None:
                    weight = _FREQUENT if len(form) <= _SHORT and form.isascii() else max([_WEIGHTS.get(role, 1) for role in roles], default=1)
                    if weight > 1:
                        self._weights[form] = max(weight, self._weights.get(form, 0))
        for role in SHARED_ROLES if shared else ():
            self._words.setdefault(role, set()).update(shared.of_words(role) if shared else ())
        self._words.setdefault("number", set()).add(_A_NUMBER)
        self._own = {role: frozenset(words) for role, words in self._words.items()}

    def of_words(self, role: str) -> Words:
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
        return element.words | self.any_of(element.roles) if element.roles else element.words

    def weight(self, words: Words) -> int:
        """How often words of this set may be met, roughly."""
        return len(words) + sum([self._weights[word] for word in words & self._weights.keys()])

    def learn(self, phrases: Sequence[tuple[str, list[Element]]]) -> None:
        """Adds what phrases bring: each by the place in it that is met least often."""
        for role, elements in phrases:
            mine = self._words.setdefault(role, set())
            places = [self.of(element) for element in elements]
            # A phrase around a word that brings the role by itself adds nothing.
            if not any(words <= mine for words in places):
                mine.update(min(places, key=self.weight))
        self._made = {}


def _without_gaps(language: LanguageRules) -> list[tuple[str, list[Element]]]:
    """The role of every phrase and the places in it that must be there."""
    return [
        (phrase.role, [element for element in phrase.elements if not (element.optional or element.gap)]) for phrase in language.phrases
    ]


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
        groups.append(min(map(vocabulary.any_of, options), key=vocabulary.weight))
    return groups
