"""The door: ids, errors, limits, patience, documentation, health."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import ClientPayloadError
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from msgbot import metrics
from msgbot.domain.access import Actor, Role
from msgbot.domain.trail import EntryKind
from msgbot.errors import TooOften
from msgbot.store import trail
from msgbot.web import app
from msgbot.web.limits import RateLimit, peer_of
from msgbot.web.openapi import document
from msgbot.web.routes import ROUTES
from tests.conftest import NOW
from tests.web.conftest import A, Doors, Front, message, order


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "place"),
    [
        ("GET", "/v1/nothing", None, 404, "no_route", None),
        ("DELETE", "/v1/messages", None, 405, "method", None),
        ("POST", "/v1/messages", b"{", 400, "not_json", None),
        ("POST", "/v1/messages", b"\xff", 400, "not_json", None),
        ("POST", "/v1/messages", b"[" * 100_000, 400, "not_json", None),
        ("POST", "/v1/messages", b'"text"', 422, "invalid", ""),
        ("POST", "/v1/messages", b'{"text": 5}', 422, "invalid", "/text"),
        ("POST", "/v1/messages", b'{"text": "x", "direction": "up"}', 422, "invalid", "/direction"),
        ("POST", "/v1/messages", b'{"text": "x", "sent_at": "yesterday"}', 422, "invalid", "/sent_at"),
        ("POST", "/v1/detect", b'{"texts": "x"}', 422, "invalid", "/text"),
        ("PUT", "/v1/orders/123", b'{"status": "unshipped"}', 422, "invalid", "/order_id"),
        ("PUT", f"/v1/orders/{A}", b'{"status": "lost"}', 422, "invalid", "/status"),
        ("PUT", f"/v1/orders/{A}", b'{"status": "unshipped", "items": [{"quantity": -1}]}', 422, "invalid", "/items/0/quantity"),
        ("PUT", f"/v1/orders/{A}", b'{"status": "unshipped", "as_of": "2100-01-01"}', 422, "invalid", "/as_of"),
        ("POST", f"/v1/orders/{A}/cancellations", b'{"reason": "Whim"}', 422, "invalid", "/reason"),
        ("GET", "/v1/messages?limit=0", None, 422, "invalid", "query/limit"),
        ("GET", "/v1/messages?colour=red", None, 422, "invalid", "query/colour"),
        ("GET", "/v1/messages?limit=5&limit=6", None, 422, "invalid", "query/limit"),
        ("GET", "/v1/messages?cursor=abc", None, 422, "invalid", "cursor"),
        ("GET", "/v1/me?x=1", None, 422, "invalid", "query/x"),
        ("GET", "/v1/messages/none", None, 404, "not_found", None),
        ("GET", "/v1/messages/a%00b", None, 404, "not_found", None),
        ("GET", "/v1/messages?cursor=WyI5OTk5LTEyLTMxVDIzOjU5OjU5LTIzOjU5IiwgIngiXQ", None, 422, "invalid", "cursor"),
        ("POST", "/v1/detect", b'{"text": "x", "language": ' + b"1" * 5_000 + b"}", 400, "not_json", None),
        ("POST", "/v1/sign-in", b'{"name": "x", "password": "' + b"x" * 20_000 + b'"}', 413, "too_large", None),
    ],
)
async def test_errors_say_what_is_wrong_and_where(
    lone: Front, method: str, path: str, body: bytes | None, status: int, code: str, place: str | None
) -> None:
    headers = {"Content_Type": "application/json"} if body is not None else {}
    told = await lone.call(method, path, data=body, **headers)
    assert (told.status, told.data["type"], told.headers["Content-Type"]) == (
        status, f"urn:msgbot:problem:{code}", "application/problem+json",
    )  # fmt: skip
    assert told.data["detail"]
    assert told.data["request_id"] == told.headers["X-Request-Id"]
    if place is not None:
        assert place in [error["path"] for error in told.data["errors"]]


async def test_a_body_has_a_limit_also_when_it_is_packed(doors: Doors) -> None:
    front = await doors.open(max_body_mb=0.01, max_batch=3)
    assert (await front.call("POST", "/v1/detect", {"text": "x" * 11_000})).status == 413
    packed = gzip.compress(json.dumps({"text": "x" * 11_000}).encode())
    told = await front.call("POST", "/v1/detect", data=packed, Content_Type="application/json", Content_Encoding="gzip")
    assert told.status == 413
    assert (await front.call("POST", "/v1/messages", [message(number=number) for number in range(4)])).status == 413


async def test_a_body_that_is_not_packed_as_it_says_is_refused(lone: Front) -> None:
    told = await lone.call("POST", "/v1/detect", data=b"no gzip", Content_Type="application/json", Content_Encoding="gzip")
    assert told.status == 400


async def test_what_is_no_form_of_ours_is_refused(lone: Front) -> None:
    told = await lone.call("POST", "/v1/detect", data=b"<text/>", Content_Type="text/xml")
    assert (told.status, "application/json" in told.data["detail"]) == (415, True)


async def test_a_token_that_asks_too_often_has_to_wait(doors: Doors) -> None:
    front = await doors.open(rate_per_token=1.0)
    asked = [await front.call("GET", "/v1/me", by="agent") for _ in range(3)]
    assert [each.status for each in asked] == [200, 200, 429]
    assert asked[-1].headers["Retry-After"] == "1"
    assert (await front.call("GET", "/v1/me", by="auditor")).status == 200


def test_a_bucket_fills_at_its_rate() -> None:
    now = 0.0
    limit = RateLimit(2, lambda: now)

    def wait(key: str) -> float:
        try:
            limit.take(key, "wait")
        except TooOften as told:
            return told.seconds
        return 0

    assert [wait("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    now = 0.5
    assert [wait("a"), wait("a")] == [0, 0.5]
    assert wait("b") == 0
    limit.give_back("a")
    assert [wait("a"), wait("a")] == [0, 0.5]


async def test_who_guesses_passwords_has_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a name after five wrong ones; from one address after many, whatever the names."""
    monkeypatch.setattr(app, "WRONG_AT_ONCE", 8)
    monkeypatch.setattr(app, "WRONG_A_SECOND", 1e-6)
    doors = Doors(tmp_path, "")
    async with doors.stack:
        await _guess(await doors.open(work=False))


async def _guess(lone: Front) -> None:
    await lone.service.people.add_user("alice", "a long enough password", Role.AGENT, None)

    async def sign_in(name: str, word: str = "wrong") -> tuple[int, bool]:
        told = await lone.call("POST", "/v1/sign-in", {"name": name, "password": word}, by="")
        return told.status, int(told.headers.get("Retry-After", 0)) > 0

    assert [await sign_in("bob") for _ in range(6)] == [*[(401, False)] * 5, (429, True)]
    # Who knows the password costs the address nothing.
    assert [await sign_in("alice", "a long enough password") for _ in range(3)] == [(201, False)] * 3
    assert [await sign_in("carol") for _ in range(2)] == [(401, False)] * 2
    assert await sign_in("alice", "a long enough password") == (429, True)


@pytest.mark.parametrize(
    ("remote", "forwarded", "peer"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),  # no proxy of ours: it may say what it likes
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["198.51.100.7, 203.0.113.9"], "203.0.113.9"),  # the first was sent along by the client
        ("127.0.0.1", ["198.51.100.7", "203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("::ffff:127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
    ],
)
def test_whose_address_counts(remote: str, forwarded: list[str], peer: str) -> None:
    headers = [("X-Forwarded-For", each) for each in forwarded]
    request = make_mocked_request("POST", "/v1/sign-in", CIMultiDict(headers)).clone(remote=remote)
    assert peer_of(request, [ip_network("127.0.0.1"), ip_network("::1"), ip_network("10.0.0.0/8")]) == peer


async def test_a_client_that_sends_too_slowly_is_let_go_and_keeps_nobody_waiting(doors: Doors) -> None:
    front = await doors.open(idle_seconds=0.5)
    token = await front.token("administrator")
    reader, writer = await asyncio.open_connection("127.0.0.1", front.server.port)
    head = (
        f"POST /v1/detect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    writer.write(head.encode() + b'{"text"')
    await writer.drain()
    assert (await front.call("POST", "/v1/detect", {"text": "please cancel"})).status == 200
    told = await reader.read()
    assert told.startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_client_that_takes_nothing_of_a_download_is_let_go(doors: Doors) -> None:
    front = await doors.open(idle_seconds=0.5, work=False)
    async with front.service.database.transaction() as connection:
        await trail.append_many(connection, "main", NOW, [(EntryKind.DECISION, {"long": "x" * 20_000})] * trail.PAGE)
    token = await front.token("auditor")
    labels = {"method": "GET", "route": "/v1/audit/entries", "status": "499"}

    def gone() -> float:
        return metrics.registry.get_sample_value("msgbot_http_requests_total", labels) or 0.0

    before = gone()
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    own.setblocking(False)
    await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", front.server.port))
    await asyncio.get_running_loop().sock_sendall(
        own, f"GET /v1/audit/entries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )

    async def given_up() -> bool:
        return gone() > before

    await front.until(given_up)
    own.close()


async def test_a_client_that_goes_away_in_mid_stream_leaves_whole_lines_only(front: Front) -> None:
    token = await front.token("administrator")
    reader, writer = await asyncio.open_connection("127.0.0.1", front.server.port)
    head = (
        f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    lines = b"".join(json.dumps(message("Where is it?", number)).encode() + b"\n" for number in range(10)) + b'{"text": "half'
    writer.write(head.encode() + b"%x\r\n%s\r\n" % (len(lines), lines))
    await writer.drain()
    await reader.readuntil(b'"line":10')
    writer.transport.abort()
    found = (await front.call("GET", "/v1/messages")).data["messages"]
    assert sorted(each["id"] for each in found) == sorted(f"m{number}" for number in range(10))
    # It comes back and sends all of it again: nothing is there twice.
    again = await front.call("POST", "/v1/messages", data=lines[: lines.rindex(b"\n")], Content_Type="application/x-ndjson")
    assert json.loads(again.raw.splitlines()[-1]) == {"summary": {"messages": 10, "new": 0, "known": 10, "failed": 0}}


async def test_a_client_that_reads_late_gets_every_answer(lone: Front) -> None:
    """All lines are sent before the first answer is read: neither side stands still."""
    token = await lone.token("administrator")
    count = 4_000
    lines = b"".join(json.dumps(message("Where is it?", number)).encode() + b"\n" for number in range(count))
    reader, writer = await asyncio.open_connection("127.0.0.1", lone.server.port, limit=1_000)
    head = (
        f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/x-ndjson\r\nContent-Length: {len(lines)}\r\n\r\n"
    )
    writer.write(head.encode() + lines)
    await writer.drain()
    got = await reader.read(-1)
    assert b'"summary":{"messages":%d,"new":%d,"known":0,"failed":0}' % (count, count) in got
    writer.close()


async def test_health_readiness_and_metrics(front: Front) -> None:
    await front.call("PUT", f"/v1/orders/{A}", order())
    await front.call("POST", "/v1/messages", message())
    await front.answered("m1")
    assert (await front.call("GET", "/healthz", by="")).data == {"status": "ok"}
    assert (await front.call("GET", "/readyz", by="")).data == {"status": "ok"}
    shown = (await front.call("GET", "/metrics", by="")).raw.decode()
    for name in (
        'msgbot_messages_total{intent="request",kind="buyer"}',
        'msgbot_decisions_total{action="send",code="instruct"}',
        "msgbot_time_to_answer_seconds_count",
        'msgbot_queue_depth{state="waiting"}',
        'msgbot_http_requests_total{method="POST",route="/v1/messages",status="201"}',
    ):
        assert name in shown
    front.service.stopping.set()
    assert (await front.call("GET", "/readyz", by="")).status == 503
    assert (await front.call("GET", "/healthz", by="")).status == 200


async def test_the_documentation_is_there_and_fetches_nothing(lone: Front) -> None:
    told = await lone.call("GET", "/openapi.json", by="")
    assert told.data == json.loads(json.dumps(document(ROUTES)))
    page = (await lone.call("GET", "/docs", by="")).raw.decode()
    assert "<script" not in page
    assert not [word for word in page.split() if word.startswith(('src="', 'href="http'))]
    for route in ROUTES:
        assert route.path in page


async def test_routes_and_documentation_are_the_same(lone: Front) -> None:
    served = {
        (each.method, each.resource.canonical)
        for each in lone.server.app.router.routes()
        if each.method != "HEAD" and each.resource
    }
    told = {(method.upper(), path) for path, operations in document(ROUTES)["paths"].items() for method in operations}
    assert served == told


async def test_every_answer_has_its_request_id_and_may_not_be_stored(lone: Front) -> None:
    """Streams, too."""
    line = json.dumps(message()).encode()
    for told in (
        await lone.call("GET", "/healthz", by=""),
        await lone.call("GET", "/nowhere", by=""),
        await lone.call("POST", "/v1/messages", data=line, Content_Type="application/x-ndjson"),
        await lone.call("GET", "/v1/audit/entries"),
    ):
        assert told.headers["X-Request-Id"]
        assert (told.headers["Cache-Control"], told.headers["Server"]) == ("no-store", "msgbot")


async def test_request_ids_from_outside_are_kept_if_they_are_sane(lone: Front) -> None:
    assert (await lone.call("GET", "/healthz", by="", X_Request_Id="abc-1")).headers["X-Request-Id"] == "abc-1"
    assert (await lone.call("GET", "/healthz", by="", X_Request_Id="a b<c>")).headers["X-Request-Id"] != "a b<c>"


async def test_replies_lie_where_the_setting_says(doors: Doors, tmp_path: Path) -> None:
    front = await doors.open(outbox=tmp_path / "elsewhere")
    await front.call("PUT", f"/v1/orders/{A}", order())
    await front.call("POST", "/v1/messages", message())
    await front.answered("m1")
    assert len(list((tmp_path / "elsewhere").rglob("*.eml"))) == 1


async def test_a_stream_ends_when_its_token_does(front: Front) -> None:
    """What was answered is on file; what comes after the revocation is refused by its line."""
    token = await front.token("integrator", name="leaving")
    heard = asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        yield json.dumps(message(number=1)).encode() + b"\n"
        await heard.wait()
        await front.service.people.revoke("leaving")
        yield json.dumps(message(number=2)).encode() + b"\n"

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    answers = []
    async with front.session.post(front.server.make_url("/v1/messages"), data=lines(), headers=headers) as response:
        async for line in response.content:
            answers.append(json.loads(line))
            heard.set()
    first, refused, last = answers
    assert (first["line"], first["new"]) == (1, True)
    assert (refused["line"], refused["error"]["type"]) == (2, "urn:msgbot:problem:unauthenticated")
    assert last["summary"]["messages"] == 1
    assert [each["id"] for each in (await front.call("GET", "/v1/messages")).data["messages"]] == ["m1"]


async def test_a_stream_ends_where_the_service_stops_and_says_so(lone: Front) -> None:
    async def lines() -> AsyncIterator[bytes]:
        yield json.dumps(message(number=1)).encode() + b"\n"
        await heard.wait()
        lone.service.stopping.set()
        # The client sends nothing more, and does not end its stream either.
        await asyncio.Event().wait()

    heard = asyncio.Event()
    headers = {"Authorization": f"Bearer {await lone.token('integrator')}", "Content-Type": "application/x-ndjson"}
    answers = []
    async with lone.session.post(lone.server.make_url("/v1/messages"), data=lines(), headers=headers) as response:
        async for line in response.content:
            answers.append(json.loads(line))
            heard.set()
    assert [(each.get("line"), each.get("error", {}).get("type")) for each in answers] == [
        (1, None),
        (2, "urn:msgbot:problem:stopping"),
        (None, None),
    ]


async def test_a_download_is_cut_off_when_its_token_ends(lone: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    async with lone.service.database.transaction() as connection:
        await trail.append_many(connection, "main", NOW, [(EntryKind.DECISION, {})] * (trail.PAGE + 1))
    token = await lone.token("auditor", name="leaving")
    people, looked = lone.service.people, 0
    authenticate = people.authenticate

    async def until_the_second_page(text: str) -> Actor:
        nonlocal looked
        looked += 1
        if looked == 3:
            await people.revoke("leaving")
        return await authenticate(text)

    monkeypatch.setattr(people, "authenticate", until_the_second_page)
    headers = {"Authorization": f"Bearer {token}"}
    async with lone.session.get(lone.server.make_url("/v1/audit/entries"), headers=headers) as response:
        whole = [await response.content.readline() for _ in range(trail.PAGE)]
        assert all(line.endswith(b"\n") for line in whole)
        with pytest.raises(ClientPayloadError):
            await response.content.readline()
