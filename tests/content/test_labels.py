"""Labelled messages from files: what they say, and every line that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgbot.content.labels import read_labels, read_texts
from msgbot.domain.verdict import Intent
from msgbot.errors import ContentError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labels.jsonl"


def test_reads(file: Path) -> None:
    file.write_text(
        '{"id": "a", "text": "cancel", "label": "request", "source": "s", "lang": "en", "tier": "core"}\n\n'
        '{"text": "if", "intent": "conditional"}\n'
    )
    first, second = read_labels(file)
    assert (first.id, first.text, first.request, first.intent) == ("a", "cancel", True, None)
    assert (first.source, first.language, first.tier, first.place) == ("s", "en", "core", f"{file}:1")
    assert (second.id, second.request, second.intent, second.place) == ("3", False, Intent.CONDITIONAL, f"{file}:3")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("x", "not JSON"),
        ("[]", 'expected an object with "text"'),
        ('{"label": "request"}', 'expected an object with "text"'),
        ('{"text": 1, "label": "request"}', 'expected an object with "text"'),
        ('{"text": "x"}', '"label" is None'),
        ('{"text": "x", "label": "yes"}', "\"label\" is 'yes'"),
        ('{"text": "x", "intent": "maybe"}', "\"intent\" is 'maybe'"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_fault_has_its_line(file: Path, line: str, fault: str) -> None:
    file.write_text(f'{{"text": "good", "label": "other"}}\n{line}\n')
    with pytest.raises(ContentError, match=r"labels\.jsonl:2: ") as caught:
        read_labels(file)
    assert fault in str(caught.value)


def test_texts_of_json_lines_and_of_plain_lines(file: Path) -> None:
    file.write_text('{"text": "one"}\n{"text": "two"}\n')
    assert read_texts(file) == [("one", f"{file}:1"), ("two", f"{file}:2")]
    file.write_text("one\n\ntwo\n")
    assert read_texts(file) == [("one", f"{file}:1"), ("two", f"{file}:3")]
    file.write_bytes(b"\xff")
    with pytest.raises(ContentError, match="not UTF-8"):
        read_texts(file)
