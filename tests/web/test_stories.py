"""What integrators and people do over HTTP, from the first message to the audit, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.mails import relay_mail
from tests.web.conftest import BUYER, A, B, Doors, Front, message, order


async def test_a_request_is_read_answered_and_audited(front: Front) -> None:
    """The whole way of one message, with one id from the door to the audit entry."""
    assert (await front.call("PUT", f"/v1/orders/{A}", order())).status == 201
    taken = await front.call("POST", "/v1/messages", message(), X_Request_Id="trace-1")
    assert (taken.status, taken.data["new"], taken.data["verdict"]["intent"]) == (201, True, "request")
    assert taken.headers["X-Request-Id"] == "trace-1"
    shown = await front.answered("m1")
    assert (shown["decision"]["action"], shown["decision"]["code"], shown["reply"]["state"]) == ("send", "instruct", "sent")
    assert (front.service.settings.outbox_folder / "main" / shown["reply"]["file"].rpartition("/")[2]).exists()
    entries = await front.call("GET", "/v1/audit/entries")
    lines = [json.loads(line) for line in entries.raw.splitlines()]
    traced = [line["kind"] for line in lines if line["facts"].get("request") == "trace-1"]
    assert traced == ["message_received", "decision", "reply_sent"]
    assert (await front.call("GET", "/v1/audit/verify")).data["broken"] is None
    audit = (await front.call("GET", "/v1/audit")).data
    assert [case["order_id"] for case in audit["cases"]] == [A]


async def test_the_same_message_twice_is_one(front: Front) -> None:
    first = await front.call("POST", "/v1/messages", message())
    again = await front.call("POST", "/v1/messages", message())
    other = await front.call("POST", "/v1/messages", message("Something else entirely"))
    assert [first.status, again.status, other.status] == [201, 200, 409]
    assert again.data["new"] is False
    assert other.data["type"].endswith("id_taken")


async def test_a_raw_mail_comes_in(front: Front) -> None:
    mail = relay_mail("please cancel my order")
    taken = await front.call("POST", "/v1/mail", data=mail, Content_Type="message/rfc822")
    again = await front.call("POST", "/v1/mail", data=mail, Content_Type="message/rfc822")
    assert (taken.status, taken.data["kind"], taken.data["verdict"]["intent"], again.status) == (201, "buyer", "request", 200)
    assert taken.headers["Location"] == "/v1/messages/%3C0001%40email.amazonses.com%3E"
    shown = await front.call("GET", taken.headers["Location"])
    assert shown.data["order_ids"] == [A]


async def test_an_array_tells_of_each_message_in_its_place(front: Front) -> None:
    batch: list[Any] = [message(number=1), {"text": ""}, message("Where is it?", number=2), 7, message(number=1)]
    taken = await front.call("POST", "/v1/messages", batch)
    assert taken.status == 200
    assert [("error" in each, each.get("new")) for each in taken.data["results"]] == [
        (False, True), (True, None), (False, True), (True, None), (False, False),
    ]  # fmt: skip
    assert taken.data["summary"] == {"messages": 5, "new": 2, "known": 1, "failed": 2}


async def test_a_stream_of_lines_of_any_length(front: Front) -> None:
    lines = [json.dumps(message("Where is my parcel?", number)) for number in range(1, 1_301)]
    lines[700] = '{"text": "broken'
    lines.insert(3, "")
    taken = await front.call("POST", "/v1/messages", data="\n".join(lines).encode(), Content_Type="application/x-ndjson")
    results = [json.loads(line) for line in taken.raw.splitlines()]
    assert results[-1] == {"summary": {"messages": 1_300, "new": 1_299, "known": 0, "failed": 1}}
    [bad] = [each for each in results if "error" in each]
    assert (bad["line"], bad["error"]["type"]) == (702, "urn:msgbot:problem:not_json")
    assert [each["line"] for each in results[:4]] == [1, 2, 3, 5]


async def test_a_stream_answers_while_it_goes_on(lone: Front) -> None:
    """A client may wait for the answer to one line before it sends the next."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    go_on = asyncio.Event()

    async def lines() -> Any:
        yield json.dumps(message(number=1)).encode() + b"\n"
        await go_on.wait()
        yield json.dumps(message(number=2)).encode() + b"\n"

    token = await lone.token("administrator")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    async with lone.session.post(lone.server.make_url("/v1/messages"), data=lines(), headers=headers) as response:
        async for line in response.content:
            await heard.put(json.loads(line))
            go_on.set()
    assert [(await heard.get()).get("line") for _ in range(3)] == [1, 2, None]


async def test_a_line_that_breaks_things_breaks_only_itself(front: Front) -> None:
    lines = [
        json.dumps(message(number=1)),
        '{"text": "x", "id": ' + "1" * 5_000 + "}",
        '{"text": "x", "id": "a\\u0000b"}',
        "[" * 9_000,
    ]
    taken = await front.call("POST", "/v1/messages", data="\n".join(lines).encode(), Content_Type="application/x-ndjson")
    results = [json.loads(line) for line in taken.raw.splitlines()]
    assert results[-1]["summary"] == {"messages": 4, "new": 2, "known": 0, "failed": 2}


async def test_a_suggestion_is_edited_and_sent_by_a_person(front: Front) -> None:
    await front.call("POST", "/v1/messages", message("cancel it if it can't be here by Friday"))
    await front.answered("m1")
    [suggested] = (await front.call("GET", "/v1/suggestions", by="agent")).data["suggestions"]
    reply_id = suggested["reply"]["id"]
    shown = await front.call("GET", f"/v1/replies/{reply_id}", by="agent")
    edited = await front.call(
        "POST", f"/v1/replies/{reply_id}/edit", {"body": "We can be there on Friday."}, by="agent", If_Match=shown.headers["ETag"]
    )
    assert (edited.status, edited.data["reply"]["body"]) == (200, "We can be there on Friday.\n")
    late = await front.call("POST", f"/v1/replies/{reply_id}/send", by="supervisor", If_Match=shown.headers["ETag"])
    assert (late.status, late.data["type"]) == (412, "urn:msgbot:problem:changed")
    sent = await front.call("POST", f"/v1/replies/{reply_id}/send", by="supervisor", If_Match=edited.headers["ETag"])
    assert sent.status == 202
    final = await front.answered("m1")
    assert (final["reply"]["state"], final["reply"]["changed_by"], final["reply"]["automatic"]) == (
        "sent",
        "token:supervisor",
        False,
    )
    assert (await front.call("POST", f"/v1/replies/{reply_id}/send", by="agent")).status == 409


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("Write to me at help@example.org", "e-mail address"),
        ("Please leave us a review!", "review"),
        (" ", "empty"),
    ],
)
async def test_words_that_amazon_refuses_are_refused(lone: Front, body: str, why: str) -> None:
    await lone.call("POST", "/v1/messages", message("cancel it if it can't be here by Friday"))
    reply_id = (await lone.answered("m1"))["reply"]["id"]
    refused = await lone.call("POST", f"/v1/replies/{reply_id}/edit", {"body": body})
    assert (refused.status, refused.data["errors"][0]["path"]) == (422, "/body")
    assert why in refused.data["detail"]


async def test_a_reply_is_stopped_while_it_waits(doors: Doors) -> None:
    front = await doors.open(undo_seconds=30.0)
    await front.call("PUT", f"/v1/orders/{A}", order())
    await front.call("POST", "/v1/messages", message())

    async def waits() -> bool:
        return bool((await front.call("GET", "/v1/replies?state=pending")).data["replies"])

    await front.until(waits)
    [pending] = (await front.call("GET", "/v1/replies?state=pending")).data["replies"]
    stopped = await front.call("POST", f"/v1/replies/{pending['reply']['id']}/dismiss", {"note": "I will phone"}, by="agent")
    assert (stopped.data["reply"]["state"], stopped.data["reply"]["note"]) == ("stopped", "I will phone")
    assert not list(front.service.settings.outbox_folder.rglob("*.eml"))


async def test_a_preview_leaves_nothing_behind(front: Front) -> None:
    await front.call("PUT", f"/v1/orders/{A}", order())
    shown = await front.call("POST", "/v1/replies/preview", message("Bitte stornieren Sie meine Bestellung"))
    assert (shown.data["decision"]["code"], shown.data["language"]) == ("instruct", "de")
    assert "Stornierung anfordern" in shown.data["body"]
    assert (await front.call("GET", "/v1/messages")).data == {"messages": [], "next_cursor": None}


async def test_only_trusted_sources_put_a_formal_request_on_file(front: Front) -> None:
    pushed = await front.call("PUT", f"/v1/orders/{A}", order(formal="yes"), by="integrator")
    assert pushed.data["formal_requests"] == []
    assert "not believed" in pushed.data["notes"][0]
    await front.token("integrator", name="erp")
    pushed = await front.call("PUT", f"/v1/orders/{A}", order(formal="yes"), by="erp")
    [request] = pushed.data["formal_requests"]
    assert (request["item_id"], request["source"]) == ("1", "api erp")
    assert (len(request["evidence"]), request["denied_evidence"]) == (64, "")
    denied = await front.call("PUT", f"/v1/orders/{A}", order(formal="no"), by="erp")
    [after] = denied.data["formal_requests"]
    assert (after["denied_by"], after["evidence"]) == ("api erp", request["evidence"])
    assert len({after["evidence"], after["denied_evidence"], ""}) == 3


async def test_the_formal_request_makes_the_cancellation_free(front: Front) -> None:
    await front.call("PUT", f"/v1/orders/{A}", order())
    await front.call("POST", "/v1/messages", message())
    blocked = await front.call("POST", f"/v1/orders/{A}/cancellations", {"reason": "BuyerCanceled"}, by="agent")
    assert (blocked.status, blocked.data["ruling"]["code"]) == (409, "informal")
    await front.call("PUT", f"/v1/orders/{A}", order(formal="yes"))
    allowed = await front.call("POST", f"/v1/orders/{A}/cancellations", {"reason": "BuyerCanceled"}, by="agent")
    assert (allowed.status, allowed.data["ruling"]["counts"], allowed.data["cancellation"]["state"]) == (202, False, "ready")
    again = await front.call("POST", f"/v1/orders/{A}/cancellations", {"reason": "BuyerCanceled"}, by="agent")
    assert again.data["cancellation"]["id"] == allowed.data["cancellation"]["id"]
    upload = await front.call("GET", f"{allowed.headers['Location']}/file", by="agent")
    assert upload.raw.startswith(b"TemplateType=OrderCancellation\t")
    await front.call("PUT", f"/v1/orders/{A}", order("cancelled", "yes"))
    followed = await front.call("GET", allowed.headers["Location"], by="agent")
    assert followed.data["state"] == "done"
    known = (await front.call("GET", f"/v1/orders/{A}", by="auditor")).data
    assert [ruling["code"] for ruling in known["rulings"]] == ["informal", "formal_request"]
    assert [each["id"] for each in known["messages"]] == ["m1"]


async def test_what_came_to_light_since_counts_when_the_file_is_fetched(front: Front) -> None:
    await front.call("PUT", f"/v1/orders/{A}", order())
    allowed = await front.call("POST", f"/v1/orders/{A}/cancellations", {"reason": "NoInventory"}, by="agent")
    other = await front.call("POST", f"/v1/orders/{A}/cancellations", {"reason": "PricingError"}, by="agent")
    assert (allowed.status, other.status) == (202, 409)
    await front.call("POST", "/v1/messages", message())
    refused = await front.call("GET", f"{allowed.headers['Location']}/file", by="agent")
    assert (refused.status, "no longer allowed" in refused.data["detail"]) == (409, True)
    assert (await front.call("GET", allowed.headers["Location"])).data["state"] == "lapsed"


async def test_a_cancellation_is_taken_back(front: Front) -> None:
    await front.call("PUT", f"/v1/orders/{A}", order(formal="yes"))
    allowed = await front.call("POST", f"/v1/orders/{A}/cancellations", {"reason": "BuyerCanceled"}, by="agent")
    taken_back = await front.call("POST", f"{allowed.headers['Location']}/withdraw", by="agent")
    assert (taken_back.status, taken_back.data["state"]) == (200, "lapsed")
    assert (await front.call("POST", f"{allowed.headers['Location']}/withdraw", by="agent")).status == 409


async def test_several_at_once_make_one_cancellation(front: Front) -> None:
    await front.call("PUT", f"/v1/orders/{A}", order(formal="yes"))
    path = f"/v1/orders/{A}/cancellations"
    asked = await asyncio.gather(*(front.call("POST", path, {"reason": "BuyerCanceled"}) for _ in range(6)))
    assert [each.status for each in asked] == [202] * 6
    assert len({each.data["cancellation"]["id"] for each in asked}) == 1


async def test_orders_pushed_at_once_end_with_the_newest_facts(front: Front) -> None:
    path = f"/v1/orders/{A}"
    times = [f"2026-11-20T{hour:02}:00:00Z" for hour in range(8)]
    await front.token("administrator")
    bodies = [order("shipped" if at == times[-1] else "unshipped", as_of=at) for at in times]
    pushed = await asyncio.gather(*(front.call("PUT", path, body) for body in reversed(bodies)))
    assert {each.status for each in pushed} <= {200, 201}
    assert (await front.call("GET", path)).data["order"]["status"] == "shipped"


async def test_an_untrusted_source_cannot_widen_a_formal_request(front: Front) -> None:
    both = {"status": "unshipped", "fulfilment": "seller"}
    items = [{"id": "1", "formal_request": "yes"}, {"id": "2", "formal_request": "no"}]
    await front.call("PUT", f"/v1/orders/{A}", {**both, "items": items})
    pushed = await front.call("PUT", f"/v1/orders/{A}", {**both, "items": [{"id": "1"}]}, by="integrator")
    assert [item["id"] for item in pushed.data["order"]["items"]] == ["1", "2"]
    asked = await front.call("POST", f"/v1/orders/{A}/cancellations", {"reason": "BuyerCanceled"})
    assert (asked.status, asked.data["ruling"]["code"]) == (409, "partly_requested")


async def test_a_second_person_overrides_with_a_written_reason(front: Front) -> None:
    await front.call("PUT", f"/v1/orders/{A}", order())
    await front.call("POST", "/v1/messages", message())
    blocked = await front.call("POST", f"/v1/orders/{A}/cancellations", {"reason": "NoInventory"}, by="supervisor")
    ruling = blocked.data["ruling"]
    assert (blocked.status, ruling["code"], ruling["can_be_overridden"]) == (409, "disguised", True)
    path = f"/v1/rulings/{ruling['id']}/override"
    reason = {"reason": "The last one broke in the warehouse."}
    own = await front.call("POST", path, reason, by="supervisor")
    assert (own.status, "second person" in own.data["detail"]) == (403, True)
    assert (await front.call("POST", path, reason, by="agent")).status == 403
    assert (await front.call("POST", path, {"reason": "because"}, by="supervisor")).status == 422
    await front.token("supervisor", name="second")
    done = await front.call("POST", path, reason, by="second")
    assert (done.status, done.data["cancellation"]["state"]) == (202, "ready")
    assert (await front.call("POST", path, reason, by="second")).status == 409
    known = (await front.call("GET", f"/v1/orders/{A}")).data["rulings"][0]
    assert (known["asked_by"], known["overridden_by"]) == ("token:supervisor", "token:second")
    assert (await front.call("GET", "/v1/audit/verify")).data["broken"] is None


async def test_what_needs_confirmation_is_confirmed_by_name(front: Front) -> None:
    await front.call("PUT", f"/v1/orders/{A}", order(formal="yes"))
    path = f"/v1/orders/{A}/cancellations"
    asked = await front.call("POST", path, {"reason": "NoInventory"})
    assert (asked.status, asked.data["ruling"]["outcome"]) == (409, "needs_confirmation")
    assert (await front.call("POST", path, {"reason": "NoInventory", "confirm": "yes"})).status == 409
    sure = await front.call("POST", path, {"reason": "NoInventory", "confirm": asked.data["ruling"]["code"]})
    assert sure.status == 202


async def test_a_cancellation_file_is_ruled_on_row_by_row(front: Front) -> None:
    await front.call("PUT", f"/v1/orders/{A}", order(formal="yes"))
    await front.call("PUT", f"/v1/orders/{B}", order())
    first = "TemplateType=OrderCancellation\tVersion=1.0/1.0.3\tThis row for Amazon.com use only. Do not modify or delete."
    header = "order-id\tcancellation-reason-code\tamazon-order-item-code"
    rows = [f"{A}\tBuyerCanceled\t1", f"{B}\tBuyerCanceled\t1", f"{A}\tBuyerCanceled\t1", "nonsense\tBuyerCanceled\t1"]
    table = "\r\n".join([first, header, *rows, ""]).encode()
    ruled = await front.call(
        "POST", "/v1/cancellation-files?name=monday.txt", data=table, Content_Type="text/tab-separated-values", by="agent"
    )
    assert [row["code"] for row in ruled.data["rows"]] == ["formal_request", "wrong_reason", "repeated", "unreadable"]
    assert (ruled.data["allowed"], ruled.data["blocked"]) == (1, 3)
    assert A in ruled.data["clean"]
    assert B not in ruled.data["clean"]


async def test_pages_hold_everything_once_whatever_comes_in_between(front: Front) -> None:
    await front.call("POST", "/v1/messages", [message("Where is it?", number) for number in range(25)])
    seen: list[str] = []
    cursor = ""
    for late in range(100, 110):
        page = (await front.call("GET", f"/v1/messages?limit=10{cursor}")).data
        seen += [each["id"] for each in page["messages"]]
        await front.call("POST", "/v1/messages", message("Late", late))
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == sorted(f"m{number}" for number in range(25))


async def test_messages_are_found_by_what_they_are(front: Front) -> None:
    await front.call(
        "POST", "/v1/messages", [message(), message("Where is it?", 2, order_id=B), message("Hello", 3, order_id=None)]
    )
    for query, ids in (
        ("intent=request", ["m1"]),
        (f"order_id={B}", ["m2"]),
        (f"buyer={BUYER.replace('+', '%2B')}&intent=none", ["m2", "m3"]),
        ("kind=bounce", []),
        ("since=2100-01-01", []),
        ("action=nothing", ["m2", "m3"]),
    ):
        found = await front.call("GET", f"/v1/messages?{query}")
        assert sorted(each["id"] for each in found.data["messages"]) == ids, query


async def test_a_key_makes_a_request_happen_once(front: Front) -> None:
    await front.call("PUT", f"/v1/orders/{A}", order())
    path, body = f"/v1/orders/{A}/cancellations", {"reason": "NoInventory"}
    first = await front.call("POST", path, body, Idempotency_Key="k-1")
    again = await front.call("POST", path, body, Idempotency_Key="k-1")
    other = await front.call("POST", path, {"reason": "PricingError"}, Idempotency_Key="k-1")
    assert (first.status, again.status, again.raw) == (202, 202, first.raw)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status, other.data["type"]) == (409, "urn:msgbot:problem:idempotency_key")
    # Somebody else's key of the same name is another key.
    mine = await front.call("POST", path, body, by="agent", Idempotency_Key="k-1")
    assert (mine.status, "Idempotent-Replayed" in mine.headers) == (202, False)


async def test_signing_in_gives_a_token_for_some_hours(front: Front) -> None:
    from msgbot.domain.access import Role

    await front.service.people.add_user("alice@shop", "a long enough password", Role.AGENT, frozenset({"main"}))
    wrong = await front.call("POST", "/v1/sign-in", {"name": "alice@shop", "password": "wrong"}, by="")
    assert wrong.status == 401
    right = await front.call("POST", "/v1/sign-in", {"name": "alice@shop", "password": "a long enough password"}, by="")
    front.tokens["alice"] = right.data["token"]
    me = (await front.call("GET", "/v1/me", by="alice")).data
    assert (me["name"], me["role"], me["accounts"]) == ("user:alice@shop", "agent", ["main"])
    await front.call("POST", "/v1/messages", message("cancel it if it can't be here by Friday"))
    reply_id = (await front.answered("m1"))["reply"]["id"]
    await front.call("POST", f"/v1/replies/{reply_id}/dismiss", by="alice")
    assert (await front.call("GET", f"/v1/replies/{reply_id}")).data["reply"]["changed_by"] == "user:alice@shop"
