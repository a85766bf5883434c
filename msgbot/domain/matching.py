"""Matching phrases: where a phrase of the rules stands among the words of a sentence.

The work per word is bounded by the number and length of the phrases that can begin there, whatever the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from msgbot.domain.rulebook import ACTS, Element, Phrase

Roles = frozenset[str]
_ACTS = frozenset(ACTS)
_NO_ORDER = frozenset({"foreign"})
CLAUSE_OPENERS = frozenset({"but", "and", "because"})
_BEFORE_A_CLAUSE = CLAUSE_OPENERS | {"greeting", "please", "otherwise"}


@dataclass(slots=True)
class Node:
    """A word or phrase with the roles it plays; `mark` is `,`, `.`, `?` or `"` for a mark, else empty. `edits` counts the typos in
    it. `known`: it stands in the rules of the sentence's language. `entry`: its roles in every language."""

    start: int
    end: int
    form: str
    roles: Roles = frozenset()
    mark: str = ""
    edits: int = 0
    quoted: bool = False
    known: bool = False
    entry: Mapping[str, Roles] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found: `end` is the index after its last node, `kept` the roles of the words that it names by role."""

    phrase: Phrase
    end: int
    kept: Roles

    def roles(self, covered: Sequence[Node]) -> Roles:
        """The roles of the whole. A phrase that is an act hides the acts inside it ("no need to cancel" is not a "cancel") but not
        that something else than an order stands in it ("don't need the reservation anymore")."""
        role = self.phrase.role
        if role == "filler":
            return frozenset({role})
        if role not in _ACTS:
            return self.kept | {role}
        return (self.kept - _ACTS).union({role}, *(node.roles & _NO_ORDER for node in covered))


@dataclass(frozen=True, slots=True)
class _Start:
    """A phrase as it stands when its first word is found. `second` says what the next word must be (None: anything, or nothing)."""

    phrase: Phrase
    second: Element | None

    def may_go_on(self, following: Node | None) -> bool:
        """Whether the word after the first can be part of the phrase. Nearly every phrase that begins somewhere ends here."""
        if self.second is None:
            return True
        if following is None:
            return False
        return following.form in self.second.words or not self.second.roles.isdisjoint(following.roles)


class PhraseIndex:
    """The phrases of one language, found by the words or roles they can begin with."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_word: dict[str, list[_Start]] = {}
        self._by_role: dict[str, list[_Start]] = {}
        for phrase in phrases:
            for first, element in enumerate(phrase.elements):
                start = _Start(replace(phrase, elements=phrase.elements[first:]), _second(phrase.elements[first + 1 :]))
                for word in element.words:
                    self._by_word.setdefault(word, []).append(start)
                for role in element.roles:
                    self._by_role.setdefault(role, []).append(start)
                if not element.optional:
                    break

    def longest(self, nodes: Sequence[Node], at: int) -> Hit | None:
        """The longest phrase that begins at `nodes[at]`; of equally long ones, one that begins with this word before one that
        begins with a role of it."""
        node = nodes[at]
        following = nodes[at + 1] if at + 1 < len(nodes) else None
        opens = at == 0 or bool(nodes[at - 1].mark or nodes[at - 1].roles & _BEFORE_A_CLAUSE)
        best: Hit | None = None
        for starts in (self._by_word.get(node.form, ()), *(self._by_role.get(role, ()) for role in sorted(node.roles))):
            for start in starts:
                if (start.phrase.opening and not opens) or not start.may_go_on(following):
                    continue
                found = _end_of(start.phrase, nodes, at)
                if found is not None and (best is None or found[0] > best.end):
                    best = Hit(start.phrase, *found)
        return best


def _second(rest: Sequence[Element]) -> Element | None:
    """All that can stand right after the first word of a phrase that goes on with `rest`, as one element; None for anything."""
    words: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    for element in rest:
        if element.gap:
            return None
        words, roles = words | element.words, roles | element.roles
        if not element.optional:
            return Element(words, roles)
    return None


def _end_of(phrase: Phrase, nodes: Sequence[Node], at: int) -> tuple[int, Roles] | None:
    """The furthest end of `phrase` when it begins at `at`, and the roles kept on the way. All ways through optional words and gaps
    are followed at once, so none is missed and none is walked twice."""
    # Each way is a place and how many words may be skipped there.
    ways: dict[tuple[int, int], Roles] = {(at, 0): frozenset()}
    for element in phrase.elements:
        if element.gap:
            ways = {(place, element.gap): kept for (place, _), kept in ways.items()}
            continue
        onward = dict(ways) if element.optional else {}
        for (place, gap), kept in ways.items():
            for here in range(place, min(place + gap + 1, len(nodes))):
                node = nodes[here]
                if node.mark:
                    break
                by_role = node.roles & element.roles
                if by_role or node.form in element.words:
                    onward[here + 1, 0] = kept | by_role
        if not onward:
            return None
        ways = onward
    (end, _), kept = max(ways.items(), key=lambda way: way[0][0])
    return (end, kept) if end > at else None
