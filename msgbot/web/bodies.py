"""Request bodies: read within limits of size and patience, and taken apart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, PayloadEncodingError

from msgbot.web.problems import Problem

_MEGABYTE = 1_000_000
LONGEST_LINE = 1_000_000
"""Bytes of one line in a stream of lines."""
_GATHER_SECONDS = 0.2
"""A stream that falls silent for so long gets answers to the lines it has sent."""


async def read_body(request: web.Request, max_mb: float, idle_seconds: float) -> bytes:
    """The whole body. Raises Problem when it is too large, or the client sends nothing for too long."""
    limit = int(max_mb * _MEGABYTE)
    if request.content_length is not None and request.content_length > limit:
        raise _too_large(max_mb)
    parts: list[bytes] = []
    size = 0
    while chunk := await _chunk(request, idle_seconds):
        size += len(chunk)
        # Counted as it is unpacked: a small body may hide a large one.
        if size > limit:
            raise _too_large(max_mb)
        parts.append(chunk)
    return b"".join(parts)


def parse_json(body: bytes) -> Any:
    """The value in a JSON body. Raises Problem that names the place."""
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        detail = f"the body is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise Problem(400, "not_json", detail) from error
    except UnicodeDecodeError as error:
        raise Problem(400, "not_json", f"the body is not UTF-8: byte {error.start}") from error
    except ValueError as error:
        raise Problem(400, "not_json", f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise Problem(400, "not_json", "the body is nested too deeply") from error


async def read_lines(request: web.Request, idle_seconds: float) -> AsyncIterator[tuple[int, bytes] | None]:
    """The lines of a body of any length, each with its number from 1; None where the client pauses. A line that is too long comes
    cut, one byte over the limit. Raises Problem when the client sends nothing for too long."""
    number = 1
    rest = b""
    silent = 0.0
    while True:
        try:
            async with asyncio.timeout(_GATHER_SECONDS):
                chunk = await _read_any(request)
        except TimeoutError:
            silent += _GATHER_SECONDS
            if silent >= idle_seconds:
                raise _too_slow(idle_seconds) from None
            yield None
            continue
        silent = 0.0
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield number, line[: LONGEST_LINE + 1]
            number += 1
        rest = rest[: LONGEST_LINE + 1]
    if rest.strip():
        yield number, rest


async def _chunk(request: web.Request, idle_seconds: float) -> bytes:
    try:
        async with asyncio.timeout(idle_seconds):
            return await _read_any(request)
    except TimeoutError:
        raise _too_slow(idle_seconds) from None


async def _read_any(request: web.Request) -> bytes:
    try:
        return await request.content.readany()
    except (web.RequestPayloadError, BadHttpMessage, PayloadEncodingError) as error:
        raise Problem(400, "not_readable", "the body is not what its headers say: it cannot be unpacked") from error


def _too_large(max_mb: float) -> Problem:
    return Problem(
        413, "too_large", f"the body is larger than {max_mb:g} MB; send messages as lines (application/x-ndjson) instead"
    )


def _too_slow(idle_seconds: float) -> Problem:
    return Problem(408, "too_slow", f"nothing came for {idle_seconds:g} seconds", headers={"Connection": "close"})
