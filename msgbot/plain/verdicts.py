"""Verdicts as plain data. Needs nothing but the domain, so that `msgbot detect` starts without the database."""

from __future__ import annotations

from typing_extensions import TypedDict

from msgbot.domain.verdict import Reading, Span, Verdict


class SpanData(TypedDict):
    """A stretch of the text that mattered, by character offsets, and the role it played."""

    start: int
    end: int
    text: str
    role: str


class ReadingData(TypedDict):
    """What a clause was taken to say."""

    rule: str
    intent: str
    score: float
    says: str
    words: list[str]


class VerdictData(TypedDict):
    """What the detector says of a text, and why. `intent` is request, conditional, withdrawn or none; `score` is between 0 and
    1."""

    intent: str
    score: float
    language: str
    rule: str
    says: str
    evidence: list[SpanData]
    against: list[ReadingData]
    partial: bool
    part: list[SpanData]
    filed: bool
    opposes: bool
    notes: list[str]


def span_data(span: Span) -> SpanData:
    """A span as plain data."""
    return {"start": span.start, "end": span.end, "text": span.text, "role": span.role}


def reading_data(reading: Reading) -> ReadingData:
    """A reading as plain data."""
    return {
        "rule": reading.rule,
        "intent": reading.intent.value,
        "score": round(reading.score, 4),
        "says": reading.says,
        "words": [span.text for span in reading.spans],
    }


def verdict_data(verdict: Verdict) -> VerdictData:
    """A verdict as plain data."""
    return {
        "intent": verdict.intent.value,
        "score": round(verdict.score, 4),
        "language": verdict.language,
        "rule": verdict.rule,
        "says": verdict.says,
        "evidence": [span_data(span) for span in verdict.evidence],
        "against": [reading_data(reading) for reading in verdict.against],
        "partial": verdict.partial,
        "part": [span_data(span) for span in verdict.part],
        "filed": verdict.filed,
        "opposes": verdict.opposes,
        "notes": list(verdict.notes),
    }
