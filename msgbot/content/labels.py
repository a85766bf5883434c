"""Labelled messages from JSON lines: what people say that a detector should say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgbot.domain.measure import Labelled
from msgbot.domain.verdict import Intent
from msgbot.errors import ContentError, Fault

_LABELS = {"request": True, "other": False}


def read_labels(file: Path) -> list[Labelled]:
    """The labelled messages in `file`: one object a line with "text", and "label" (request or other) or "intent" (request,
    conditional, withdrawn or none); perhaps "id", "source", "lang", "tier". Raises ContentError with every line that cannot be
    read."""
    found: list[Labelled] = []
    faults: list[Fault] = []
    for number, row in _rows(file, faults):
        label, intent = row.get("label"), row.get("intent")
        if intent is not None and intent not in set(Intent):
            faults.append(Fault(str(file), number, 0, f'"intent" is {intent!r}, and must be one of: {", ".join(Intent)}'))
        elif intent is None and label not in _LABELS:
            faults.append(Fault(str(file), number, 0, f'"label" is {label!r}, and must be "request" or "other"'))
        else:
            known = Intent(intent) if intent else None
            request = known is Intent.REQUEST if known else _LABELS[str(label)]
            name = str(row.get("id", number))
            source, language, tier = (str(row.get(field) or "") for field in ("source", "lang", "tier"))
            found.append(Labelled(name, row["text"], request, known, source, language, tier, f"{file}:{number}"))
    if faults:
        raise ContentError(faults)
    return found


def read_texts(file: Path) -> list[tuple[str, str]]:
    """Texts and their places: of JSON lines the field "text", of any other file each line. Raises ContentError."""
    with file.open("rb") as lines:
        is_json = lines.readline().lstrip().startswith(b"{")
    if is_json:
        faults: list[Fault] = []
        found = [(row["text"], f"{file}:{number}") for number, row in _rows(file, faults)]
        if faults:
            raise ContentError(faults)
        return found
    try:
        lines_of_text = file.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ContentError([Fault(str(file), 0, 0, "not UTF-8")]) from error
    return [(line, f"{file}:{number}") for number, line in enumerate(lines_of_text, start=1) if line.strip()]


def _rows(file: Path, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                faults.append(Fault(str(file), number, 0, f"not JSON: {error}"))
                continue
            if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                faults.append(Fault(str(file), number, 0, 'expected an object with "text"'))
                continue
            yield number, row
