"""Whether an act is denied, and how far a negation reaches."""

from __future__ import annotations

from collections.abc import Iterator

from msgbot.domain.matching import Node
from msgbot.domain.rulebook import ACTS
from msgbot.domain.sentences import Clause
from msgbot.domain.spot import MODALS, SUBJECTS, THINGS, Spot, follows_only, has

# These carry their own negation.
_ALREADY_DENIED = frozenset({"unsend", "unwanted", "refused", "mistake", "rethink"})
_DENIALS = frozenset({"not", "cannot"})
_CARRIES_ON = frozenset({"want", "need", "can", "ask", "help", "i", "you", "pronoun", "just", "that", "please", "manage", "be"})
_BEHIND, _AHEAD = 8, 5
"""So many words before and after the act a negation of it may stand."""


def polarity(spot: Spot) -> Iterator[str]:
    """`negated`, or `cannot` when what is denied is being able to, which asks for it all the more."""
    if spot.kind in _ALREADY_DENIED:
        return
    if own := spot.node.roles & _DENIALS:
        yield "cannot" if "cannot" in own else "negated"
        return
    clause, at = spot.clause, spot.at
    follows = follows_only(spot.language)
    wished_at = 0
    for back in range(at - 1, max(-1, at - 1 - _BEHIND), -1):
        roles = clause.nodes[back].roles
        if "cannot" in roles or ("not" in roles and not follows):
            if spot.language.negation_adjacent and not _reaches(clause.nodes[back + 1 : at]):
                continue  # it denies another verb before the act
            if (
                _belongs_to_if(clause, back)
                or _is_about_a_thing(spot, back, wished_at)
                or (wished_at and not _governs(clause.nodes[back:wished_at]))
            ):
                return
            yield _denial(spot, back)
            return
        if roles & {"want", "need", "ask"}:
            wished_at = back
        inverted = back > 0 and not clause.nodes[back - 1].roles.isdisjoint(_DENIALS)
        if roles & {"i", "please"} and "want" not in roles and not inverted:
            # "I do not want it I want to cancel": a new sentence begins here, mark or no mark. Not so in "why can't I cancel".
            break
    if _is_denied_from_outside(spot):
        yield "negated"
        return
    for ahead in range(at + 1, min(len(clause.nodes), at + 1 + _AHEAD)):
        roles = clause.nodes[ahead].roles
        if "cannot" in roles:
            yield "cannot"
            return
        if spot.language.negation_after and "not" in roles:
            if not roles.isdisjoint(ACTS):
                return  # it denies an act of its own
            yield _denial(spot, ahead)
            return


def _is_about_a_thing(spot: Spot, where: int, wished_at: int) -> bool:
    """Whether the negation says something of a thing named before the act, not of the act ("no sirve el cargador cancelar por
    favor")."""
    if spot.language.negation_after or spot.kind == "cancelled" or wished_at:
        return False
    return has(spot.clause.nodes[where + 1 : spot.at], "order", "item", "thing", "foreign")


def _reaches(between: tuple[Node, ...]) -> bool:
    """Whether only words that carry a negation on stand between it and the act."""
    return all(not node.roles.isdisjoint(_CARRIES_ON) for node in between)


def _governs(nodes: tuple[Node, ...]) -> bool:
    """Whether the negation at the beginning of `nodes` denies the wish that follows them: only small words stand between. In "no me
    ha llegado nada quiero cancelar" it does not."""
    return "not" not in nodes[0].roles or (
        len(nodes) <= 4 and all(node.roles & {"pronoun", "common", "just", "you", "know"} for node in nodes[1:])
    )


def _denial(spot: Spot, where: int) -> str:
    nodes = spot.clause.nodes
    if "cannot" in nodes[where].roles or has(nodes[where + 1 : spot.at], "can", "manage"):
        return "cannot"
    if spot.language.negation_after:
        # "Ich kann die Bestellung nicht stornieren": the verb of ability stands before; asked politely it denies the cancelling.
        for node in reversed(nodes[:where]):
            if node.roles & {"please", "you"}:
                break
            if node.roles & {"can", "manage"}:
                return "cannot"
    return "negated"


def _is_denied_from_outside(spot: Spot) -> bool:
    """Whether the clause before denies wanting what this clause says ("Ich möchte nicht, dass ... storniert wird")."""
    if not spot.place or "that" not in spot.clause.nodes[0].roles or has(spot.clause.nodes, "want", "please"):
        return False
    outside = spot.sentence.clauses[spot.place - 1].nodes
    return has(outside, "want") and has(outside, "not")


def _belongs_to_if(clause: Clause, where: int) -> bool:
    """Whether the negation at `where` is that of a condition in the same clause ("if you can't swap it just cancel")."""
    for back in range(where - 1, -1, -1):
        roles = clause.nodes[back].roles
        if "if" in roles:
            return True
        if not roles & (SUBJECTS | MODALS | THINGS):
            return False
    return False
