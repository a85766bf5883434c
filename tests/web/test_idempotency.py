"""Idempotency keys: what is asked again with the same key happens once, also when a process dies or its time is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from msgbot import service
from msgbot.store.schema import idempotency_keys as keys
from tests.conftest import NOW
from tests.web.conftest import Doors, Front, message


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
