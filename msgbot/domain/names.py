"""Names: whether a word that looks like an act is what somebody is called. "Hava" is a first name, and Swedish for "cancel" where
the keyboard has no å, ä and ö; "Hancel" is a surname, and "cancel" with a typo.

What stands behind a farewell is a name. Elsewhere the spelling tells: a word that is not spelled as the language around it spells
it, and stands alone or has a capital letter of its own, may be a name, and nothing is sent because of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgbot.domain.matching import Node
from msgbot.domain.rulebook import STRONG
from msgbot.domain.sentences import Sentence
from msgbot.domain.spot import Spot, has, is_unknown

_MAY_BE_NAMES = STRONG | {"halt"}
_GREETS = frozenset({"greeting", "farewell"})
_EVERYWHERE = 5
"""What so many languages say, all do ("cancel")."""
_PAIR = 2
"""So few words with capitals show no habit."""
_LONG_NOUN = 8
"""German writes nouns with a capital letter, with typos or without; so long ones are no names."""


def naming(spot: Spot, sentences: Sequence[Sentence], place: int, text: str) -> Iterator[str]:
    """`name`: the act is a name. `doubtful`: it may be one. The sentence of `spot` is the one at `place` of those of `text`."""
    if spot.kind not in _MAY_BE_NAMES:
        return
    stands_alone = _stands_alone(spot)
    if not stands_alone and not _has_own_capital(spot, text):
        return
    is_plain = _is_plain(spot, sentences, place)
    if stands_alone and _follows_a_farewell(spot, sentences[:place]) and not (is_plain and _opens(spot, sentences[:place])):
        yield "name"
    elif not is_plain and not _is_all(spot, sentences):
        yield "doubtful"


def _is_plain(spot: Spot, sentences: Sequence[Sentence], place: int) -> bool:
    """Whether the act is a word of the language that is written around it, without typos and with its accents. Scripts other than
    Latin have spellings, but no keyboards that lack their letters."""
    node, language = spot.node, spot.language
    if node.edits:
        return False
    if node.phrase:
        return any(form in language.words.get(role, ()) for form in node.form.split() for role in STRONG)
    if sum(spot.kind in roles for roles in (node.entry or {}).values()) >= _EVERYWHERE:
        return True
    if node.form.isascii() and node.form not in language.words.get(spot.kind, ()):
        return False
    longest = max(sentences, key=lambda sentence: sum(len(clause.nodes) for clause in sentence.clauses))
    return longest.language is language and not any(
        _greets_abroad(each) for sentence in sentences[max(0, place - 1) : place + 1] for each in sentence.nodes()
    )


def _greets_abroad(node: Node) -> bool:
    """Whether it is a word of greeting, and of another language than its sentence was read in."""
    return not node.known and bool(node.entry) and any(not roles.isdisjoint(_GREETS) for roles in (node.entry or {}).values())


def _stands_alone(spot: Spot) -> bool:
    """Whether nothing but greetings and words that nobody knows, names perhaps, stands beside the act in its clause."""
    if spot.node.phrase:
        return False
    before = spot.before
    for at in range(len(before) - 1, -1, -1):
        if "farewell" in before[at].roles:
            before = before[at:]
            break
    return all(not node.roles.isdisjoint(_GREETS) or is_unknown(node) for node in before + spot.after)


def _is_all(spot: Spot, sentences: Sequence[Sentence]) -> bool:
    """Whether the text has no other word."""
    return len(sentences) == len(spot.sentence.clauses) == len(spot.clause.nodes) == 1


def _has_own_capital(spot: Spot, text: str) -> bool:
    """Whether the act has a capital letter that neither the beginning of a sentence gave it nor a habit of writing all words so."""
    words = text[spot.node.start : spot.node.end].split()
    if spot.node is spot.sentence.clauses[0].nodes[0]:
        words = words[1:]
    if not any(map(str.istitle, words)) or (spot.kind == "cancellation" and len(words[-1]) >= _LONG_NOUN):
        return False
    nodes = list(spot.sentence.nodes())
    return len(nodes) <= _PAIR or not all(text[node.start].isupper() for node in nodes)


def _follows_a_farewell(spot: Spot, earlier: Sequence[Sentence]) -> bool:
    if spot.before:
        return has(spot.before, "farewell")
    clauses = spot.sentence.clauses[: spot.place] or (earlier[-1].clauses if earlier else ())
    return bool(clauses) and "farewell" in clauses[-1].nodes[-1].roles


def _opens(spot: Spot, earlier: Sequence[Sentence]) -> bool:
    """Whether only greetings stand before the act: what is a farewell elsewhere is one of them then ("Saludos, cancelen")."""
    nodes = [node for sentence in earlier for node in sentence.nodes()]
    nodes += [node for clause in spot.sentence.clauses[: spot.place] for node in clause.nodes]
    return all(not node.roles.isdisjoint(_GREETS) for node in nodes + list(spot.before))
