"""The phrase language of rule files, from text to `Phrase`.

please cancel         these words, one after the other
cancel|stop order     either word
[please] cancel       an optional word
want to <cancel>      any word that has the role
stop ... order        up to three other words between
<order|item>|it       any word of either role, or "it"
^ should it           only at the beginning of a clause
"""

from __future__ import annotations

import re

from msgbot.domain.rulebook import Element, Phrase
from msgbot.domain.text import fold, without_accents

GAP = 3
"""How many words `...` may stand for."""
MAX_ELEMENTS = 12


_ALTERNATIVE = re.compile(r"<[^<>]*>|[^|]+")


class PhraseError(ValueError):
    """The phrase cannot be read; the text says what is wrong."""


def parse_phrase(role: str, text: str, roles: frozenset[str]) -> Phrase:
    """`text` as a phrase that plays `role`; `roles` are the role names there are. Raises PhraseError."""
    parts = text.split()
    opening = parts[:1] == ["^"]
    elements = tuple(_element(part, roles) for part in parts[opening:])
    if not elements:
        raise PhraseError("an empty phrase")
    if len(elements) > MAX_ELEMENTS:
        raise PhraseError(f"longer than {MAX_ELEMENTS} places")
    if elements[0].gap or elements[-1].gap:
        raise PhraseError("'...' cannot stand first or last")
    if all(element.optional or element.gap for element in elements):
        raise PhraseError("nothing in it is required, so it would match everywhere")
    return Phrase(role, elements, text, opening)


def _element(part: str, known: frozenset[str]) -> Element:
    if part == "...":
        return Element(gap=GAP)
    optional = part.startswith("[")
    if optional != part.endswith("]"):
        raise PhraseError(f"{part!r}: a '[' without its ']' in the same word")
    inner = part[1:-1] if optional else part
    words: set[str] = set()
    roles: set[str] = set()
    for alternative in _ALTERNATIVE.findall(inner):
        if alternative.startswith("<") and alternative.endswith(">"):
            roles.update(alternative[1:-1].split("|"))
        else:
            words.add(fold(alternative))
    if "|".join(_ALTERNATIVE.findall(inner)) != inner or any(sign in word for word in words for sign in "<>[]()"):
        raise PhraseError(f"{part!r}: write words and <roles> with '|' between them")
    if unknown := sorted(roles - known):
        raise PhraseError(f"no role is called {unknown[0]!r}")
    # A phrase is found without its accents and apostrophes, too.
    words |= {without_accents(word).replace("'", "") for word in words}
    return Element(frozenset(words), frozenset(roles), optional=optional)
