"""Accounts are strictly apart: nothing of account B can be read, changed or even told from nothing by a token of account A."""

from __future__ import annotations

from typing import Any

import pytest

from msgbot.store import amazon_reports
from msgbot.web.routes import ROUTES
from tests.web.conftest import A, Front, message, order

ALL = [route for route in ROUTES if route.permission is not None and route.account]


async def _fill(front: Front) -> dict[str, str]:
    """Everything there can be in account `b`; the ids of it."""
    await front.call("PUT", "/v1/accounts/b", {"store": "B's"})
    everything = {"Msgbot_Account": "b"}
    await front.call("PUT", f"/v1/orders/{A}", order(formal="yes"), **everything)
    await front.call("POST", "/v1/messages", message("cancel it if it can't be here by Friday"), **everything)
    reply = (await front.answered("m1", **everything))["reply"]["id"]
    made = await front.call("POST", f"/v1/orders/{A}/cancellations", {"reason": "BuyerCanceled"}, **everything)
    webhook = await front.call("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/x", "events": ["reply.failed"]}, **everything)
    delivery = await front.call("POST", f"/v1/webhooks/{webhook.data['id']}/test", **everything)
    async with front.service.database.transaction() as connection:
        report = await amazon_reports.add(connection, "b", "GET_V2_SELLER_PERFORMANCE_REPORT", front.service.clock())
    return {
        "message_id": "m1",
        "reply_id": reply,
        "order_id": A,
        "cancellation_id": made.data["cancellation"]["id"],
        "ruling_id": made.data["cancellation"]["ruling_id"],
        "webhook_id": webhook.data["id"],
        "delivery_id": delivery.data["id"],
        "report_id": report.id,
    }


BODIES: dict[str, Any] = {
    "/v1/replies/{reply_id}/edit": {"body": "Mine now."},
    "/v1/orders/{order_id}/cancellations": {"reason": "NoInventory"},
    "/v1/orders/{order_id}/adjustments": {
        "item_id": "1",
        "quantity": 1,
        "reason": "NoInventory",
        "amounts": [{"kind": "Principal", "amount": "1.00", "currency": "USD"}],
    },
    "/v1/amazon/reports": {"type": "GET_V2_SELLER_PERFORMANCE_REPORT"},
    "/v1/rulings/{ruling_id}/override": {"reason": "It is mine to say so."},
    "/v1/webhooks/{webhook_id}": {"url": "http://127.0.0.1:9/y", "events": ["reply.failed"]},
}


async def test_a_token_of_account_a_against_everything_of_account_b(front: Front) -> None:
    ids = await _fill(front)
    for role in ("administrator", "supervisor", "integrator", "agent", "auditor"):
        await front.token(role, accounts=frozenset({"main"}), name=f"a-{role}")
    before = (await front.call("GET", f"/v1/orders/{A}", Msgbot_Account="b")).data
    for route in ALL:
        path = route.path.format(**ids)
        for role in ("administrator", "supervisor", "integrator", "agent", "auditor"):
            # Saying that it is account b: there is no such account for this token.
            there = await front.call(route.method, path, BODIES.get(route.path), by=f"a-{role}", Msgbot_Account="b")
            assert there.status in {403, 404}, (route.method, path, role, there.data)
            if "{" in route.path and route.path != "/v1/orders/{order_id}":
                # The same ids in its own account: nothing is there.
                here = await front.call(route.method, path, BODIES.get(route.path), by=f"a-{role}")
                assert here.status in {403, 404, 409}, (route.method, path, role, here.data)
    assert (await front.call("GET", f"/v1/orders/{A}", Msgbot_Account="b")).data == before
    mine = await front.call("GET", "/v1/messages", by="a-auditor")
    assert mine.data["messages"] == []
    assert [each["name"] for each in (await front.call("GET", "/v1/accounts", by="a-agent")).data["accounts"]] == ["main"]


async def test_a_message_cannot_name_an_account_that_the_token_may_not_use(front: Front) -> None:
    await front.call("PUT", "/v1/accounts/b", {})
    await front.token("integrator", accounts=frozenset({"main"}), name="a")
    refused = await front.call("POST", "/v1/messages", message(account="b"), by="a")
    assert refused.status == 404
    taken = await front.call("POST", "/v1/messages", [message(account="b"), message()], Msgbot_Account="main")
    assert [each["account"] for each in taken.data["results"]] == ["b", "main"]


async def test_who_may_use_several_accounts_says_which(front: Front) -> None:
    for name in ("b", "c"):
        await front.call("PUT", f"/v1/accounts/{name}", {})
    await front.call("POST", "/v1/messages", message())
    assert len((await front.call("GET", "/v1/messages", Msgbot_Account="main")).data["messages"]) == 1
    await front.token("auditor", accounts=frozenset({"b", "c"}), name="both")
    asked = await front.call("GET", "/v1/messages", by="both")
    assert (asked.status, asked.data["errors"][0]["path"]) == (403, "Msgbot-Account")
    assert (await front.call("GET", "/v1/messages", Msgbot_Account="nobody")).status == 404


async def test_a_token_for_an_account_that_does_not_exist_puts_nothing_on_file(front: Front) -> None:
    await front.token("integrator", accounts=frozenset({"mian"}), name="mistyped")
    refused = await front.call("POST", "/v1/messages", message(), by="mistyped")
    assert (refused.status, "'mian', which does not exist" in refused.data["detail"]) == (404, True)
    await front.call("PUT", "/v1/accounts/mian", {})
    front.service.forget_accounts()
    assert (await front.call("GET", "/v1/messages", by="mistyped")).data["messages"] == []


NOBODYS = {
    **dict.fromkeys(("message_id", "cancellation_id", "ruling_id", "webhook_id", "delivery_id", "report_id", "account"), "x"),
    "reply_id": "0123456789ab",
    "order_id": A,
}
ROLES = ("agent", "supervisor", "auditor", "integrator", "administrator")


@pytest.mark.parametrize("role", ROLES)
async def test_every_route_asks_for_its_permission(lone: Front, role: str) -> None:
    """The table of roles is the only thing that decides: 403 exactly where the role lacks the permission."""
    from msgbot.domain.access import PERMISSIONS, Role

    await lone.token(role)
    for route in ROUTES:
        if route.permission is None:
            continue
        path = route.path.format(**NOBODYS)
        tried = await lone.call(route.method, path, BODIES.get(route.path), by=role)
        assert (tried.status == 403) == (route.permission not in PERMISSIONS[Role(role)]), (route.method, path, tried.status)


async def test_nobody_comes_in_without_a_token(lone: Front) -> None:
    for route in ROUTES:
        if route.permission is None and not route.known:
            continue
        path = route.path.format(**NOBODYS)
        tried = await lone.call(route.method, path, by="")
        assert (tried.status, tried.headers["WWW-Authenticate"]) == (401, "Bearer"), path
