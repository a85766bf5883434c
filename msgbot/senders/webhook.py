"""The sender of webhooks: one POST over HTTPS, to public addresses only unless the settings say otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version

from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver

from msgbot.errors import InputError
from msgbot.senders.targets import check_url, open_public_socket

SECONDS = 15.0
"""How long a receiver may take from the first try to reach it to the end of its answer."""
_MOST_READ = 64 * 1024
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a POST: the status, None when there was no answer; how long it took; what the answer's `Retry-After` says;
    and why it was no success, or nothing."""

    status: int | None
    milliseconds: int
    retry_after: str
    error: str

    @property
    def delivered(self) -> bool:
        """Whether the receiver said that it has it."""
        return not self.error


class WebhookSender:
    """Sends. Open with `open_sender`."""

    def __init__(self, session: ClientSession, private_allowed: bool) -> None:
        self._session = session
        self._private_allowed = private_allowed

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Sends JSON once, and follows no redirect. Whatever goes wrong is in the receipt."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        status: int | None = None
        retry_after = error = ""
        try:
            target = check_url(url, self._private_allowed)
            async with self._session.post(target, data=body, headers=dict(headers), allow_redirects=False) as response:
                status, retry_after = response.status, response.headers.get("Retry-After", "")
                error = _complaint(response)
                await _take(response)
        except InputError as refused:
            error = str(refused)
        except TimeoutError:
            error = f"no answer within {self._session.timeout.total:g} seconds"
        except ClientConnectorError as failed:
            error = f"no connection: {failed.os_error.strerror or failed.os_error}"
        except (ClientError, OSError, ValueError) as failed:
            error = str(failed) or type(failed).__name__
        return Receipt(status, round((loop.time() - began) * 1000), retry_after, error)


@asynccontextmanager
async def open_sender(
    private_allowed: bool, *, seconds: float = SECONDS, resolver: AbstractResolver | None = None
) -> AsyncIterator[WebhookSender]:
    """A sender that works until the block ends. It keeps no connections, no cookies and no names, and asks no proxy."""
    connector = TCPConnector(
        limit=_AT_ONCE,
        force_close=True,
        use_dns_cache=False,
        resolver=resolver,
        socket_factory=None if private_allowed else open_public_socket,
    )
    session = ClientSession(
        connector=connector,
        timeout=ClientTimeout(total=seconds),
        cookie_jar=DummyCookieJar(),
        headers={"User-Agent": f"msgbot/{version('msgbot')}", "Content-Type": "application/json"},
        # A small answer may unfold into a huge one.
        auto_decompress=False,
        trust_env=False,
    )
    async with session:
        yield WebhookSender(session, private_allowed)


def _complaint(response: ClientResponse) -> str:
    """Why this answer is no success; nothing if it is one."""
    if 200 <= response.status < 300:
        return ""
    if 300 <= response.status < 400:
        return f"answered {response.status}: redirects are not followed, give the webhook its new address"
    return f"answered {response.status} {response.reason or ''}".rstrip()


async def _take(response: ClientResponse) -> None:
    """Lets the receiver end its answer, within bounds. The status has said all that counts."""
    left = _MOST_READ
    with suppress(ClientError, OSError, TimeoutError):
        while left > 0 and (chunk := await response.content.read(left)):
            left -= len(chunk)
