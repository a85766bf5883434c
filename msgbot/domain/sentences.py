"""Sentences and clauses: words get the roles of the sentence's language, phrases become one node, and marks and joining words cut
the text into clauses."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgbot.domain.lexicon import VOTE, VOTE_BITS, Known, Lexicon
from msgbot.domain.matching import CLAUSE_OPENERS, Node, PhraseIndex
from msgbot.domain.rulebook import SPEAKS_OF_AN_ORDER, LanguageRules, Roles
from msgbot.domain.text import has_cjk, scan

LONGEST_SENTENCE = 150
"""Words and marks after which a sentence is cut even without a full stop: whatever looks around inside a sentence stays linear."""
_HINT_VOTES = 90
_ENDS = frozenset({".", "?"})
_NO_ROLES: Roles = frozenset()
_NUMBER: Roles = frozenset({"number"})


@dataclass(slots=True)
class Clause:
    """Neighbouring nodes without a mark or joining word between them."""

    nodes: tuple[Node, ...]


@dataclass(slots=True)
class Sentence:
    """Clauses up to a full stop. `question`: it ends in a question mark. `language`: the language whose roles its words were given.
    `roles`: every role that some word in it has."""

    clauses: tuple[Clause, ...]
    language: LanguageRules
    question: bool
    roles: frozenset[str]

    def nodes(self) -> Iterator[Node]:
        """All words and phrases, in order."""
        for clause in self.clauses:
            yield from clause.nodes


class SentenceReader:
    """Cuts texts into sentences. The phrases of a language are made ready when its first sentence comes."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._languages = lexicon.languages
        self._places = {language.code: place for place, language in enumerate(lexicon.languages)}
        self._phrases: dict[str, PhraseIndex] = {}

    def sentences(self, text: str, hint: str = "") -> list[Sentence]:
        """The sentences of `text`. `hint` is a language code that breaks ties; a language without rules is ignored."""
        nodes = self._nodes(text)
        overall = sum([node.votes for node in nodes]) + self.hint_votes(hint)
        found: list[Sentence] = []
        current: list[Node] = []
        quoted = False
        for node in nodes:
            mark = node.mark
            if mark == '"':
                quoted = not quoted
                continue
            if quoted:
                node.quoted = True
            ends = mark in _ENDS
            if not ends:
                current.append(node)
            if current and (ends or len(current) >= LONGEST_SENTENCE):
                found.append(self._sentence(current, overall, mark == "?"))
                current = []
        if current:
            found.append(self._sentence(current, overall, False))
        return found

    def hint_votes(self, hint: str) -> int:
        """What the language code `hint` adds to the votes of a text; nothing for a language without rules."""
        return _HINT_VOTES << VOTE_BITS * self._places[hint] if hint in self._places else 0

    def spoken(self, votes: int, hint: str = "") -> str:
        """The code of the language that most of `votes` are for, or nothing when there are none."""
        counts = self._counts(votes + self.hint_votes(hint))
        most = max(counts)
        return self._languages[counts.index(most)].code if most else ""

    def language_of(self, votes: int, overall: int) -> LanguageRules:
        """The language that most of `votes` are for; those of the whole text, `overall`, break ties."""
        all_of_them = self._counts(overall)
        if votes == overall:
            return self._languages[all_of_them.index(max(all_of_them))]
        mine = self._counts(votes)
        total = sum(all_of_them) or 1
        scores = [own * total + VOTE * every for own, every in zip(mine, all_of_them, strict=True)]
        return self._languages[scores.index(max(scores))]

    def _counts(self, votes: int) -> list[int]:
        return memoryview(votes.to_bytes(VOTE_BITS // 8 * len(self._languages), sys.byteorder)).cast("I").tolist()

    def _nodes(self, text: str) -> list[Node]:
        nodes: list[Node] = []
        add, look_up = nodes.append, self._lexicon.look_up
        for start, end, form, is_word in scan(text):
            if not is_word:
                mark = "?" if form == "." and any(sign in "?？؟" for sign in text[start:end]) else form
                add(Node(start, end, mark, _NO_ROLES, mark))
                continue
            known = look_up(form)
            if not known.whole:
                if has_cjk(form):
                    nodes.extend(self._unspaced(start, end, form))
                    continue
                while (elided := self._lexicon.elided(form)) is not None:
                    add(_node(start, start + len(elided.form), elided))
                    start, form = start + len(elided.form), form[len(elided.form) :]
                known = look_up(form)
            if not known.entry and nodes and not nodes[-1].mark:
                joined = self._lexicon.joined(nodes[-1].form, form)
                if joined is not None:
                    nodes[-1] = _node(nodes[-1].start, end, joined)
                    continue
            add(_node(start, end, known))
        return nodes

    def _unspaced(self, start: int, end: int, run: str) -> Iterator[Node]:
        # Folding can change the length; offsets are exact when it did not and the whole word's otherwise.
        exact = end - start == len(run)
        for first, last, known in self._lexicon.cut(run):
            yield _node(start + first, start + last, known) if exact else _node(start, end, known)

    def _sentence(self, nodes: list[Node], overall: int, question: bool) -> Sentence:
        # A word alone does not tell its language: "Hava" below an English letter is no Swedish.
        votes = overall if len(nodes) == 1 else sum([node.votes for node in nodes])
        language = self.language_of(votes, overall)
        code = language.code
        for node in nodes:
            entry = node.entry
            if entry:
                own = entry.get(code)
                if own is not None:
                    node.roles, node.known = node.roles | own if node.roles else own, True
                elif not node.edits:
                    # A word of another language: only what is plain across languages counts ("bitte cancel"), and no typo, as it
                    # may well be a word of this one ("install" is no Swedish "inställd").
                    node.roles |= self._lexicon.shared(node.form, entry)
        clauses = tuple(_clauses(self._merge(nodes, language)))
        all_nodes = [node for clause in clauses for node in clause.nodes]
        roles = _NO_ROLES.union(*[node.roles for node in all_nodes], *[node.inner for node in all_nodes if node.phrase])
        return Sentence(clauses, language, question, roles)

    def _merge(self, nodes: Sequence[Node], language: LanguageRules) -> Sequence[Node]:
        """`nodes` with each phrase as one node: its role, and the roles of the words that the phrase names by role. Done twice,
        since a phrase may hold another ("my request to cancel" in "my request to cancel was a mistake")."""
        index = self._phrases.get(language.code)
        if index is None:
            index = self._phrases[language.code] = PhraseIndex(language.phrases)
        for _ in range(2):
            merged = _merged(nodes, index)
            if len(merged) == len(nodes):
                break
            nodes = merged
        return merged


def _merged(nodes: Sequence[Node], index: PhraseIndex) -> list[Node]:
    found: list[Node] = []
    at, end = 0, len(nodes)
    words, roles = index.words, index.roles
    while at < end:
        node = nodes[at]
        hit = None
        if not node.mark and (node.form in words or not node.roles.isdisjoint(roles)):
            hit = index.longest(nodes, at)
        if hit is None:
            found.append(node)
            at += 1
            continue
        covered = nodes[at : hit.end]
        form = " ".join([each.form for each in covered])
        edits = max([each.edits for each in covered])
        merged = Node(node.start, covered[-1].end, form, hit.roles(covered), "", edits, node.quoted, True, phrase=hit.phrase.text)
        if "filler" not in merged.roles:
            merged.inner = _NO_ROLES.union(*[each.roles | each.inner for each in covered]) & SPEAKS_OF_AN_ORDER
        found.append(merged)
        at = hit.end
    return found


def _node(start: int, end: int, known: Known) -> Node:
    entry, form, edits, votes, _, is_number, _ = known
    return Node(start, end, form, _NUMBER if is_number else _NO_ROLES, "", edits, False, False, entry, votes)


def _clauses(nodes: Iterable[Node]) -> Iterator[Clause]:
    current: list[Node] = []
    for node in nodes:
        if node.mark or not CLAUSE_OPENERS.isdisjoint(node.roles):
            if current:
                yield Clause(tuple(current))
            current = [] if node.mark else [node]
        else:
            current.append(node)
    if current:
        yield Clause(tuple(current))
