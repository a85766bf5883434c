"""Documents: the bytes of feeds and reports, which lie in a store beside the API, at addresses that live five minutes.

The addresses are signed and so secrets: no text names them, and the store is sent nothing that belongs to the API."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from msgbot.amazon.fields import Fields
from msgbot.errors import AmazonAway, AmazonRefused, InputError
from msgbot.spapi.answers import charset_of
from msgbot.spapi.client import PATIENCE, RETRIED, SpApi
from msgbot.spapi.exchange import MEGABYTE, NoReply, Reply, TooBig, exchange, unpack
from msgbot.spapi.operations import Operation
from msgbot.spapi.patience import Patience

MOST = 64 * MEGABYTE
SECONDS = 300.0
_UPLOAD, _DOWNLOAD = "the upload of a document", "the download of a document"


@dataclass(frozen=True, slots=True)
class Document:
    """What a document holds, unpacked, and the charset that the store says it is written in."""

    data: bytes
    charset: str | None


class Expired(AmazonAway):
    """The address of a document is taken no more."""


class Documents:
    """Carries documents to the store and from it."""

    def __init__(self, client: SpApi) -> None:
        self._client = client

    async def upload(self, address: str, data: bytes, content_type: str, *, patience: float = PATIENCE) -> None:
        """Puts `data` at an address that createFeedDocument gave for this content type. Raises AmazonAway when it has expired or
        the store is in trouble, AmazonRefused when the store does not take it."""
        await self._transfer(_UPLOAD, "PUT", address, {"Content-Type": content_type}, data, patience)

    async def fetch(self, account: str, operation: Operation, path: Mapping[str, str], *, patience: float = PATIENCE) -> Document:
        """The document that `operation` (getFeedDocument, getReportDocument) gives the address of; asks for another address, once,
        when it has expired on the way."""
        try:
            return await self._fetch(account, operation, path, patience)
        except Expired:
            return await self._fetch(account, operation, path, patience)

    async def _fetch(self, account: str, operation: Operation, path: Mapping[str, str], patience: float) -> Document:
        answer = await self._client.call(account, operation, path=path, patience=patience)
        facts = Fields(answer.body)
        packing = facts.text("compressionAlgorithm")
        if packing not in {"", "GZIP"}:
            raise InputError(f"{operation.name}: the document is packed with {packing[:40]!r}, which msgbot cannot unpack")
        reply = await self._transfer(_DOWNLOAD, "GET", facts.required_text("url"), {}, None, patience)
        data = reply.body
        # A store that names the packing as the encoding of its answer has had it unpacked already.
        if packing and not (reply.headers.get("content-encoding") and not data.startswith(b"\x1f\x8b")):
            data = await _unpacked(data, operation)
        return Document(data, charset_of(reply))

    async def _transfer(
        self, what: str, method: str, address: str, headers: Mapping[str, str], data: bytes | None, patience: float
    ) -> Reply:
        """Asks the store until it is done: both ways may be repeated without harm."""
        self._check(address, what)
        client = self._client
        waiting = Patience(patience, client.pace)
        while True:
            reply = await exchange(client.session, method, address, headers=headers, data=data, seconds=SECONDS, most=MOST)
            if isinstance(reply, Reply):
                if reply.good:
                    return reply
                if reply.status == 403:
                    raise Expired(f"{what}: its address has expired or is not taken; ask for a new one", operation=what, status=403)
                if reply.status not in RETRIED:
                    kind = AmazonAway if reply.status >= 500 else AmazonRefused
                    raise kind(f"{what}: the store answered {reply.status}", operation=what, status=reply.status)
            elif reply.lasting:
                raise AmazonRefused(f"{what}: {reply.why}", operation=what)
            asked = reply.headers.get("retry-after", "") if isinstance(reply, Reply) else ""
            if not await waiting.pause(asked, client.clock()):
                said = reply.why if isinstance(reply, NoReply) else f"the store answered {reply.status}"
                raise AmazonAway(f"{what}: {said}; try again later", operation=what)

    def _check(self, address: str, what: str) -> None:
        """Plain HTTP is for those who speak it with the API itself: tests, and the demo."""
        try:
            scheme = urlsplit(address).scheme
        except ValueError:
            scheme = ""
        plain = any(self._client.seller(account).base.startswith("http://") for account in self._client.accounts)
        if scheme != "https" and not (scheme == "http" and plain):
            raise AmazonRefused(f"{what}: the address that Amazon gave is no https address, and is not followed", operation=what)


async def _unpacked(data: bytes, operation: Operation) -> bytes:
    try:
        return await unpack(data, MOST)
    except TooBig:
        raise AmazonRefused(
            f"{operation.name}: the document has more than {MOST // MEGABYTE} MB", operation=operation.name
        ) from None
    except zlib.error:
        raise AmazonAway(
            f"{operation.name}: the document is damaged or was cut off: it cannot be unpacked; try again later",
            operation=operation.name,
        ) from None
