"""Whether an act depends on an if, or stands under it."""

from __future__ import annotations

from collections.abc import Iterator

from msgbot.domain.matching import Node
from msgbot.domain.spot import MODALS, SUBJECTS, THINGS, Spot, has

_AFTER_A_VERB = frozenset({"can", "want", "need", "was", "have", "be"})
_ONE_CLAUSE = SUBJECTS | MODALS
_ONE_PASSIVE_CLAUSE = _ONE_CLAUSE | THINGS | {"was", "have"}


def condition(spot: Spot) -> Iterator[str]:
    """`hypothetical`: the act itself stands under the if ("if I cancel"). `conditional`: the act depends on another clause's if."""
    if spot.sentence.roles.isdisjoint({"if", "otherwise"}):
        return
    for where, clause in enumerate(spot.sentence.clauses):
        for index, node in enumerate(clause.nodes):
            if "otherwise" in node.roles and (where, index) <= (spot.place, spot.at):
                yield "conditional"
                return
            if "if" not in node.roles or has(clause.nodes[max(0, index - 3) : index], "know"):
                continue
            if where == spot.place:
                yield from _under_the_same_if(spot, index)
                return
            if not spot.language.verb_final or where < spot.place or index == 0:
                yield "conditional"
                return


def _under_the_same_if(spot: Spot, index: int) -> Iterator[str]:
    between = spot.clause.nodes[index + 1 : spot.at]
    if spot.language.verb_final:
        yield "hypothetical" if spot.at < index <= spot.at + 4 else "conditional"
    elif index < spot.at and spot.language.negation_after and all(node.roles & _AFTER_A_VERB for node in spot.after):
        # The verb closes the clause of the if. With "you" in it and a wish around it, it is a polite request.
        wished = spot.sentence.roles & {"please", "want", "can"}
        if has(between, "please", "otherwise"):
            yield "conditional"  # "falls es nicht klappt bitte stornieren": the comma is missing
        elif not (wished and has(between, "you")):
            yield "hypothetical"
    elif index < spot.at and len(between) <= 6 and _is_one_clause(spot.kind, between):
        yield "hypothetical"
    else:
        yield "conditional"


def _is_one_clause(kind: str, between: tuple[Node, ...]) -> bool:
    """Whether the act is the verb of the if: one subject, and nothing that could be another verb between them."""
    allowed = _ONE_PASSIVE_CLAUSE if kind == "cancelled" else _ONE_CLAUSE
    subjects = sum(not node.roles.isdisjoint((*SUBJECTS, "pronoun")) for node in between)
    return subjects <= 1 and all(node.roles & allowed for node in between) and (kind == "cancelled" or not has(between, "pronoun"))
