"""The detector: does this text ask to cancel an order, and why does it seem so?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from msgbot.domain.index import index_of
from msgbot.domain.lexicon import Lexicon
from msgbot.domain.matching import Node
from msgbot.domain.quotes import blank_quotes
from msgbot.domain.reading import Act, read
from msgbot.domain.rulebook import Frame, Rulebook
from msgbot.domain.sentences import SentenceReader
from msgbot.domain.sieve import Sieve
from msgbot.domain.text import MAX_LENGTH
from msgbot.domain.verdict import Intent, Reading, Span, Verdict

_REASONS = frozenset({"mistake", "unwanted", "refused", "rethink"})
"""Acts that ask for a cancellation by giving the reason for it."""
_TYPO_COST = 0.04
_CUT = f"only the first {MAX_LENGTH:,} characters were read"


class Detector:
    """Reads texts with one rulebook. Built once; `detect` is safe to call from any thread and takes time linear in the text.

    >>> detector.detect("Please cancel my order").intent
    <Intent.REQUEST: 'request'>
    """

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        index = rulebook.index or index_of(rulebook.languages, rulebook.frames)
        lexicon = Lexicon(rulebook.languages, index)
        self._sieve = Sieve(lexicon, index)
        self._sentences = SentenceReader(lexicon)
        self._nothing = {language.code: _nothing(language.code) for language in rulebook.languages} | {"": _nothing("")}
        self._frames: dict[tuple[str, str], tuple[Frame, ...]] = {}
        # What is no plain request never gets so high a score that it is answered without a person.
        self._unsure = (rulebook.thresholds.send + rulebook.thresholds.suggest) / 2

    def detect(self, text: str, language: str = "") -> Verdict:
        """The verdict on `text`, which may be anything. `language` (ISO 639-1) is a hint that breaks ties, not an order."""
        notes: tuple[str, ...] = ()
        if len(text) > MAX_LENGTH:
            text, notes = text[:MAX_LENGTH], (_CUT,)
        may_ask, votes = self._sieve.sift(text)
        if not may_ask:
            verdict = self._nothing[self._sentences.spoken(votes, language)]
            return replace(verdict, notes=notes) if notes else verdict
        sentences = self._sentences.sentences(blank_quotes(text), language)
        acts = read(sentences, text)
        readings = [self._reading(act, text) for act in acts]
        spoken = sentences[0].language.code if sentences else ""
        if acts:
            spoken = acts[0].language
        return self._verdict(acts, [each for each in readings if each], spoken, text, notes)

    def phrases_in(self, text: str) -> Iterator[tuple[str, str]]:
        """The phrases of the rules that stand in `text`: language code, and the phrase as the rules write it. A phrase inside
        another one does not count."""
        text = text[:MAX_LENGTH]
        for sentence in self._sentences.sentences(blank_quotes(text)):
            for node in sentence.nodes():
                if node.phrase:
                    yield sentence.language.code, node.phrase

    def _reading(self, act: Act, text: str) -> tuple[Reading, Frame, Act] | None:
        for frame in self._candidates(act):
            if _fits(frame, act):
                edits = max(node.edits for node in act.nodes)
                score = max(0.0, frame.score - _TYPO_COST * edits)
                if "doubtful" in act.features and frame.intent is Intent.REQUEST:
                    score = min(score, self._unsure)
                spans = self._spans(act.nodes, text, act.kind)
                return Reading(f"{frame.id}/{act.language}", frame.intent, score, frame.says, spans, act.language), frame, act
        return None

    @staticmethod
    def _spans(nodes: tuple[Node, ...], text: str, role: str) -> tuple[Span, ...]:
        return tuple([Span(node.start, node.end, text[node.start : node.end], _main_role(node.roles, role)) for node in nodes])

    def _candidates(self, act: Act) -> tuple[Frame, ...]:
        key = act.kind, act.object
        frames = self._frames.get(key)
        if frames is None:
            frames = self._frames[key] = tuple(
                frame
                for frame in self.rulebook.frames
                if (not frame.acts or act.kind in frame.acts) and (not frame.objects or act.object in frame.objects)
            )
        return frames

    def _verdict(
        self, acts: list[Act], found: list[tuple[Reading, Frame, Act]], spoken: str, text: str, notes: tuple[str, ...]
    ) -> Verdict:
        readings = [reading for reading, _, _ in found]
        suggest = self.rulebook.thresholds.suggest
        chosen = _choose(found, suggest)
        opposes = any(frame.opposes for _, frame, _ in found)
        filed = any("filed" in act.features for act in acts)
        if chosen is None:
            best = max(readings, key=lambda each: each.score, default=None)
            if best is None:
                return replace(self._nothing[spoken], notes=notes) if notes else self._nothing[spoken]
            # A request too weak to count is a none that is as sure as the request is not.
            score = best.score if best.intent is Intent.NONE else 1.0 - best.score
            against = tuple(each for each in readings if each is not best and each.intent is not Intent.NONE)
            return Verdict(Intent.NONE, score, best.rule, best.says, best.spans, against, spoken, (), filed, opposes, notes)
        against = tuple(each for each in readings if each.intent is not chosen.intent)
        parts = next(act.part for reading, _, act in found if reading is chosen)
        part = tuple([Span(start, end, text[start:end], "part") for start, end in parts])
        verdict = Verdict(
            chosen.intent,
            chosen.score,
            chosen.rule,
            chosen.says,
            chosen.spans,
            against,
            chosen.language,
            part,
            filed,
            opposes,
            notes,
        )
        return self._contradicted(verdict) if opposes and verdict.intent is Intent.REQUEST else verdict

    def _contradicted(self, verdict: Verdict) -> Verdict:
        """`verdict` on a text that asks to cancel and not to cancel: never sure enough to be answered without a person."""
        return replace(verdict, score=min(verdict.score, self._unsure), notes=(*verdict.notes, "it also asks not to cancel"))


def _nothing(language: str) -> Verdict:
    return Verdict(Intent.NONE, 1.0, language=language, says="nothing in it speaks of cancelling")


def _choose(found: list[tuple[Reading, Frame, Act]], suggest: float) -> Reading | None:
    """The reading that a person would act on. The last word counts between asking and taking back; a plain request counts over a
    condition, but not the reason that was given for the condition."""
    strong = [(reading, act) for reading, _, act in found if reading.intent is not Intent.NONE and reading.score >= suggest]
    if any(reading.intent is Intent.CONDITIONAL for reading, _ in strong):
        strong = [(reading, act) for reading, act in strong if reading.intent is not Intent.REQUEST or act.kind not in _REASONS]
    turning = [reading for reading, _ in strong if reading.intent in {Intent.REQUEST, Intent.WITHDRAWN}]
    if turning:
        last = turning[-1].intent
        return max((each for each in turning if each.intent is last), key=lambda each: each.score)
    return max((reading for reading, _ in strong), key=lambda each: each.score, default=None)


def _fits(frame: Frame, act: Act) -> bool:
    return (
        frame.having <= act.features
        and (not frame.any_of or not frame.any_of.isdisjoint(act.features))
        and frame.lacking.isdisjoint(act.features)
    )


def _main_role(roles: frozenset[str], kind: str) -> str:
    if kind in roles:
        return kind
    meaningful = sorted(roles - {"common", "i", "just"})
    return meaningful[0] if meaningful else "word"
