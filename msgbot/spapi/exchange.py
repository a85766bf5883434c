"""One HTTP exchange: a request out, its whole answer in, within bounds of time and size. What goes wrong is told as a value, so
that no exception of the HTTP library, which would carry headers and addresses, goes any further."""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidURL,
    NonHttpUrlClientError,
    ServerDisconnectedError,
    ServerFingerprintMismatch,
)
from yarl import URL

MEGABYTE = 1024 * 1024
CONNECT_SECONDS = 10.0
_DOUBTS = "check the address, the clock of this machine, and whether a proxy looks into connections"
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read to its end; `body` is unpacked. `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        """Whether the status says that it was done."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class NoReply:
    """No answer that could be read, and why. `sent`: the other side may have got the request, and acted on it."""

    why: str
    sent: bool
    lasting: bool = False
    """Whether it would go the same way again: the address is wrong, or the answer is too big."""


class TooBig(ValueError):
    """More bytes than anybody should be sent."""


async def exchange(
    session: ClientSession, method: str, address: str, *, headers: Mapping[str, str], data: bytes | None, seconds: float, most: int
) -> Reply | NoReply:
    """Sends a request and reads the answer: at most `most` bytes unpacked, within `seconds`. Follows no redirect: it would carry
    the headers to somewhere else."""
    timeout = ClientTimeout(total=seconds, connect=min(CONNECT_SECONDS, seconds))
    try:
        async with session.request(
            method,
            # The address is signed, or put together by us, as it stands: not to be written any other way.
            URL(address, encoded=True),
            data=data,
            headers={"Accept-Encoding": "gzip", **headers},
            # A small answer may unfold into a huge one: it is unpacked here, within bounds.
            auto_decompress=False,
            allow_redirects=False,
            skip_auto_headers=("Content-Type",),
            timeout=timeout,
        ) as response:
            packed = await _read(response, most)
            plain = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, plain, await _unpacked(plain.get("content-encoding", ""), packed, most))
    except TooBig:
        return NoReply(f"the answer has more than {most // MEGABYTE} MB", sent=True, lasting=True)
    except zlib.error:
        return NoReply("the answer is damaged: it cannot be unpacked", sent=True)
    except (InvalidURL, NonHttpUrlClientError):
        return NoReply("the address is none that can be called", sent=False, lasting=True)
    except ConnectionTimeoutError:
        return NoReply(f"no connection within {timeout.connect:g} seconds", sent=False)
    except TimeoutError:
        return NoReply(f"no answer within {seconds:g} seconds", sent=True)
    except (ClientConnectorSSLError, ClientConnectorCertificateError) as failed:
        return NoReply(f"no safe connection to {failed.host}: {_DOUBTS}", sent=False)
    except ClientConnectorError as failed:
        return NoReply(f"no connection to {failed.host}: {_reason(failed.os_error)}", sent=False)
    except ServerFingerprintMismatch:
        return NoReply("the other side is not who it should be", sent=False, lasting=True)
    except ServerDisconnectedError:
        return NoReply("the connection was cut before the answer came", sent=True)
    except ClientPayloadError:
        return NoReply("the connection was cut in the middle of the answer", sent=True)
    except (ClientError, OSError, ValueError) as failed:
        return NoReply(f"the connection broke ({type(failed).__name__})", sent=True)


async def unpack(packed: bytes, most: int) -> bytes:
    """What gzip packed. Raises TooBig beyond `most` bytes, and zlib.error when it is damaged or cut off."""
    return await asyncio.to_thread(_gunzip, packed, most) if len(packed) > _CHUNK else _gunzip(packed, most)


def _reason(error: OSError) -> str:
    """Why a connection failed, without the address, which its own text may name."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or type(error).__name__


async def _read(response: ClientResponse, most: int) -> bytes:
    """The body as it came."""
    whole = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        whole += chunk
        if len(whole) > most:
            raise TooBig
    return bytes(whole)


async def _unpacked(encoding: str, packed: bytes, most: int) -> bytes:
    """The body as it was before it was packed for the way."""
    encoding = encoding.strip().lower()
    if encoding in {"gzip", "x-gzip"} and packed:
        return await unpack(packed, most)
    if encoding not in {"", "identity", "gzip", "x-gzip", "aws-chunked"}:
        raise zlib.error(encoding)
    return packed


def _gunzip(packed: bytes, most: int) -> bytes:
    whole = bytearray()
    while packed:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        whole += member.decompress(packed, most + 1 - len(whole))
        if len(whole) > most:
            raise TooBig
        if not member.eof:
            raise zlib.error("cut off")
        # Some writers end a file with zeros.
        packed = member.unused_data.lstrip(b"\0")
    return bytes(whole)
