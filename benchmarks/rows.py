"""Labelled messages from files."""

from __future__ import annotations

import importlib.resources
import json
import re
import zlib
from pathlib import Path
from typing import NamedTuple

NOT_SCORED = frozenset({"ambiguous", "conditional"})
MOST_FAULTS = 20
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
    """The labelled messages in `file`. Raises InputError with every fault, up to MOST_FAULTS."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    rows, faults = [], []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                rows.append(read_row(line))
            except ValueError as error:
                faults.append(f"{file}:{number}: {error}")
    if faults:
        more = [f"... and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise InputError("\n".join([*faults[:MOST_FAULTS], *more]))
    if not rows:
        raise InputError(f"{file}: no messages in it")
    return rows


def read_row(line: bytes) -> Row:
    """The row on a line. Raises ValueError that says what is wrong."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"column {error.start + 1}: not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"column {error.colno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(row, dict):
        raise ValueError('expected an object with "id", "text" and "label"')
    for name in ("id", "text", "label"):
        if name not in row:
            raise ValueError(f'the field "{name}" is missing')
    for name in ("text", "source", "lang", "tier"):
        if not isinstance(row.get(name, ""), str):
            raise ValueError(f'the field "{name}" must be a string')
    if row["label"] not in ("request", "other"):
        raise ValueError('the field "label" must be "request" or "other"')
    try:
        row["text"].encode()
    except UnicodeEncodeError as error:
        raise ValueError('the field "text" holds half of a character') from error
    return Row(row["text"], row["label"] == "request", row.get("source") or "?", row.get("lang") or "?", row.get("tier") or "core")


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
