"""The sender of webhooks against a real receiver, in all the ways that receivers fail."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from msgbot.senders.webhook import Receipt, open_sender
from tests.receiver import Behaviour, Flood, answer, cut, cut_in_body, dawdle_in_body, hang, receiving

BODY = b'{"type":"webhook.test"}'


async def post_once(behaviour: Behaviour, seconds: float = 15.0) -> Receipt:
    """What comes of a POST to a receiver that behaves so."""
    async with receiving(behaviour) as receiver, open_sender(private_allowed=True, seconds=seconds) as sender:
        return await sender.post(receiver.url, {"webhook-id": "msg_1"}, BODY)


async def test_what_arrives_is_what_was_sent() -> None:
    async with receiving() as receiver, open_sender(private_allowed=True) as sender:
        receipt = await sender.post(receiver.url, {"webhook-id": "msg_1"}, BODY)
    assert (receipt.status, receipt.error, receipt.delivered) == (200, "", True)
    [(headers, body)] = receiver.received
    assert body == BODY
    assert headers["webhook-id"] == "msg_1"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("msgbot/")


@pytest.mark.parametrize(
    ("behaviour", "status", "error"),
    [
        (answer(201), 201, ""),
        (answer(204), 204, ""),
        (answer(500), 500, "answered 500 Internal Server Error"),
        (answer(410), 410, "answered 410 Gone"),
        (answer(404), 404, "answered 404 Not Found"),
        (answer(302, Location="/elsewhere"), 302, "redirects are not followed"),
        (answer(307, Location="http://169.254.169.254/"), 307, "redirects are not followed"),
        (cut, None, "disconnected"),
        (cut_in_body, 200, ""),
    ],
)
async def test_what_comes_of_an_answer(behaviour: Behaviour, status: int | None, error: str) -> None:
    async with receiving(behaviour) as receiver, open_sender(private_allowed=True) as sender:
        receipt = await sender.post(receiver.url, {}, BODY)
    assert receipt.status == status
    assert receipt.error == error if not error else error in receipt.error
    assert receipt.delivered == (not error)
    assert len(receiver.received) == 1


async def test_a_receiver_that_never_answers_is_let_go() -> None:
    receipt = await post_once(hang, seconds=0.2)
    assert (receipt.status, receipt.error) == (None, "no answer within 0.2 seconds")


async def test_a_receiver_that_never_ends_its_answer_has_answered() -> None:
    assert (await post_once(dawdle_in_body, seconds=0.5)).delivered


async def test_of_a_huge_answer_only_the_beginning_is_taken() -> None:
    flood = Flood()
    assert (await post_once(flood)).delivered
    # What the buffers between the two hold is much less than this.
    assert flood.sent < 64 * 1024 * 1024


async def test_what_the_receiver_asks_for_is_told() -> None:
    assert (await post_once(answer(503, Retry_After="120"))).retry_after == "120"


async def test_a_proxy_of_the_surroundings_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver, open_sender(private_allowed=True) as sender:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        assert (await sender.post(receiver.url, {}, BODY)).delivered
    assert not proxy.received


async def test_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with open_sender(private_allowed=True) as sender:
        receipt = await sender.post(f"http://127.0.0.1:{port}/", {}, BODY)
    assert receipt.status is None
    assert receipt.error.startswith("no connection: ")
    assert not receipt.error.endswith("None")


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """The TLS of a server that nobody vouches for."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl to make a certificate with")
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -keyout key -out cert -subj /CN=127.0.0.1"
    subprocess.run([*made.split(), "-addext", "subjectAltName=IP:127.0.0.1"], cwd=tmp_path, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    return tls


async def test_a_receiver_that_cannot_prove_its_name_gets_nothing(self_signed: ssl.SSLContext) -> None:
    async with receiving(tls=self_signed) as receiver, open_sender(private_allowed=True) as sender:
        receipt = await sender.post(receiver.url, {}, BODY)
    assert receipt.status is None
    assert "certificate verify failed" in receipt.error
    assert not receiver.received


class Names(AbstractResolver):
    """Gives a name the addresses of the first row, then those of the second and so on."""

    def __init__(self, *rows: list[str]) -> None:
        self.rows = list(rows)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The next addresses of any name."""
        if not self.rows:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.rows.pop(0)
        ]

    async def close(self) -> None:
        """Nothing to release."""


async def test_cookies_are_not_kept() -> None:
    names = Names(["127.0.0.1"], ["127.0.0.1"])
    async with receiving(answer(200, Set_Cookie="a=b")) as receiver, open_sender(True, resolver=names) as sender:
        for _ in range(2):
            # By a name: nobody keeps cookies of bare addresses.
            assert (await sender.post(receiver.url.replace("127.0.0.1", "cookies.example"), {}, BODY)).delivered
    assert "cookie" not in receiver.received[1][0]


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["::1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["10.0.0.1", "127.0.0.1", "::1"]]
)
async def test_a_name_that_stands_for_a_private_address_is_not_connected_to(addresses: list[str]) -> None:
    """Not even when it stood for a public one as the webhook was added."""
    connections: list[object] = []
    server = await asyncio.start_server(lambda reader, writer: connections.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_sender(private_allowed=False, resolver=Names(addresses)) as sender:
        receipt = await sender.post(f"https://rebound.example:{port}/", {}, BODY)
    assert receipt.status is None
    assert "is not a public address" in receipt.error
    assert not connections


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "https://"),
        ("https://127.0.0.1/", "not a public address"),
        ("https://user@example.com/", "user name"),
        ("https://nowhere.example/", "no such name"),
    ],
)
async def test_where_nothing_may_or_can_be_sent_is_told(url: str, reason: str) -> None:
    async with open_sender(private_allowed=False, resolver=Names()) as sender:
        receipt = await sender.post(url, {}, BODY)
    assert receipt.status is None
    assert reason in receipt.error
