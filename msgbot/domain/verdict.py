"""The verdict: what the detector says of a message, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Intent(StrEnum):
    """What a message asks (design: the words this project uses)."""

    REQUEST = "request"
    """Cancel a placed order or part of it, also implicitly; also "how do I cancel?"."""
    CONDITIONAL = "conditional"
    """Cancel only if something happens."""
    WITHDRAWN = "withdrawn"
    """Takes an earlier request back."""
    NONE = "none"
    """Anything else."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the text that mattered: offsets into the text given to the detector, and the role it played there."""

    start: int
    end: int
    text: str
    role: str


SOME_PART = Span(0, 0, "", "part")
"""Stands for the words that say which part of an order is meant, where they are not known."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one clause was taken to say: the rule that decided, its intent and score, its plain words, and the spans it rests on."""

    rule: str
    intent: Intent
    score: float
    says: str
    spans: tuple[Span, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the detector says of a text.

    `score` is between 0 and 1: how sure it is of `intent`. `rule` names the deciding rule (`-` when none spoke), `says` puts it in
    plain words. `evidence` are the spans it rests on, `against` the readings that spoke for something else. `language` is the
    language it was read in (ISO 639-1) or empty. `part`: when only part of the order seems meant, the words that say so, with how
    many of what. `filed`: the buyer says that a formal request was already made. `opposes`: the text asks not to cancel. `notes`
    tell what was not read, if anything.
    """

    intent: Intent
    score: float
    rule: str = "-"
    says: str = ""
    evidence: tuple[Span, ...] = ()
    against: tuple[Reading, ...] = ()
    language: str = ""
    part: tuple[Span, ...] = ()
    filed: bool = False
    opposes: bool = False
    notes: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether only part of the order seems meant."""
        return bool(self.part)

    def without_words(self) -> Verdict:
        """The verdict without a word of the text it is about."""
        against = tuple(replace(reading, spans=()) for reading in self.against)
        return replace(self, evidence=(), against=against, part=(SOME_PART,) if self.part else ())
