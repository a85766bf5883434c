"""`msgbot detect`: JSON lines in, JSON lines out. Streams in bounded memory and loads nothing but the detector; big input is shared
among all cores, in the order it came."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache
from itertools import islice
from typing import IO, Any

import click

from msgbot import Detector, Intent, Verdict, built_in_rules
from msgbot.plain.verdicts import verdict_data

_ALONE = 4_000
"""So many lines one process reads alone: starting others takes longer."""
_CHUNK = 2_000
_AHEAD = 3
"""So many chunks each process may have waiting."""
Answer = tuple[bytes, list[tuple[int, str]]]


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--processes", type=click.IntRange(min=1), help="How many processes share big input.  [default: one for each core]")
def command(file: IO[bytes], processes: int | None) -> int:
    """Detect requests in JSON lines, fast.

    FILE, or standard input, holds one object a line: {"id": ..., "text": ...}, perhaps with "language". One object a line comes
    out: the same fields without the text, and the verdict: intent, score, language, rule, what it says, evidence, what spoke
    against it, whether only part is meant. A line that cannot be read is reported with its number and the rest goes on; the exit
    code is then 1.
    """
    lines = enumerate(file, start=1)
    faults = 0
    reader = _Reader()
    for numbered in islice(lines, _ALONE):
        faults += _report(file.name, reader.read([numbered]))
    for answer in _shared(_chunks(lines), processes or _cores(), reader):
        faults += _report(file.name, answer)
    sys.stdout.buffer.flush()
    return 1 if faults else 0


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _report(name: str, answer: Answer) -> int:
    """Writes one answer and says what could not be read; how many lines that were."""
    found, faults = answer
    sys.stdout.buffer.write(found)
    for number, fault in faults:
        click.echo(f"{name}:{number}: {fault}", err=True)
    return len(faults)


def _chunks(lines: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    while chunk := list(islice(lines, _CHUNK)):
        yield chunk


def _shared(chunks: Iterable[list[tuple[int, bytes]]], processes: int, reader: _Reader) -> Iterator[Answer]:
    """The answers to `chunks`, in their order."""
    if processes == 1:
        yield from map(reader.read, chunks)
        return
    chunks = iter(chunks)
    first = next(chunks, None)
    if first is None:
        return
    with ProcessPoolExecutor(processes, initializer=_leave_stopping_to_the_parent) as pool:
        waiting: deque[Future[Answer]] = deque([pool.submit(_read_elsewhere, first)])
        for chunk in chunks:
            waiting.append(pool.submit(_read_elsewhere, chunk))
            if len(waiting) >= processes * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _leave_stopping_to_the_parent() -> None:
    # Ctrl-C reaches every process of the terminal; one message that it stopped is enough.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read_elsewhere(lines: list[tuple[int, bytes]]) -> Answer:
    return _reader_of_this_process().read(lines)


@lru_cache(maxsize=1)
def _reader_of_this_process() -> _Reader:
    return _Reader()


class _Reader:
    """Answers lines with one detector."""

    def __init__(self) -> None:
        self._detector = Detector(built_in_rules())
        # The rules stay until the end: looking for garbage among them again and again is wasted time.
        gc.freeze()

    def read(self, lines: Iterable[tuple[int, bytes]]) -> Answer:
        """The verdicts on `lines`, one a line, and the numbers of those that could not be read, with the reason."""
        found: list[bytes] = []
        faults: list[tuple[int, str]] = []
        for number, line in lines:
            if not line.strip():
                continue
            try:
                row = _row(line)
            except ValueError as error:
                faults.append((number, str(error)))
                continue
            text, language = row.pop("text"), row.get("language")
            verdict = self._detector.detect(text, language if isinstance(language, str) else "")
            fields = json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace")
            found.append(fields[:-1] + (b", " if row else b"") + _encoded(verdict) + b"\n")
        return b"".join(found), faults


def _encoded(verdict: Verdict) -> bytes:
    """The fields of the verdict and the closing brace."""
    if verdict.rule == "-":
        # Most messages ask for nothing, and there are few such verdicts.
        return _encoded_nothing(verdict.score, verdict.says, verdict.language, verdict.notes)
    return json.dumps(verdict_data(verdict), ensure_ascii=False).encode("utf-8", "backslashreplace")[1:]


@lru_cache(maxsize=256)
def _encoded_nothing(score: float, says: str, language: str, notes: tuple[str, ...]) -> bytes:
    verdict = Verdict(Intent.NONE, score, says=says, language=language, notes=notes)
    return json.dumps(verdict_data(verdict), ensure_ascii=False).encode("utf-8")[1:]


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
