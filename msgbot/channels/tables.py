"""Rows out of JSON-lines and CSV files, one after the other, in constant memory. A bad row is a value too: the rest goes on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from msgbot.channels.decoding import likeliest_charset
from msgbot.channels.rows import FIELDS, field_name

MAX_LINE = 10_000_000
_SAMPLE = 1_000_000
_NAMES = frozenset(name for names in FIELDS.values() for name in names)


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the number of its first line, its fields by name, and its bytes."""

    line: int
    fields: dict[str, object]
    raw: bytes


@dataclass(frozen=True, slots=True)
class BadRow:
    """A place where no row could be read; `line` and `column` count from 1, 0 where there is none to name."""

    line: int
    column: int
    reason: str


def read_jsonl(file: BinaryIO) -> Iterator[Row | BadRow]:
    """The objects of a file with one JSON object a line. Blank lines don't count."""
    for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 1):
        if not raw.strip():
            continue
        found = _read_object(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw, number)
        yield found
        if number == 1 and isinstance(found, BadRow) and raw.strip() in (b"[", b"{"):
            yield BadRow(0, 0, "this is one JSON document over many lines: write each message as one object on one line")
            return


def read_csv(file: BinaryIO) -> Iterator[Row | BadRow]:
    """The rows of a CSV file with a header line; charset and delimiter (comma, semicolon or tab) are found out."""
    charset = _charset(file)
    text = io.TextIOWrapper(file, charset, "replace", newline="")
    try:
        yield from _csv_rows(_Lines(text), charset.removesuffix("-sig"))
    finally:
        text.detach()  # the file is the caller's to close


def _csv_rows(lines: _Lines, charset: str) -> Iterator[Row | BadRow]:
    header_line = next(lines, "")
    delimiter = max(",;\t", key=lambda each: len(_NAMES & set(_header(header_line, each))))
    header = _header(header_line, delimiter)
    if not {"text", "body"} & set(header):
        yield BadRow(1, 0, f"no column `text` or `body`; the columns are: {', '.join(header)[:300] or 'none'}")
        return
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        first = lines.number + 1
        lines.taken.clear()
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(first, 0, f"not a CSV row: {error}")
            continue
        if not any(cells):
            continue
        if any(cells[len(header) :]):
            yield BadRow(
                first, 0, f"{len(cells)} cells under {len(header)} column names: a text with {delimiter!r} in it needs quotes"
            )
            continue
        yield Row(
            first, dict(zip(header, cells, strict=False)), "".join(lines.taken).encode(charset.removesuffix("-sig"), "replace")
        )


class _Lines:
    """The lines of a text file for `csv`, which remembers those that went into the row just read."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        return line


def _read_object(raw: bytes, number: int) -> Row | BadRow:
    try:
        value = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return BadRow(number, error.start + 1, "not UTF-8")
    except json.JSONDecodeError as error:
        return BadRow(number, error.colno, f"not JSON: {error.msg}")
    except (ValueError, RecursionError) as error:
        return BadRow(number, 0, f"not to be read: {error}")
    if not isinstance(value, dict):
        return BadRow(number, 1, 'not a JSON object: a line looks like {"text": "…"}')
    return Row(number, value, raw)


def _header(line: str, delimiter: str) -> list[str]:
    try:
        return [field_name(cell) for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _charset(file: BinaryIO) -> str:
    sample = file.read(_SAMPLE)
    file.seek(0)
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if sample.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    # cut at a line's end, so that no character is cut
    return likeliest_charset(sample[: sample.rfind(b"\n") + 1] or sample)
