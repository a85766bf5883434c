"""Matching phrases: where a phrase of the rules stands among the words of a sentence.

The phrases of a language share one tree of beginnings, so that a word is looked up once, however many phrases could go on with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from msgbot.domain.rulebook import ACTS, Element, Phrase, Roles

_ACTS = frozenset(ACTS)
_NO_ROLES: Roles = frozenset()
_NO_ORDER = frozenset({"foreign"})
CLAUSE_OPENERS = frozenset({"but", "and", "because"})
_BEFORE_A_CLAUSE = CLAUSE_OPENERS | {"greeting", "farewell", "please", "otherwise"}


@dataclass(slots=True)
class Node:
    """A word or phrase with the roles it plays; `mark` is `,`, `.`, `?` or `"` for a mark, else empty. `edits` counts the typos in
    it. `known`: it stands in the rules of the sentence's language. `entry`: its roles in every language; `votes`: what it says of
    the language of the text. `phrase`: the phrase of the rules that it is, if it is one; `inner`: what the
    words in it tell of the talk."""

    start: int
    end: int
    form: str
    roles: Roles = _NO_ROLES
    mark: str = ""
    edits: int = 0
    quoted: bool = False
    known: bool = False
    entry: Mapping[str, Roles] | None = None
    votes: int = 0
    phrase: str = ""
    inner: Roles = _NO_ROLES


@dataclass(slots=True)
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


class _Start(NamedTuple):
    """A phrase as it stands when its first word is found: what comes from there on. Of two that match, the lower `rank` counts."""

    rank: int
    phrase: Phrase
    elements: tuple[Element, ...]


class _State:
    """A place in the tree: what was matched on the way here, and what may come next. What comes next is sorted out when the place
    is first reached: most places never are."""

    __slots__ = ("_rest", "accepts", "after_gap", "by_role", "by_word", "gap", "rank", "roles")

    def __init__(self, roles: Roles = _NO_ROLES, gap: int = 0) -> None:
        self.roles = roles
        """The roles that the place before this one names; a word keeps those of them that it has."""
        self.gap = gap
        """How many words may stand before the next one that matches."""
        self.accepts: Phrase | None = None
        """The phrase that may end here, of lowest `rank`."""
        self.rank = 0
        self.after_gap: _State | None = None
        self.by_word: dict[str, list[_State]] = _NOTHING
        self.by_role: dict[str, list[_State]] = _NOTHING
        self._rest: list[_Start] = []

    def add(self, start: _Start) -> None:
        """Makes this a place of `start.phrase`, with `start.elements` to come."""
        self._rest.append(start)

    def reach(self) -> _State:
        """This place, with all that may come next."""
        if self._rest:
            with _SORTING:
                if self._rest:
                    self.by_word, self.by_role = {}, {}
                    children: dict[tuple[frozenset[str], Roles], _State] = {}
                    for start in self._rest:
                        self._sort_in(start, children)
                    # Last, as other threads take a place without a rest for a finished one.
                    self._rest = []
        return self

    def _sort_in(self, start: _Start, children: dict[tuple[frozenset[str], Roles], _State]) -> None:
        rank, phrase, elements = start
        if all(place.optional or place.gap for place in elements) and (self.accepts is None or rank < self.rank):
            self.accepts, self.rank = phrase, rank
        if not elements:
            return
        element, following = elements[0], _Start(rank, phrase, elements[1:])
        if element.gap:
            self.after_gap = self.after_gap or _State(gap=element.gap)
            self.after_gap.add(following)
            return
        key = element.words, element.roles
        child = children.get(key)
        if child is None:
            child = children[key] = _State(element.roles)
            alone = [child]
            for word in element.words:
                others = self.by_word.setdefault(word, alone)
                if others is not alone:
                    self.by_word[word] = others + alone
            for role in element.roles:
                others = self.by_role.setdefault(role, alone)
                if others is not alone:
                    self.by_role[role] = others + alone
        child.add(following)
        if element.optional:
            self._sort_in(following, children)

    def onward(self, node: Node) -> list[_State]:
        """The places that `node` leads to; those it leads to by its word stand first."""
        by_word = self.by_word.get(node.form)
        if not self.by_role or node.roles.isdisjoint(self.by_role):
            return by_word or _NOWHERE
        found = list(by_word or _NOWHERE)
        for role in _in_order(node.roles):
            found += [state for state in self.by_role.get(role, ()) if state not in found]
        return found


_NOTHING: dict[str, list[_State]] = {}
_SORTING = Lock()
_NOWHERE: list[_State] = []
_MANY_WAYS = 8
"""From so many ways on, it is worth looking for those that are the same."""


@lru_cache(maxsize=4096)
def _in_order(roles: Roles) -> tuple[str, ...]:
    """`roles` in an order that does not change from run to run."""
    return tuple(sorted(roles))


class _Beginning:
    """The places that a word or role leads to at the beginning of a phrase, and what the next word must be for any to go on."""

    __slots__ = ("any_second", "roles", "states", "words")

    def __init__(self, states: list[_State]) -> None:
        self.states = [state.reach() for state in states]
        self.any_second = any(state.accepts is not None or state.after_gap is not None for state in states)
        self.words = frozenset().union(*(state.by_word for state in states))
        self.roles = frozenset().union(*(state.by_role for state in states))

    def goes_on(self, following: Node | None) -> bool:
        """Whether a phrase can go on with the word that follows. Nearly every phrase that begins somewhere ends here."""
        if self.any_second:
            return True
        return following is not None and (following.form in self.words or not self.roles.isdisjoint(following.roles))


class PhraseIndex:
    """The phrases of one language, found by what they begin with: `words` and `roles`. The places that follow a beginning are made
    when it is first met."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self.words: dict[str, list[_Start]] = {}
        self.roles: dict[str, list[_Start]] = {}
        # Phrases that begin with a certain word count before those that begin with a role; then the order of the file decides.
        for rank, phrase in enumerate(sorted(phrases, key=lambda phrase: not phrase.elements[0].words)):
            for first, element in enumerate(phrase.elements):
                start = _Start(rank, phrase, phrase.elements[first:])
                for word in element.words:
                    self.words.setdefault(word, []).append(start)
                for role in element.roles:
                    self.roles.setdefault(role, []).append(start)
                if not element.optional:
                    break
        self._made: dict[tuple[str, str, bool], _Beginning] = {}
        self._beginnings: dict[tuple[str, Roles, bool], list[_Beginning]] = {}

    def _begin(self, node: Node, *, opening: bool) -> list[_Beginning]:
        """What can begin with `node`: anywhere, and also at the beginning of a clause."""
        # Words that begin nothing are all alike, so that texts full of new words fill no memory.
        key = node.form if node.form in self.words else "", node.roles, opening
        found = self._beginnings.get(key)
        if found is None:
            made = [self._make("", key[0], at_opening) for at_opening in (False, True)[: 1 + opening]] if key[0] else []
            made += [
                self._make(role, "", at_opening) for at_opening in (False, True)[: 1 + opening] for role in _in_order(node.roles)
            ]
            found = self._beginnings[key] = [beginning for beginning in made if beginning.states]
        return found

    def _make(self, role: str, word: str, opening: bool) -> _Beginning:
        """The places after this role or word; phrases that begin alike share theirs."""
        key = role, word, opening
        found = self._made.get(key)
        if found is None:
            children: dict[tuple[frozenset[str], Roles], _State] = {}
            for rank, phrase, elements in self.words.get(word, ()) if word else self.roles.get(role, ()):
                if phrase.opening is opening:
                    child = children.setdefault((elements[0].words, elements[0].roles), _State(elements[0].roles))
                    child.add(_Start(rank, phrase, elements[1:]))
            found = self._made[key] = _Beginning(list(children.values()))
        return found

    def longest(self, nodes: Sequence[Node], at: int) -> Hit | None:
        """The longest phrase that begins at `nodes[at]`. All ways through optional words and gaps are followed at once, so none is
        walked twice."""
        first = nodes[at]
        following = nodes[at + 1] if at + 1 < len(nodes) else None
        opens = at == 0 or bool(nodes[at - 1].mark) or not nodes[at - 1].roles.isdisjoint(_BEFORE_A_CLAUSE)
        starts = [
            state for beginning in self._begin(first, opening=opens) if beginning.goes_on(following) for state in beginning.states
        ]
        if not starts:
            return None
        ways = [(state, state.gap, first.roles & state.roles) for state in starts]
        best: Hit | None = None
        rank, place, end = 0, at + 1, len(nodes)
        while ways:
            onward: list[tuple[_State, int, Roles]] = []
            node = nodes[place] if place < end and not nodes[place].mark else None
            for state, gap, kept in ways:
                state.reach()
                if state.accepts is not None and (best is None or place > best.end or state.rank < rank):
                    best, rank = Hit(state.accepts, place, kept), state.rank
                if node is None:
                    continue
                for after in state.onward(node):
                    onward.append((after, after.gap, kept | (node.roles & after.roles)))
                after_gap = state.after_gap
                if after_gap is not None:
                    onward.append((after_gap, after_gap.gap - 1, kept))
                    for after in after_gap.reach().onward(node):
                        onward.append((after, 0, kept | (node.roles & after.roles)))
                if gap:
                    onward.append((state, gap - 1, kept))
            ways = onward if len(onward) < _MANY_WAYS else list(dict.fromkeys(onward))
            place += 1
        return best
