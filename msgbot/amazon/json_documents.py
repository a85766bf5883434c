"""JSON documents: bytes from Amazon or from a file, as values. What is wrong with them is told with line and column."""

from __future__ import annotations

import json
from decimal import Decimal
from json.decoder import JSONDecoder

from msgbot.amazon.flat_files import decode
from msgbot.errors import InputError


def read_json(data: bytes, source: str) -> object:
    """The one value that `data` holds, with fractions as Decimal. Raises InputError when it is not one JSON value."""
    values = read_json_values(data, source)
    if len(values) != 1:
        raise InputError(f"expected one JSON value, found {len(values)}", file=source, line=1, column=1)
    return values[0]


def read_json_values(data: bytes, source: str) -> list[object]:
    """The values that stand one after another in `data`, as in JSON lines; none in an empty file.

    UTF-8, UTF-16 and UTF-32 are told apart, with a byte order mark or without. Raises InputError where the JSON ends too early or
    is none.
    """
    text = json_text(data)
    decoder = JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
    values = []
    place = _skip_blanks(text, 0)
    try:
        while place < len(text):
            value, place = decoder.raw_decode(text, place)
            values.append(value)
            place = _skip_blanks(text, place)
    except json.JSONDecodeError as error:
        early = not text[error.pos :].strip() or error.msg.startswith("Unterminated")
        fault = "the JSON ends here in the middle: was the file cut off?" if early else f"this is not JSON: {error.msg}"
        raise InputError(fault, file=source, line=error.lineno, column=error.colno) from error
    except (RecursionError, ValueError, ArithmeticError) as error:
        line = text.count("\n", 0, place) + 1
        fault = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"the JSON that begins here cannot be read: {fault}", file=source, line=line, column=1) from error
    return values


def json_text(data: bytes) -> str:
    """The text of JSON bytes; in a charset that JSON does not allow, as what the letters look like."""
    try:
        return data.decode(json.detect_encoding(data))
    except ValueError:
        return decode(data)[0]


def _skip_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number in JSON")
