"""The clock of a service never steps back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from msgbot.clock import steady_clock
from msgbot.config import load_settings
from msgbot.web.app import application
from msgbot.wiring import open_service
from tests.web.conftest import A, Front, message, order

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_it_goes_on_at_its_own_pace_when_the_other_steps_back() -> None:
    wall, ticks = [NOON], [0.0]
    clock = steady_clock(lambda: wall[0], lambda: ticks[0])
    told = []
    for step_wall, step_ticks in ((1, 1), (-3_600, 1), (1, 1), (3_700, 1), (1, 1)):
        wall[0] += timedelta(seconds=step_wall)
        ticks[0] += step_ticks
        told.append((clock() - NOON).total_seconds())
    assert told == [1, 2, 3, 102, 103]


async def test_a_clock_that_steps_back_under_way_harms_nothing(tmp_path: Path) -> None:
    """Fresh facts stay fresh, everything is answered, pages hold everything, and the chain holds."""
    stepped = [timedelta(0)]
    settings = load_settings(data=tmp_path / "data", trusted_sources=frozenset({"administrator"}))
    clock = steady_clock(lambda: datetime.now(UTC) + stepped[0])
    async with open_service(settings, work=True, clock=clock) as service, ClientSession() as session:
        server = TestServer(application(service))
        await server.start_server()
        front = Front(service, server, session)
        await front.call("PUT", f"/v1/orders/{A}", order())
        for number in range(10):
            await front.call("POST", "/v1/messages", message("Where is it?", number))
        stepped[0] = -timedelta(hours=1)
        pushed = await front.call("PUT", f"/v1/orders/{A}", order(formal="no"))
        assert pushed.data["notes"] == []
        await front.call("POST", "/v1/messages", message(number=100))
        assert (await front.answered("m100"))["decision"]["code"] == "instruct"
        listed = [each["id"] for each in (await front.call("GET", "/v1/messages")).data["messages"]]
        assert listed[0] == "m100"
        assert len(listed) == 11
        assert (await front.call("GET", "/v1/audit/verify")).data["broken"] is None
        await server.close()
