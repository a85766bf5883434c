"""Sentences and clauses: words get the roles of the sentence's language, phrases become one node, and marks and joining words cut
the text into clauses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgbot.domain.lexicon import SHARED_ROLES, Known, Lexicon
from msgbot.domain.matching import CLAUSE_OPENERS, Node, PhraseIndex
from msgbot.domain.rulebook import LanguageRules, Rulebook
from msgbot.domain.text import Token, has_cjk, has_kana

LONGEST_SENTENCE = 150
"""Words and marks after which a sentence is cut even without a full stop: whatever looks around inside a sentence stays linear."""
_HINT_WEIGHT = 1.5
_SHORTEST_NUMBER = 3


@dataclass(frozen=True, slots=True)
class Clause:
    """Neighbouring nodes without a mark or joining word between them."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
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
    """Cuts texts into sentences for one rulebook."""

    def __init__(self, rulebook: Rulebook, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._languages = {language.code: language for language in rulebook.languages}
        self._phrases = {language.code: PhraseIndex(language.phrases) for language in rulebook.languages}
        self._kana_codes = tuple(language.code for language in rulebook.languages if _writes_kana(language))

    def sentences(self, tokens: Sequence[Token], text: str, hint: str = "") -> list[Sentence]:
        """The sentences of `text`. `hint` is a language code that breaks ties; a language without rules is ignored."""
        nodes = self._nodes(tokens, text)
        overall = self._votes(nodes)
        if hint in self._languages:
            overall[hint] = overall.get(hint, 0.0) + _HINT_WEIGHT
        found: list[Sentence] = []
        current: list[Node] = []
        quoted = False
        for node in nodes:
            if node.mark == '"':
                quoted = not quoted
                continue
            node.quoted = quoted
            ends = node.mark in {".", "?"}
            if not ends:
                current.append(node)
            if current and (ends or len(current) >= LONGEST_SENTENCE):
                found.append(self._sentence(current, overall, node.mark == "?"))
                current = []
        if current:
            found.append(self._sentence(current, overall, False))
        return found

    def _nodes(self, tokens: Sequence[Token], text: str) -> list[Node]:
        nodes: list[Node] = []
        for token in tokens:
            if not token.is_word:
                mark = "?" if token.form == "." and any(sign in "?？؟" for sign in text[token.start : token.end]) else token.form
                nodes.append(Node(token.start, token.end, mark, mark=mark))
            elif has_cjk(token.form):
                nodes.extend(self._unspaced(token))
            else:
                start, form = token.start, token.form
                while (elided := self._lexicon.elided(form)) is not None:
                    nodes.append(_node(start, start + len(elided.form), elided))
                    start, form = start + len(elided.form), form[len(elided.form) :]
                known = self._lexicon.look_up(form)
                if not known.entry and nodes and not nodes[-1].mark:
                    joined = self._lexicon.joined(nodes[-1].form, token.form)
                    if joined is not None:
                        nodes[-1] = _node(nodes[-1].start, token.end, joined)
                        continue
                nodes.append(_node(start, token.end, known))
        return nodes

    def _unspaced(self, token: Token) -> Iterator[Node]:
        # Folding can change the length; offsets are exact when it did not and the whole word's otherwise.
        exact = token.end - token.start == len(token.form)
        for start, end, known in self._lexicon.cut(token.form):
            yield _node(token.start + start, token.start + end, known) if exact else _node(token.start, token.end, known)

    def _votes(self, nodes: Iterable[Node]) -> dict[str, float]:
        """How much speaks for each language: every word has one vote, shared among the languages that know it."""
        votes: dict[str, float] = {}
        for node in nodes:
            for code in node.entry:
                votes[code] = votes.get(code, 0.0) + 1.0 / len(node.entry)
            if self._kana_codes and has_kana(node.form):
                for code in self._kana_codes:
                    votes[code] = votes.get(code, 0.0) + 1.0
        return votes

    def _sentence(self, nodes: list[Node], overall: Mapping[str, float], question: bool) -> Sentence:
        votes = self._votes(nodes)
        total = sum(overall.values()) or 1.0
        language = self._languages[max(self._languages, key=lambda code: votes.get(code, 0.0) + overall.get(code, 0.0) / total)]
        for node in nodes:
            own = node.entry.get(language.code)
            if own is not None:
                node.roles, node.known = node.roles | own, True
            elif node.entry:
                # A word of another language: only what is plain across languages counts ("bitte cancel").
                node.roles |= frozenset().union(*node.entry.values()) & SHARED_ROLES
        clauses = tuple(_clauses(self._merge(nodes, language.code)))
        roles = frozenset().union(*(node.roles for clause in clauses for node in clause.nodes))
        return Sentence(clauses, language, question, roles)

    def _merge(self, nodes: Sequence[Node], code: str) -> list[Node]:
        """`nodes` with each phrase as one node: its role, and the roles of the words that the phrase names by role. Done twice,
        since a phrase may hold another ("my request to cancel" in "my request to cancel was a mistake")."""
        index = self._phrases[code]
        for _ in range(2):
            merged = list(_merged(nodes, index))
            if len(merged) == len(nodes):
                break
            nodes = merged
        return merged


def _merged(nodes: Sequence[Node], index: PhraseIndex) -> Iterator[Node]:
    at = 0
    while at < len(nodes):
        node = nodes[at]
        hit = None if node.mark else index.longest(nodes, at)
        if hit is None:
            yield node
            at += 1
            continue
        covered = nodes[at : hit.end]
        form = " ".join(each.form for each in covered)
        yield Node(
            node.start, covered[-1].end, form, hit.roles(covered), "", max(each.edits for each in covered), node.quoted, True
        )
        at = hit.end


def _node(start: int, end: int, known: Known) -> Node:
    is_number = len(known.form) >= _SHORTEST_NUMBER and known.form.isdigit()
    return Node(start, end, known.form, frozenset({"number"}) if is_number else frozenset(), edits=known.edits, entry=known.entry)


def _clauses(nodes: Iterable[Node]) -> Iterator[Clause]:
    current: list[Node] = []
    for node in nodes:
        if node.mark or node.roles & CLAUSE_OPENERS:
            if current:
                yield Clause(tuple(current))
            current = [] if node.mark else [node]
        else:
            current.append(node)
    if current:
        yield Clause(tuple(current))


def _writes_kana(language: LanguageRules) -> bool:
    return language.unspaced and any(has_kana(word) for words in language.words.values() for word in words)
