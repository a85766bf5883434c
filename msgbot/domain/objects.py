"""What an act is done to: the order, an item, "it", an earlier cancellation, or something that is no order at all."""

from __future__ import annotations

from msgbot.domain.matching import Node
from msgbot.domain.spot import Spot, has, is_unknown

_REACH = 8
_UNDOING = frozenset({"halt", "disregard", "unsend", "cancel", "cancelling"})
# Only these reach back to an earlier clause: "about my cancellation: please cancel at last" undoes nothing.
_UNDOING_FROM_AFAR = frozenset({"halt", "disregard"})
_ENDS_THE_OBJECT = frozenset({"link", "i", "you", "they"})
# After these a noun phrase that has not begun does not begin any more ("cancel asap wrong adress").
_AWAY = frozenset({"just", "greeting", "farewell", "please", "because", "swap"})
_ANOTHER_VERB = frozenset({"was", "is", "did", "if", "otherwise"})
# These are acts or news by themselves; after a "cancel the" they are what is cancelled.
_ALSO_NAMED = frozenset({"refund", "swap"})
_NOTHING: tuple[str, Node | None] = ("", None)


def object_of(spot: Spot) -> tuple[str, Node | None]:
    """One of rulebook.OBJECTS, and the word that says so, if one does."""
    own = _name(spot.node)
    if own and own != "cancellation":
        return own, spot.node
    found = _object_around(spot)
    return _no_bare_number(found) if spot.kind == "halt" else found


def _object_around(spot: Spot) -> tuple[str, Node | None]:
    after, before = _after(spot), _before(spot)
    first, second = (before, after) if spot.language.verb_final or spot.kind == "cancelled" else (after, before)
    for found in (first, second):
        if found[0] not in {"", "unknown"}:
            return found
    if before[0]:
        return before
    if spot.kind == "halt" and (listed := _later(spot))[0]:
        return listed
    return after if after[0] else _earlier(spot)


def _no_bare_number(found: tuple[str, Node | None]) -> tuple[str, Node | None]:
    """A number alone makes an order of what is cancelled, but not of what is stopped or removed."""
    name, node = found
    return ("unknown", node) if name == "order" and node is not None and "order" not in node.roles else found


def _name(node: Node) -> str:
    roles = node.roles
    if "foreign" in roles or "thing" in roles:
        return "other"
    if "order" in roles or "number" in roles:
        return "order"
    for name in ("cancellation", "item", "pronoun"):
        if name in roles:
            return name
    return ""


def _after(spot: Spot) -> tuple[str, Node | None]:
    """The first thing named after the act. Of several nouns in a row the last one counts (`the subscription order`); what hangs on
    it with a preposition does not (`the order for my insurance`)."""
    name, found = _NOTHING
    hangs_on = away = False
    for place, node in enumerate(spot.after[:_REACH]):
        here = _name(node)
        if spot.language.verb_final:
            # What follows the verb is the next thing asked for, unless the verb describes it (the order that I want to cancel).
            if here in {"order", "item"}:
                return here, node
            continue
        if not here and not node.roles.isdisjoint(_ALSO_NAMED) and place and not name:
            here = "other"
        if name not in {"", "unknown"} and not node.roles.isdisjoint(_ENDS_THE_OBJECT):
            break
        if here == "pronoun" and name == "unknown":
            break
        hangs_on = hangs_on or ("link" in node.roles and spot.kind != "cancellation")
        away = away or not node.roles.isdisjoint(_AWAY)
        if not node.roles.isdisjoint(_ANOTHER_VERB) or (spot.language.negation_adjacent and "not" in node.roles):
            break
        if not name and hangs_on and here not in {"order", "item"}:
            continue  # "cancel in my account" cancels no account
        if here == "order" and name == "unknown" and spot.kind == "halt":
            return "item", found  # "remove the blue one from my order"
        if here:
            name, found = here, node
            if here == "order":
                break
        elif is_unknown(node):
            if name not in {"order", "item"} and not away and not (name and spot.language.head_first):
                name, found = "unknown", found if name == "unknown" else node
        elif name not in {"", "unknown", "pronoun"} or (name == "pronoun" and node.roles.isdisjoint({"common", "article"})):
            break
    return name, found


def _before(spot: Spot) -> tuple[str, Node | None]:
    near = spot.before[-_REACH:]
    in_passing = _NOTHING
    for at in range(len(near) - 1, -1, -1):
        name = _name(near[at])
        if name == "other" and has(near[max(0, at - 2) : at], "link"):
            in_passing = name, near[at]  # "the order in my account": the order counts, if one is named
        elif name and (name != "cancellation" or spot.kind in _UNDOING):
            return name, near[at]
    return in_passing if in_passing[0] else _unknown_before(spot)


def _unknown_before(spot: Spot) -> tuple[str, Node | None]:
    """A thing nobody knows right before the verb ("meine Yogastunde stornieren"), where verbs stand behind their objects."""
    if not spot.language.negation_after:
        return _NOTHING
    before = list(spot.before)
    while before and before[-1].roles & {"can", "want", "not"}:
        before.pop()
    if len(before) > 1 and is_unknown(before[-1]) and before[-2].roles & {"article", "common"}:
        return "unknown", before[-1]
    return _NOTHING


def _earlier(spot: Spot) -> tuple[str, Node | None]:
    """What an earlier clause of the sentence names. A reason ("as the flight is late, ...") names no object."""
    wanted = {"order", "other", "cancellation"} if spot.kind in _UNDOING_FROM_AFAR else {"order", "other"}
    in_a_reason = "because" in spot.clause.nodes[0].roles
    for clause in reversed(spot.sentence.clauses[: spot.place]):
        for node in reversed(clause.nodes):
            name = _name(node)
            if spot.kind == "halt" and name == "order" and "order" not in node.roles:
                continue  # a number, but the number of what?
            if name in wanted and not (name == "other" and (in_a_reason or "thing" in node.roles)):
                return name, node
        in_a_reason = in_a_reason or "because" in clause.nodes[0].roles
    return "none", None


def _later(spot: Spot) -> tuple[str, Node | None]:
    """What a list goes on with: "remove the cups and the plates from my order"."""
    for clause in spot.sentence.clauses[spot.place + 1 : spot.place + 2]:
        if "and" in clause.nodes[0].roles:
            for node in clause.nodes:
                if _name(node) == "order":
                    return "item", node
    return _NOTHING
