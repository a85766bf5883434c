"""Webhooks over HTTP, both ways: events that go out signed, and signed messages that come in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

from msgbot.channels.signatures import sign
from msgbot.domain.access import Role
from msgbot.domain.trail import INSTALLATION
from msgbot.store import trail
from tests.mails import relay_mail
from tests.web.conftest import A, Front, message, order


class Receiver:
    """A receiver of webhooks that checks signatures with the library, and can be told to refuse."""

    def __init__(self) -> None:
        self.secret = ""
        self.refuses = 0
        self.got: list[dict[str, Any]] = []
        self.ids: list[str] = []
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self.server = TestServer(app)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.text()
        Webhook(self.secret).verify(body, dict(request.headers))
        self.ids.append(request.headers["webhook-id"])
        if self.refuses:
            self.refuses -= 1
            return web.Response(status=500)
        self.got.append(json.loads(body))
        return web.Response()


async def _hooked(front: Front, receiver: Receiver, *events: str) -> str:
    await receiver.server.start_server()
    made = await front.call("POST", "/v1/webhooks", {"url": str(receiver.server.make_url("/hook")), "events": list(events)})
    assert made.status == 201, made.data
    receiver.secret = made.data["secret"]
    return str(made.data["id"])


async def test_events_reach_their_receiver_signed(front: Front) -> None:
    receiver = Receiver()
    webhook = await _hooked(
        front, receiver, "request.detected", "formal_request.on_file", "cancellation.blocked", "ruling.overridden"
    )
    await front.call("PUT", f"/v1/orders/{A}", order())
    await front.call("POST", "/v1/messages", message())
    blocked = await front.call("POST", f"/v1/orders/{A}/cancellations", {"reason": "NoInventory"})
    path = f"/v1/rulings/{blocked.data['ruling']['id']}/override"
    await front.call("POST", path, {"reason": "The last one broke in the warehouse."}, by="supervisor")
    await front.call("PUT", f"/v1/orders/{A}", order(formal="yes"))

    async def all_there() -> bool:
        return len(receiver.got) == 4

    await front.until(all_there)
    assert {event["type"]: event["data"].get("order") for event in receiver.got} == {
        "request.detected": A,
        "cancellation.blocked": A,
        "ruling.overridden": A,
        "formal_request.on_file": A,
    }
    assert all(event["data"]["account"] == "main" for event in receiver.got)

    async def logged() -> bool:
        told = (await front.call("GET", f"/v1/webhooks/{webhook}/deliveries")).data["deliveries"]
        return [each["state"] for each in told] == ["delivered"] * 4

    await front.until(logged)
    await receiver.server.close()


async def test_a_delivery_is_replayed_under_the_same_id(front: Front) -> None:
    receiver = Receiver()
    webhook = await _hooked(front, receiver, "reply.failed")
    receiver.refuses = 1
    sent = await front.call("POST", f"/v1/webhooks/{webhook}/test")

    async def tried() -> bool:
        return bool((await front.call("GET", f"/v1/webhooks/{webhook}/deliveries")).data["deliveries"][0]["attempts"])

    await front.until(tried)
    replayed = await front.call("POST", f"/v1/deliveries/{sent.data['id']}/replay")
    assert replayed.status == 202

    async def there() -> bool:
        return len(receiver.got) == 1

    await front.until(there)
    assert receiver.ids == [sent.data["id"]] * 2
    await receiver.server.close()


async def test_secrets_are_shown_once_and_renewed(lone: Front) -> None:
    made = await lone.call("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/x", "events": ["reply.failed"]})
    path = f"/v1/webhooks/{made.data['id']}"
    shown = await lone.call("GET", path)
    assert "secret" not in shown.data
    renewed = await lone.call("POST", f"{path}/secret")
    assert renewed.data["secret"] != made.data["secret"]
    changed = {"url": "http://127.0.0.1:9/y", "events": ["reply.failed"], "enabled": False}
    late = await lone.call("PUT", path, changed, If_Match=made.headers["ETag"])
    assert late.status == 412
    done = await lone.call("PUT", path, changed, If_Match=renewed.headers["ETag"])
    assert (done.status, done.data["enabled"]) == (200, False)
    assert (await lone.call("DELETE", path)).status == 204
    assert (await lone.call("GET", path)).status == 404


@pytest.mark.parametrize("kind", ["json", "mail"])
async def test_signed_messages_come_in(front: Front, kind: str) -> None:
    token, _ = await front.service.people.create_token("helpdesk", role=Role.INTEGRATOR, accounts=frozenset({"main"}), signing=True)
    secret = front.service.key.secret_of_token(token.id)
    body = json.dumps(message()).encode() if kind == "json" else relay_mail("please cancel my order")
    media = "application/json" if kind == "json" else "message/rfc822"
    path = f"/v1/incoming/{token.id}"

    async def post(sent: bytes, at: datetime, identity: str = "w1") -> int:
        headers = {name.replace("-", "_"): value for name, value in sign(secret, identity, at, body).items()}
        return (await front.call("POST", path, by="", data=sent, Content_Type=media, **headers)).status

    now = datetime.now(UTC)
    assert await post(body, now) == 201
    assert await post(body, now) == 201  # the same webhook told again: the answer of the first time
    assert await post(body, now, "w2") == 200  # the same message in another webhook
    assert await post(body + b" ", now, "w3") == 401
    assert await post(body, now - timedelta(minutes=10), "w4") == 401
    assert (await front.call("POST", path, by="", data=body, Content_Type=media)).status == 401
    await front.service.people.revoke("helpdesk")
    assert await post(body, now, "w5") == 401
    assert len((await front.call("GET", "/v1/messages")).data["messages"]) == 1


async def test_a_signing_token_needs_its_permission(lone: Front) -> None:
    token, _ = await lone.service.people.create_token("reader", role=Role.AUDITOR, accounts=frozenset({"main"}), signing=True)
    body = json.dumps(message()).encode()
    signed = sign(lone.service.key.secret_of_token(token.id), "w1", datetime.now(UTC), body)
    headers = {name.replace("-", "_"): value for name, value in signed.items()}
    tried = await lone.call("POST", f"/v1/incoming/{token.id}", by="", data=body, Content_Type="application/json", **headers)
    assert tried.status == 403


async def test_every_change_is_in_the_audit_with_who_and_which_request(lone: Front) -> None:
    body = {"url": "http://127.0.0.1:9/x", "events": ["reply.failed"]}
    made = await lone.call("POST", "/v1/webhooks", {**body, "enabled": False}, X_Request_Id="r-add")
    path = f"/v1/webhooks/{made.data['id']}"
    await lone.call("PUT", path, body, X_Request_Id="r-change")
    await lone.call("POST", f"{path}/secret", X_Request_Id="r-secret")
    await lone.call("DELETE", path, X_Request_Id="r-remove")
    facts = [json.loads(line)["facts"] for line in (await lone.call("GET", "/v1/audit/entries")).raw.splitlines()]
    assert [(each["change"], each["request"], each["by"]) for each in facts] == [
        ("added", "r-add", "token:administrator"),
        ("changed", "r-change", "token:administrator"),
        ("secret renewed", "r-secret", "token:administrator"),
        ("removed", "r-remove", "token:administrator"),
    ]
    assert (made.data["enabled"], made.data["version"]) == (False, 1)


async def test_what_is_changed_for_the_whole_installation_tells_of_its_request(lone: Front) -> None:
    await lone.service.people.add_user("alice", "a long enough password", Role.AGENT, None)
    await lone.call("PUT", "/v1/accounts/b", {}, X_Request_Id="r-add")
    await lone.call("PUT", "/v1/accounts/b", {"store": "B's"}, X_Request_Id="r-change")
    await lone.call("POST", "/v1/sign-in", {"name": "alice", "password": "a long enough password"}, by="", X_Request_Id="r-sign-in")
    async with lone.service.database.reading() as connection:
        entries = [entry async for entry in trail.entries(connection, INSTALLATION)]
    assert [entry.facts.get("request") for entry in entries][-3:] == ["r-add", "r-change", "r-sign-in"]


async def test_a_secret_is_not_kept_for_a_key(lone: Front) -> None:
    body = {"url": "http://127.0.0.1:9/x", "events": ["reply.failed"]}
    made = await lone.call("POST", "/v1/webhooks", body, Idempotency_Key="k")
    again = await lone.call("POST", "/v1/webhooks", body, Idempotency_Key="k")
    assert (made.status, again.status, again.data["type"]) == (201, 409, "urn:msgbot:problem:shown_once")
    assert len((await lone.call("GET", "/v1/webhooks")).data["webhooks"]) == 1


async def test_webhooks_stay_out_of_the_own_network(doors: Any) -> None:
    front = await doors.open(private_webhooks=False)
    for url in ("http://example.org/x", "https://127.0.0.1/x", "https://[::1]/x", "https://169.254.169.254/latest"):
        refused = await front.call("POST", "/v1/webhooks", {"url": url, "events": ["reply.failed"]})
        assert refused.status == 422, url
