"""Every example sentence of every language gets the intent that it stands under. A new language needs no Python for that."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

import pytest

from msgbot.content.rule_checks import read_examples
from msgbot.content.rules import built_in_rules
from msgbot.domain.detector import Detector
from msgbot.domain.verdict import Intent

EXAMPLES = list(read_examples(files("msgbot.rules")))


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(built_in_rules())


@pytest.mark.parametrize(
    ("language", "intent", "sentence"),
    [pytest.param(language, intent, sentence, id=str(place)) for language, intent, sentence, place in EXAMPLES],
)
def test_example(detector: Detector, language: str, intent: Intent, sentence: str) -> None:
    verdict = detector.detect(sentence, language)
    assert verdict.intent is intent, f"{verdict.rule}: {verdict.says}"


def test_every_language_has_examples_enough() -> None:
    counted = Counter(language for language, _, _, _ in EXAMPLES)
    assert set(counted) == {language.code for language in built_in_rules().languages}
    assert min(counted.values()) >= 60
