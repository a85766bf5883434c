"""A spot: the place of an act in its sentence, and what stands around it."""

from __future__ import annotations

from collections.abc import Iterable

from msgbot.domain.matching import Node
from msgbot.domain.rulebook import LanguageRules
from msgbot.domain.sentences import Clause, Sentence

# Of several acts in one word, the first of these counts.
_ACT_ROLES = (
    "disregard", "cancelled", "cancel", "cancelling", "cancellation", "unwanted", "refused", "mistake", "rethink", "proceed",
    "unsend", "refund", "halt",
)  # fmt: skip
_CARRYING = frozenset({*_ACT_ROLES, "send"})
# Roles that several readers of a clause look for.
SUBJECTS = frozenset({"i", "you", "they"})
MODALS = frozenset({"can", "want", "need", "common", "article", "just", "pronoun", "is"})
THINGS = frozenset({"order", "item", "pronoun", "foreign", "thing", "number", "cancellation"})
_NO_COMMAND = frozenset({"cannot", "was", "is", "have", "did", "i", "they", "why", "if"})
_REACH = 6


class Spot:
    """The act `kind` at index `at` of the clause at index `place` of `sentence`.

    `clause` is that clause and `node` the word or phrase that is the act; `before` and `after` are what stands around it in its
    clause; `language` is the language that the sentence was read in.
    """

    __slots__ = ("after", "at", "before", "clause", "kind", "language", "node", "place", "sentence")

    def __init__(self, kind: str, sentence: Sentence, place: int, at: int) -> None:
        self.kind = kind
        self.sentence = sentence
        self.place = place
        self.at = at
        self.clause = sentence.clauses[place]
        self.node = self.clause.nodes[at]
        self.before = self.clause.nodes[:at]
        self.after = self.clause.nodes[at + 1 :]
        self.language = sentence.language


def is_unknown(node: Node) -> bool:
    """Whether the word may be the name of a thing: the rules do not know it, and it is no number or single letter."""
    return not (node.roles or node.known or node.entry) and len(node.form) > 1 and not node.form.isdigit()


def has(nodes: Iterable[Node], *roles: str) -> bool:
    """Whether any of `nodes` plays one of `roles`."""
    for node in nodes:  # noqa: SIM110 - asked so often that a generator is too slow
        if not node.roles.isdisjoint(roles):
            return True
    return False


def follows_only(language: LanguageRules) -> bool:
    """Whether a negation belongs to what stands before it, always ("キャンセルしないで")."""
    return language.verb_final and language.negation_after


def spots_of(sentence: Sentence) -> list[Spot]:
    """Every act of the sentence, in the order they stand in it."""
    if sentence.roles.isdisjoint(_CARRYING):
        return []
    return [
        Spot(kind, sentence, place, at)
        for place, clause in enumerate(sentence.clauses)
        for at, node in enumerate(clause.nodes)
        if not node.roles.isdisjoint(_CARRYING) and (kind := _kind(clause, at, sentence.language))
    ]


def _kind(clause: Clause, at: int, language: LanguageRules) -> str:
    """The act that the node at `at` is, or nothing. What is denied or stopped is the sending: "stop sending it" is one act, not
    two."""
    roles = clause.nodes[at].roles
    for role in _ACT_ROLES:
        if role in roles:
            return "" if role == "halt" and has(clause.nodes[at + 1 : at + 4], "send") else role
    if "send" in roles:
        before, after = clause.nodes[max(0, at - _REACH) : at], clause.nodes[at + 1 : at + _REACH]
        told = language.negation_after and has(after[:5], "not")
        if not follows_only(language):
            told = told or has(before[-4:], "not", "halt")
        if told and not has(before, *_NO_COMMAND) and not any(map(is_unknown, before)):
            return "unsend"
    return ""
