"""Reading: from sentences to acts. An act is something a clause is about (cancelling, not sending, not wanting), what it is done
to, and the features that decide its meaning. What the features mean together is not decided here but by the frames in
`rules/frames.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from msgbot.domain import manner
from msgbot.domain.condition import condition
from msgbot.domain.matching import Node
from msgbot.domain.names import naming
from msgbot.domain.objects import object_of
from msgbot.domain.polarity import polarity
from msgbot.domain.rulebook import ASKING, SPEAKS_OF_AN_ORDER, STRONG
from msgbot.domain.sentences import Clause, Sentence
from msgbot.domain.spot import Spot, has, spots_of
from msgbot.domain.tense import report

_TAKES_AN_OBJECT = frozenset({"cancel", "cancelling", "halt", "disregard", "unsend", "proceed", "refused"})
MOST_ACTS = 60
"""Nobody asks so often in one message; who does wants to keep the reader busy."""
_TALK = SPEAKS_OF_AN_ORDER - {"send"}
_OWN_WORDS = 3
"""So many sentences at the beginning of a mail may be a buyer's own, whatever some program or shop wrote below them."""
_NEAR = 2
_LONG = 8
"""In a text of more sentences, an order must be spoken of near the act."""
_TELLS_WHICH = frozenset({"part", "item", "article"})
_VERBS = frozenset({"is", "was", "have", "be", "did", "not"})
_SUPPORTING = ASKING | {"not", "cannot", "if", "was", "have", "why", "asked", "otherwise", "they"}
_MANNERS: tuple[Callable[[Spot], Iterator[str]], ...] = (
    manner.asking,
    manner.actor,
    manner.offered,
    manner.limited,
    manner.mention,
    polarity,
    condition,
)
_MANNERS_OF_CANCELLING: tuple[Callable[[Spot], Iterator[str]], ...] = (report, manner.compound)
# A role that is true of a message as soon as one word plays it.
_MESSAGE_ROLES = ("swap", "takeback", "earlier", "filed", "unsent", "prospect")


@dataclass(frozen=True, slots=True)
class Act:
    """Something a clause is about. `kind` is one of rulebook.ACTS, `object` one of rulebook.OBJECTS, `features` of
    rulebook.FEATURES; `nodes` are the words that it was read from. `part`: when only part of the order is meant, where the words
    that say so and what they name begin and end."""

    kind: str
    object: str
    features: frozenset[str]
    nodes: tuple[Node, ...]
    language: str
    part: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class _Draft:
    spot: Spot
    object: str
    target: Node | None
    features: set[str]


def read(sentences: Sequence[Sentence], text: str) -> list[Act]:
    """The acts of a message, in the order they stand in it; no more than MOST_ACTS. `sentences` are those of `text`."""
    drafts: list[_Draft] = []
    other = False
    bulk = next((place for place, sentence in enumerate(sentences) if "bulk" in sentence.roles), len(sentences))
    for place, sentence in enumerate(sentences):
        other = other or ("foreign" in sentence.roles and _sets_another_topic(sentence))
        for spot in spots_of(sentence)[: MOST_ACTS - len(drafts)]:
            draft = _draft(spot)
            draft.features.update(naming(spot, sentences, place, text))
            if other:
                draft.features.add("in-other-talk")
            if bulk < len(sentences) and (place >= bulk or place >= _OWN_WORDS):
                draft.features.add("bulk")
            near = sentences[max(0, place - _NEAR) : place + _NEAR + 1]
            if len(sentences) > _LONG and not any(_tells_of_an_order(each, spot.kind) for each in near):
                draft.features.add("astray")
            if spot.kind == "unsend" and not any(_tells_of_an_order(each, spot.kind) for each in sentences):
                draft.features.add("alone")
            if spot.kind == "rethink" and _turns_against(spot, drafts):
                draft.features.add("earlier")
            drafts.append(draft)
    if not drafts:
        return []
    drafts = _without_targets(drafts)
    features = _of_the_message(sentences, drafts)
    return [_act(draft, features) for draft in drafts]


def _draft(spot: Spot) -> _Draft:
    found, target = object_of(spot)
    features = {feature for each in _MANNERS for feature in each(spot)}
    if spot.kind in STRONG:
        features.update(feature for each in _MANNERS_OF_CANCELLING for feature in each(spot))
    if has(spot.before, "why"):
        features.add("why")
    if has(spot.clause.nodes, "part"):
        features.add("part")
    if has(spot.clause.nodes, "still"):
        features.add("still")
    if spot.sentence.question:
        features.add("question")
    if all(_names_only(clause, spot.node) for clause in spot.sentence.clauses[: spot.place + 1]):
        features.add("bare")
    return _Draft(spot, found, target, features)


def _tells_of_an_order(sentence: Sentence, act: str) -> bool:
    """Whether the sentence speaks of an order, and not only because the act itself is a sending."""
    return not sentence.roles.isdisjoint(_TALK if act == "unsend" else SPEAKS_OF_AN_ORDER | {"item"})


def _turns_against(spot: Spot, drafts: list[_Draft]) -> bool:
    """Whether a change of mind is about a cancellation spoken of before ("I wanted to cancel, but I changed my mind")."""
    return (
        "but" in spot.clause.nodes[0].roles
        and bool(drafts)
        and drafts[-1].spot.sentence is spot.sentence
        and drafts[-1].spot.kind in STRONG
    )


def _names_only(clause: Clause, act: Node) -> bool:
    """Whether nothing unknown and no verb but the act itself stands in the clause."""
    return all(
        node is act or (node.form.isdigit() and len(node.form) > 2) or (node.roles and node.roles.isdisjoint(_VERBS))
        for node in clause.nodes
    )


def _without_targets(drafts: list[_Draft]) -> list[_Draft]:
    """`drafts` without those that only name what another is done to: "withdraw my cancellation" is one act."""
    targets = {id(draft.target) for draft in drafts if draft.object == "cancellation" and draft.spot.kind in _TAKES_AN_OBJECT}
    return [draft for draft in drafts if id(draft.spot.node) not in targets]


def _of_the_message(sentences: Sequence[Sentence], drafts: Sequence[_Draft]) -> frozenset[str]:
    """What is true of the message as a whole and colours every act in it."""
    roles = frozenset().union(*(sentence.roles for sentence in sentences))
    features = {role for role in _MESSAGE_ROLES if role in roles}
    if not roles.isdisjoint(SPEAKS_OF_AN_ORDER):
        features.add("in-order-talk")
    if "received" in roles and any(_tells_of_goods(sentence) for sentence in sentences):
        features.add("received")
    for draft in drafts:
        kind, mine = draft.spot.kind, draft.features
        if draft.object == "other":
            features.add("other-act")
        if "asked-before" in mine:
            features.add("earlier")
        if kind == "rethink":
            features.add("rethink")
        if kind in {"proceed", "disregard"} or (
            kind in STRONG and "negated" in mine and not mine & {"reported", "asked-before", "why"}
        ):
            features.add("keep")
    return frozenset(features)


def _tells_of_goods(sentence: Sentence) -> bool:
    """Whether it says that goods came or are damaged, and neither denies nor imagines it."""
    for clause in sentence.clauses:
        for at, node in enumerate(clause.nodes):
            if (
                "received" in node.roles
                and not has(clause.nodes[max(0, at - 5) : at], "not", "cannot", "if")
                and not has(clause.nodes[max(0, at - 3) : at], "be", "need")  # "it should be delivered today"
            ):
                return True
    return False


def _sets_another_topic(sentence: Sentence) -> bool:
    """Whether something else than an order is spoken of, and not only in passing ("in my account")."""
    for clause in sentence.clauses:
        for at, node in enumerate(clause.nodes):
            if "foreign" in node.roles and not has(clause.nodes[max(0, at - 3) : at], "link"):
                return True
    return False


def _parts(nodes: tuple[Node, ...]) -> Iterator[tuple[int, int]]:
    """Each "only", "2 of the" and the like, with what it is said of: "2 of the 3 mugs"."""
    at = 0
    while at < len(nodes):
        node = nodes[at]
        at += 1
        if "part" in node.roles:
            end = node.end
            while at < len(nodes) and (not nodes[at].roles or nodes[at].roles & _TELLS_WHICH):
                end = nodes[at].end
                at += 1
            yield node.start, end


def _act(draft: _Draft, of_the_message: frozenset[str]) -> Act:
    spot = draft.spot
    features = of_the_message | draft.features
    if "in-order-talk" in features:
        features -= {"in-other-talk"}
    nodes = {id(node): node for node in spot.clause.nodes if node is spot.node or node.roles & _SUPPORTING}
    if draft.target is not None:
        nodes[id(draft.target)] = draft.target
    part = tuple(_parts(spot.clause.nodes)) if "part" in features else ()
    in_order = tuple(sorted(nodes.values(), key=lambda node: node.start))
    return Act(spot.kind, draft.object, features, in_order, spot.language.code, part)
