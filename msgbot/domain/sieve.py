"""The sieve: tells at once which texts cannot ask for anything, so that only the others are read clause by clause.

One look-up per word serves all languages: it brings the word's votes for the language of the text and says whether the word is
what it looks like. A text is let through when it holds a word that can carry an act, and beside it one of the words without which
that act never means anything (`refund` matters before the sending, `need` when it is denied). What is needed is worked out from
the phrases and the frames when the rules load; the sieve may let too much through, never too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgbot.domain.index import A_NUMBER
from msgbot.domain.lexicon import CACHE_LIMIT, VOTE_BITS, Known, Lexicon
from msgbot.domain.rulebook import RuleIndex
from msgbot.domain.text import fold, has_cjk, is_number, plain_markup, words_of

Words = frozenset[str]

_LONGEST_REMEMBERED = 40
_VOWELS = frozenset("aeiouy")
_LETTERS_OF_A_WORD = 2
"""A word written letter by letter has at least so many consonants; single vowels are words of many languages."""


class Sieve:
    """Built once per rulebook; safe from any thread."""

    def __init__(self, lexicon: Lexicon, index: RuleIndex) -> None:
        self._lexicon = lexicon
        self._index = index
        places = len(lexicon.languages)
        self._odd = 1 << VOTE_BITS * places
        self._letter = self._odd << VOTE_BITS
        self._number = self._letter << VOTE_BITS
        self._fragment = self._number << VOTE_BITS
        self._table = _Table(self)
        self._triggers = frozenset(index.ways)
        self._groups: list[Words | None] = [None] * len(index.groups)

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
        if flags >> 3 * VOTE_BITS and any(self._lexicon.joined(fold(left), fold(right)) for left, right in pairwise(words)):
            return True
        if flags & field:
            words = [form for word in words for form in (self._forms(word) if self._table[word] & self._odd else (word,))]
        if self._triggers.isdisjoint(words):
            return False
        present = frozenset(words)
        return self._may_mean(present | {A_NUMBER} if flags >> 2 * VOTE_BITS & field else present)

    def _may_mean(self, present: Words) -> bool:
        """Whether a word that can carry an act stands beside one that it needs."""
        for word in self._triggers & present:
            for needed in self._index.ways[word]:
                for place in needed:
                    if (self._groups[place] or self._group(place)).isdisjoint(present):
                        break
                else:
                    return True
        return False

    def _group(self, place: int) -> Words:
        group = self._groups[place] = frozenset(self._index.groups[place])
        return group

    def _parts(self, word: str) -> list[Known]:
        """What is known of `word`; of several, when short ones are written together with it (`l'annuler`)."""
        found, form = [], fold(word)
        while (elided := self._lexicon.elided(form)) is not None:
            found.append(elided)
            form = form[len(elided.form) :]
        return [*found, self._lexicon.look_up(form)]

    def _forms(self, word: str) -> list[str]:
        """The words of the rules, and the marks, that `word` may stand for."""
        return [form for part in self._parts(word) for form in part.alike or (part.form,)]

    def weigh(self, word: str) -> int:
        """The votes of a word and what must be known of it, as one number: whether it is odd, a single letter, a number, or what a
        blank by accident may have left of another word."""
        if word.isdigit():
            return self._number if is_number(word) else 0
        parts = self._parts(word)
        weight = sum([part.votes for part in parts])
        if len(parts) > 1 or parts[0].alike or parts[0].form != word:
            weight += self._odd
        if not parts[-1].entry and self._lexicon.is_fragment(parts[-1].form):
            weight += self._fragment
        if len(word) == 1 and word not in _VOWELS:
            weight += self._letter
        return weight


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
