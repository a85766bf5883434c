"""Whether an act is wanted or told of: a cancellation that was made, is made, or was asked for before."""

from __future__ import annotations

from collections.abc import Iterator

from msgbot.domain.matching import Node
from msgbot.domain.spot import SUBJECTS, THINGS, Spot, has

_DONE = frozenset({"was", "is", "have", "did", "asked"})
_WISHED = frozenset({"want", "need", "please", "help", "how", "ask"})
_SAYS_WHICH = SUBJECTS | _DONE | _WISHED


def report(spot: Spot) -> Iterator[str]:
    """`reported`: it tells of a cancellation that was, is or was not made. `asked-before`: it tells that the writer asked for
    one."""
    before = spot.before
    if spot.kind == "cancelled":
        # Where the verb stands last, nothing before it tells its tense: the form alone does.
        told = _first(before, "asked")
        if "did" in spot.node.roles:
            yield "reported"  # a form that cannot be wished for ("canceló")
        elif has(before[told:], "be") and not has(before[:told], "they", "you", "was"):
            yield "asked-before"
        elif spot.language.verb_final or not _is_wished(spot):
            yield "reported"
        return
    last = next((at for at in range(len(before) - 1, -1, -1) if "asked" in before[at].roles), len(before))
    is_asked = last < len(before) and not has(before[last:], "how", "please")
    if (is_asked and not has(before[:last], "they", "you", "please")) or (spot.language.negation_after and _asked_around(spot)):
        yield "asked-before"
    elif _is_told(spot):
        yield "reported"


def _is_told(spot: Spot) -> bool:
    """Whether what stands around a `cancel`, `cancelling` or `cancellation` makes it something that happened or happens."""
    before = spot.before
    if has(before[-4:], "did") and not spot.language.verb_final:
        return not has(before, "want", "need", "ask", "please", "if")
    if spot.kind == "cancelling":
        return has(before, "was", "is", "have") and has(before, "you", "they")
    return spot.kind == "cancellation" and has(spot.clause.nodes, "got", "received")


def _asked_around(spot: Spot) -> bool:
    """Whether the word that tells of the asking follows the act, or closes the clause before ("Ich hatte Sie gebeten, ... zu
    stornieren")."""
    earlier = spot.sentence.clauses[spot.place - 1].nodes[-2:] if spot.place and not spot.language.verb_final else ()
    return has(spot.after[:5] + earlier, "asked")


def _is_wished(spot: Spot) -> bool:
    """Whether a participle is something wanted ("I want it cancelled") and not something that happened ("it was cancelled")."""
    before = spot.before
    for clause in reversed(spot.sentence.clauses[max(0, spot.place - 2) : spot.place]):
        if has(before, *_SAYS_WHICH):
            break
        before = clause.nodes + before  # the number of the order or the like stands between marks
    if spot.language.negation_after and has(spot.after[:2], "was", "is"):
        return False
    if has(spot.before[-1:], "article", "link") and has(spot.after[:1], *THINGS):
        return False  # "my cancelled order"
    for back in range(len(before) - 1, -1, -1):
        roles = before[back].roles
        if roles & _WISHED:
            return True
        if "have" in roles and has(before[back + 1 :], *THINGS):
            continue  # "have my order cancelled" is no perfect
        if roles & _DONE:
            return False
        if "be" in roles and has(before[:back], "can"):
            return not has(before[:back], "was", "asked", "did", "got") and (
                spot.sentence.question or has(before[:back], "please") or not has(before[: _first(before, "can")], *THINGS)
            )
        if roles & {"they", "you"} and not has(before[:back], "can", "please"):
            return False
    if has(spot.clause.nodes, "be") and not spot.sentence.roles.isdisjoint({"want", "please"}):
        return True
    if has(before, "can"):
        return not has(before[: _first(before, "can")], *THINGS)
    return has(spot.after, "please") and not has(before, *SUBJECTS)


def _first(nodes: tuple[Node, ...], role: str) -> int:
    return next((at for at, node in enumerate(nodes) if role in node.roles), len(nodes))
