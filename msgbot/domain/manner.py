"""How an act is said: asking or telling, whose it is, and whether the words are used or only talked about. Each function yields
features of one kind."""

from __future__ import annotations

from collections.abc import Iterator

from msgbot.domain.rulebook import ASKING
from msgbot.domain.spot import SUBJECTS, THINGS, Spot, has

_LIGHT = frozenset(
    {
        "please",
        "and",
        "but",
        "because",
        "greeting",
        "farewell",
        "common",
        "article",
        "filler",
        "just",
        "i",
        "link",
        "takeback",
        "otherwise",
    }
)


def asking(spot: Spot) -> Iterator[str]:
    """`asked`, `please`, `how`, `command`: the ways of wanting something from the reader."""
    roles = spot.sentence.roles
    if not roles.isdisjoint(ASKING):
        yield "asked"
    if "please" in roles:
        yield "please"
    if "how" in roles:
        yield "how"
    if "maybe" in roles:
        yield "maybe"
    if spot.language.verb_final:
        is_command = all(node.roles & (_LIGHT | ASKING) for node in spot.after)
    elif spot.language.negation_after and not spot.after:
        is_command = all(node.roles & (_LIGHT | THINGS) for node in spot.before)  # "Bestellung bitte stornieren"
    else:
        is_command = all(node.roles & _LIGHT for node in spot.before)
    if is_command:
        yield "command"


def actor(spot: Spot) -> Iterator[str]:
    """`they` or `you`: somebody else does it, and nobody asked them to. `your`: it is done to the reader's order, so a seller
    speaks."""
    before = spot.before
    where = next((at for at in range(len(before) - 1, -1, -1) if before[at].roles & SUBJECTS), None)
    if where is not None and "i" not in before[where].roles and not has(before[:where], "if"):
        to_them, to_you = before[:where], before[where:]
        is_asked = has(to_them, "asked", *ASKING) or (where > 0 and all("greeting" in node.roles for node in to_them))
        if "they" in before[where].roles and not is_asked:
            yield "they"
        elif "you" in before[where].roles and not is_asked and not has(to_you, *ASKING):
            yield "you"
    if has(spot.after[:4], "your") or (_named_before(spot) and has(spot.before[-6:], "your")):
        yield "your"


def offered(spot: Spot) -> Iterator[str]:
    """`offered`: the reader is told that they can do it ("you can cancel until it ships")."""
    roles = spot.sentence.roles
    if spot.sentence.question or not roles.isdisjoint({"please", "want", "need", "ask", "help"}):
        return
    you = next((at for at, node in enumerate(spot.before) if "you" in node.roles), None)
    if you is not None and has(spot.before[you + 1 :], "can") and not has(spot.before, "i"):
        yield "offered"


def _named_before(spot: Spot) -> bool:
    """Whether what the act is done to may stand before it."""
    return spot.kind == "cancelled" or spot.language.negation_after


def limited(spot: Spot) -> Iterator[str]:
    """`limited`: the sending is not denied but only how, where to or until when ("don't ship before Monday", "don't send it to my
    old address")."""
    if spot.kind != "unsend":
        return
    following = spot.sentence.clauses[spot.place + 1 : spot.place + 2]
    if has(spot.after[:5], "limit", "swap") or (following and has(following[0].nodes[:1], "limit")):
        yield "limited"


def compound(spot: Spot) -> Iterator[str]:
    """`compound`: the talk is of the thing beside the word (`cancellation fee`); `button`: of the means to do it (`the cancel
    button`)."""
    ahead = spot.after[:2] if spot.language.verb_final else spot.after[:1]
    behind = () if spot.language.verb_final else spot.before[-3:]
    linked = behind[: max((at for at, node in enumerate(behind) if "link" in node.roles), default=0)]
    if has((spot.node, *ahead, *linked), "policy"):
        yield "compound"
    if has(ahead + behind, "button"):
        yield "button"


def mention(spot: Spot) -> Iterator[str]:
    """`mention`: the words are quoted or talked about, not used."""
    if has(spot.before, "speak") or (spot.node.quoted and "speak" in spot.sentence.roles):
        yield "mention"
