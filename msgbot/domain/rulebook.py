"""The rulebook: what the detector knows, as values. `content.rules` makes it from the files in `rules/`; nothing here reads files.

Words are given roles per language (`cancel`, `order`, `not`, ...). Reading a clause finds an *act* and its features; frames, one
list for all languages, say what an act with such features means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgbot.domain.verdict import Intent

Roles = frozenset[str]

STRONG: Roles = frozenset({"cancel", "cancelling", "cancelled", "cancellation"})
"""Roles of words for cancelling, in all their forms."""
SHARED_ROLES: Roles = STRONG | {"order", "please"}
"""Roles that a word keeps in a sentence of another language ("bitte cancel")."""
ASKING: Roles = frozenset({"please", "want", "need", "can", "help", "ask", "how"})
"""Roles that tell that something is asked for."""
SPEAKS_OF_AN_ORDER: Roles = frozenset({"order", "buy", "send", "trade", "number", "unsent", "received"})
"""Roles that tell that the talk is of an order."""

ACTS = (
    "cancel", "cancelling", "cancelled", "cancellation", "halt", "unsend", "refund", "unwanted", "refused", "mistake", "rethink",
    "proceed", "disregard",
)  # fmt: skip
"""What a clause can be about. Each is also the role of the words and phrases that say it; a negated `send` is an `unsend` too."""

OBJECTS = ("order", "item", "pronoun", "none", "unknown", "other", "cancellation")
"""What an act is done to: the order, an item of it, "it", nothing named, a word nobody knows, something else, an earlier
cancellation."""

FEATURES = (
    "asked", "command", "please", "how", "negated", "cannot", "reported", "asked-before", "why", "hypothetical", "conditional",
    "mention", "compound", "button", "you", "they", "your", "maybe", "limited", "still", "part", "question", "bare", "received",
    "swap", "takeback", "earlier", "keep", "rethink", "unsent", "filed", "prospect", "in-order-talk", "in-other-talk", "other-act",
    "bulk", "astray", "offered", "alone", "name", "doubtful",
)  # fmt: skip
"""What else can be true of an act; the head of `rules/frames.yaml` explains each."""


@dataclass(frozen=True, slots=True)
class Element:
    """One place of a phrase: any of `words`, or any word with one of `roles`, or up to `gap` words of any kind; perhaps
    `optional`."""

    words: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    gap: int = 0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """Several words that play one role together; `text` is how the file writes them. `opening`: only at the beginning of a
    clause."""

    role: str
    elements: tuple[Element, ...]
    text: str
    opening: bool = False


@dataclass(frozen=True, slots=True)
class LanguageRules:
    """One language. `words` maps a role to folded words; a word may have several roles. `not_typos` are words that look like a typo
    of another word and are none. `verb_final`: objects and conditions stand before the act. `negation_after`: negation may follow
    the act. `negation_adjacent`: negation denies only the verb right after it. `unspaced`: words are written without blanks between
    them. `head_first`: what describes a noun follows it. `prefixes`: what may be written onto the beginning of a word, and the role
    that it adds, if any. `endings`: endings by the role that they give to words which the rules do not know."""

    code: str
    name: str
    words: Mapping[str, tuple[str, ...]]
    phrases: Sequence[Phrase] = ()
    not_typos: frozenset[str] = frozenset()
    verb_final: bool = False
    negation_after: bool = False
    unspaced: bool = False
    head_first: bool = False
    negation_adjacent: bool = False
    prefixes: Mapping[str, str] = field(default_factory=dict)
    endings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame:
    """One rule: an act with these features means `intent`. The first frame that fits decides. Empty conditions always hold."""

    id: str
    intent: Intent
    score: float
    says: str
    acts: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    having: frozenset[str] = frozenset()
    any_of: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    opposes: bool = False


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a request is answered (`send`) or suggested to the seller (`suggest`); below, it is none."""

    send: float
    suggest: float


@dataclass(frozen=True, slots=True)
class RuleIndex:
    """What look-ups need of the rules, see index.py. `forms`: language code to word to roles. `ways`: each word that can carry an
    act, and the ways in which it can: of each of the `groups` of a way (by their place), one word must stand in the text."""

    forms: Mapping[str, Mapping[str, Roles]]
    groups: Sequence[Sequence[str]]
    ways: Mapping[str, Sequence[Sequence[int]]]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything the detector knows. `fingerprint` changes whenever the rules do and is recorded with every verdict. `index` is
    what index.py makes of the rules, if that was done before."""

    languages: tuple[LanguageRules, ...]
    frames: tuple[Frame, ...]
    thresholds: Thresholds
    fingerprint: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    index: RuleIndex | None = None
