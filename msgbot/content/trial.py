"""Phrases tried on themselves: is a phrase found in the words that it is made of, or does another one always come first?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgbot.domain.matching import Node, PhraseIndex
from msgbot.domain.rulebook import Element, LanguageRules, Phrase, Roles

_TRIED = 40
"""So many wordings of a phrase are tried at most."""
_ALWAYS_PLAYED = frozenset({"number", "unsend"})
"""Roles that words get from what they are or where they stand, not from the rules."""


class PhraseTrial:
    """The phrases of one language, tried on their own words. `forms`: every word of the language and its roles."""

    def __init__(self, language: LanguageRules, forms: Mapping[str, Roles]) -> None:
        self._index = PhraseIndex(language.phrases)
        self._forms = forms
        self._made = frozenset(phrase.role for phrase in language.phrases) | _ALWAYS_PLAYED
        self._players: dict[str, list[str]] = {}
        for form, roles in forms.items():
            for role in roles:
                self._players.setdefault(role, []).append(form)

    def fault(self, phrase: Phrase) -> str:
        """Why the phrase can never be found, or nothing when it can."""
        required = [place for place in phrase.elements if not (place.optional or place.gap)]
        for place in required:
            if not place.words and not place.roles & self._made and not any(role in self._players for role in place.roles):
                return f"can never match: no word or phrase plays {' or '.join(sorted(place.roles))}"
        first = ""
        before = [] if phrase.opening else [_A_WORD]
        for wording in self._wordings(required):
            nodes = before + wording
            hit = self._index.longest(nodes, len(before))
            if hit is not None and hit.end == len(nodes) and hit.phrase.role == phrase.role:
                return ""
            if hit is not None and not first:
                first = hit.phrase.text
        return f"is never found: {first!r} always comes first" if first else "is never found in its own words"

    def _wordings(self, places: list[Element]) -> Iterator[list[Node]]:
        """Texts that the phrase should be found in: the first choice at every place, then each other choice in turn."""
        choices = [self._choices(place) for place in places]
        yield [options[0] for options in choices]
        tried = 1
        for at, options in enumerate(choices):
            for other in options[1:]:
                if tried == _TRIED:
                    return
                tried += 1
                yield [other if here == at else mine[0] for here, mine in enumerate(choices)]

    def _choices(self, place: Element) -> list[Node]:
        words = sorted(place.words, key=lambda word: (len(self._forms.get(word, ())), word))
        words += [word for role in sorted(place.roles) for word in self._players.get(role, ())[:3]]
        found = [Node(0, 1, word, self._forms.get(word, frozenset()), known=True, entry=_KNOWN) for word in words]
        # What only phrases play stands for a phrase that was found before.
        return found + [Node(0, 1, "", frozenset({role})) for role in sorted(place.roles & self._made)]


_KNOWN: Mapping[str, Roles] = {"": frozenset()}
_A_WORD = Node(0, 1, "", frozenset())
