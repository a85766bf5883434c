"""Labelled messages from files."""

from __future__ import annotations

import importlib.resources
import re
import zlib
from pathlib import Path
from typing import NamedTuple

WORD = re.compile(r"\w+")


class Row(NamedTuple):
    """A labelled message."""

    text: str
    is_request: bool
    source: str
    language: str
    tier: str


class InputError(Exception):
    """What is wrong with the input, one line for each fault."""


def read_rows(file: Path) -> list[Row]:
    """The labelled messages in `file`. Raises InputError with every fault."""
    from msgbot.content.labels import read_labels
    from msgbot.errors import ContentError

    try:
        labels = read_labels(file)
    except ContentError as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    if not labels:
        raise InputError(f"{file}: no messages in it")
    return [Row(label.text, label.request, label.source or "?", label.language or "?", label.tier or "core") for label in labels]


def example_rows() -> list[Row]:
    """The example sentences of msgbot's own rules: something to be fast on when there are no labelled messages."""
    import yaml

    rows = []
    for folder in importlib.resources.files("msgbot.rules").iterdir():
        file = folder / "examples.yaml"
        if file.is_file():
            for intent, sentences in yaml.safe_load(file.read_text("utf-8")).items():
                rows += [Row(str(text), intent == "request", "examples", folder.name, "core") for text in sentences]
    return rows


def same(text: str) -> str:
    """What two texts have in common that differ in nothing but case, blanks and marks."""
    return " ".join(WORD.findall(text.casefold())) or text


def checksum(text: str) -> int:
    return zlib.crc32(text.encode())
