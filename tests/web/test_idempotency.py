"""Idempotency keys: what is asked again with the same key happens once, also when a process dies or its time is over."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import ClientError
from sqlalchemy import select

from msgbot import service
from msgbot.errors import StoreError
from msgbot.store import idempotency
from msgbot.store.schema import idempotency_keys as keys
from tests.conftest import NOW
from tests.web.conftest import A, Doors, Front, message, order


async def known(front: Front) -> list[str]:
    """The keys on file."""
    async with front.service.database.reading() as connection:
        return sorted((await connection.execute(select(keys.c.key))).scalars())


async def test_a_running_service_forgets_keys_after_a_day(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_ROUND_SECONDS", 0.05)
    doors.now = NOW
    front = await doors.open()
    await front.call("POST", "/v1/messages", message(), Idempotency_Key="old")
    doors.now = NOW + timedelta(hours=23)
    await front.call("POST", "/v1/messages", message(), Idempotency_Key="young")
    assert await known(front) == ["old", "young"]
    doors.now = NOW + timedelta(hours=25)

    async def forgotten() -> bool:
        return await known(front) == ["young"]

    await front.until(forgotten)


async def died(*_: object) -> None:
    """The process ends before the answer can be kept."""
    raise asyncio.CancelledError


async def could_not(*_: object) -> None:
    """The answer cannot be kept."""
    raise StoreError("the disk is full")


async def test_what_may_have_been_done_is_not_done_again(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies when the webhook is on file and its answer is not: nobody makes a second one."""
    doors.now = NOW
    front = await doors.open(work=False)
    body = {"url": "http://127.0.0.1:9/x", "events": ["reply.failed"]}
    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "keep", died)
        with pytest.raises(ClientError):
            await front.call("POST", "/v1/webhooks", body, Idempotency_Key="k")
    soon = await front.call("POST", "/v1/webhooks", body, Idempotency_Key="k")
    doors.now = NOW + timedelta(minutes=2)
    later = await front.call("POST", "/v1/webhooks", body, Idempotency_Key="k")
    assert [(each.status, each.data["type"]) for each in (soon, later)] == [
        (409, "urn:msgbot:problem:in_progress"),
        (409, "urn:msgbot:problem:outcome_unknown"),
    ]
    assert len((await front.call("GET", "/v1/webhooks")).data["webhooks"]) == 1


async def test_what_can_be_done_twice_is_tried_again(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message is on file once however often it comes: who sends it again after a crash learns what became of it."""
    doors.now = NOW
    front = await doors.open(work=False)
    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "keep", died)
        with pytest.raises(ClientError):
            await front.call("POST", "/v1/messages", message(), Idempotency_Key="k")
    doors.now = NOW + timedelta(minutes=2)
    again = await front.call("POST", "/v1/messages", message(), Idempotency_Key="k")
    assert (again.status, again.data["new"]) == (200, False)


async def test_what_was_done_is_answered_though_the_answer_cannot_be_kept(lone: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"url": "http://127.0.0.1:9/x", "events": ["reply.failed"]}
    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "keep", could_not)
        assert (await lone.call("POST", "/v1/webhooks", body, Idempotency_Key="k")).status == 201
    assert (await lone.call("POST", "/v1/webhooks", body, Idempotency_Key="k")).status == 409
    assert len((await lone.call("GET", "/v1/webhooks")).data["webhooks"]) == 1


async def test_what_was_refused_may_be_tried_again(lone: Front) -> None:
    path = f"/v1/orders/{A}/cancellations"
    assert (await lone.call("POST", path, {"reason": "BuyerCanceled"}, Idempotency_Key="k")).status == 409
    await lone.call("PUT", f"/v1/orders/{A}", order(formal="yes"))
    assert (await lone.call("POST", path, {"reason": "BuyerCanceled"}, Idempotency_Key="k")).status == 202
