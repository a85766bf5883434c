"""`msgbot detect`: JSON lines in, JSON lines out. Streams in constant memory and loads nothing but the detector."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import IO, Any

import click

from msgbot import Detector, Verdict, built_in_rules


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
def command(file: IO[bytes]) -> int:
    """Detect requests in JSON lines, fast.

    FILE, or standard input, holds one object a line: {"id": ..., "text": ...}, perhaps with "language". One object a line comes
    out: the same fields without the text, and intent, score, language and evidence. A line that cannot be read is reported with
    its number and the rest goes on; the exit code is then 1.
    """
    detector = Detector(built_in_rules())
    faults = 0
    write = sys.stdout.buffer.write
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = _row(line)
        except ValueError as error:
            faults += 1
            click.echo(f"{file.name}:{number}: {error}", err=True)
            continue
        text = row.pop("text")
        language = row.get("language")
        verdict = detector.detect(text, language if isinstance(language, str) else "")
        row.update(_plain(verdict))
        write(json.dumps(row, ensure_ascii=False, separators=(", ", ": ")).encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()
    return 1 if faults else 0


def _row(line: bytes) -> dict[str, Any]:
    """The object on a line. Raises ValueError that says what is wrong and where."""
    try:
        row = json.loads(line)
    except UnicodeDecodeError as error:
        raise ValueError(f"column {error.start + 1}: not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"column {error.colno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(row, dict):
        raise ValueError('expected an object with "id" and "text"')
    for field in ("id", "text"):
        if field not in row:
            raise ValueError(f'the field "{field}" is missing')
    if not isinstance(row["text"], str):
        raise ValueError('the field "text" must be a string')
    return row


def _plain(verdict: Verdict) -> Iterator[tuple[str, Any]]:
    yield "intent", verdict.intent.value
    yield "score", round(verdict.score, 4)
    yield "language", verdict.language
    yield "rule", verdict.rule
    yield "evidence", [{"start": span.start, "end": span.end, "text": span.text, "role": span.role} for span in verdict.evidence]
    if verdict.notes:
        yield "notes", list(verdict.notes)
