"""HTTP as a light client speaks it: raw asyncio streams, requests made ready before the clock starts, answers taken apart no
further than needed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

JSON, NDJSON = "application/json", "application/x-ndjson"


class WireError(Exception):
    """An answer that says no, or none at all."""


def request(address: str, path: str, token: str, value: Any, account: str = "", method: str = "POST") -> bytes:
    """A whole request with a JSON body, as bytes."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return head(address, path, token, account, method, f"Content-Type: {JSON}", f"Content-Length: {len(body)}") + body


def head(address: str, path: str, token: str, account: str, method: str, *more: str) -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(address).netloc}", f"Authorization: Bearer {token}", *more]
    if account:
        lines.append(f"Msgbot-Account: {account}")
    return "\r\n".join([*lines, "", ""]).encode()


class Connection:
    """One keep-alive connection to the server at `address`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, address: str) -> Connection:
        parts = urlsplit(address)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port, limit=1_000_000))

    async def ask(self, whole: bytes) -> bytes:
        """Sends a request; the body of its answer. Raises WireError unless the status is 2xx."""
        self.writer.write(whole)
        headers = await self.answer_head()
        return await self.reader.readexactly(int(headers.get("content-length", "0")))

    async def answer_head(self) -> dict[str, str]:
        """The headers of the next answer. Raises WireError unless the status is 2xx."""
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if first[9] != "2":
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
            raise WireError(f"{first}: {body[:500].decode('utf-8', 'replace')}")
        return headers

    async def lines(self) -> AsyncIterator[bytes]:
        """The lines of a chunked body, as they come."""
        rest = b""
        while size := int(await self.reader.readline(), 16):
            *whole, rest = (rest + await self.reader.readexactly(size)).split(b"\n")
            await self.reader.readexactly(2)
            for line in whole:
                yield line

    def close(self) -> None:
        self.writer.close()


async def ask_once(address: str, path: str, token: str, value: Any, method: str = "POST") -> Any:
    """One request on a connection of its own; the JSON value of the answer."""
    connection = await Connection.open(address)
    try:
        return json.loads(await connection.ask(request(address, path, token, value, method=method)))
    finally:
        connection.close()
