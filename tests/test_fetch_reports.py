"""Reports of Amazon's: asked for, waited for, taken in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from msgbot.amazon_states import States
from msgbot.domain.trail import EntryKind
from msgbot.engine import Engine
from msgbot.errors import InputError, NotFound
from msgbot.fake_amazon import Trouble
from msgbot.fetch_reports import FETCH, PERFORMANCE, REPORT_TYPES, UNSHIPPED, FetchReports
from msgbot.store.amazon_reports import Report, ReportState
from msgbot.store.database import Database
from tests.amazon_models import check_performance_report
from tests.link import Link, story
from tests.mails import unshipped_report

A = "114-0000001-0000001"
ALL_ORDERS = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
TEXT = "text/plain; charset=UTF-8"


@pytest.fixture
async def link(database: Database) -> AsyncIterator[Link]:
    async with story(database) as made:
        yield made


async def fetched(link: Link, report_type: str = UNSHIPPED, *, steps: int = 6) -> Report:
    """The report after it was asked for and brought on, step by step, as far as it goes."""
    asked = await link.reports.ask("main", report_type)
    for _ in range(steps):
        link.watch.wait(minutes=1)
        await link.reports.fetch("main", asked.id)
    return await link.reports.get("main", asked.id)


@pytest.mark.parametrize("zipped", [True, False])
async def test_a_report_of_orders_is_taken_in(link: Link, zipped: bool) -> None:
    link.fake.reports.zipped = zipped
    link.fake.write_report(UNSHIPPED, unshipped_report((A, "1", "TRUE")))
    report = await fetched(link)
    assert (report.state, report.note) == (ReportState.READ, "1 orders, 1 new formal requests")
    [request] = await link.formal(A)
    assert request.source == f"Amazon's report {UNSHIPPED}"
    # What it says may be as old as the moment at which it was asked for, and is not taken for newer.
    assert request.seen_at == report.created_at
    assert len(await link.entries(EntryKind.ORDERS_IMPORTED)) == 1
    assert await link.errors() == {}


async def test_a_report_from_japan_is_read_in_its_own_letters(database: Database) -> None:
    async with story(database) as link:
        data = unshipped_report((A, "1", "TRUE")).decode().replace("Lamp", "電気スタンド").encode("cp932")
        link.fake.write_report(UNSHIPPED, data, "text/plain; charset=Shift_JIS")
        assert (await fetched(link)).state is ReportState.READ
        order = await link.order(A)
        assert order is not None
        assert order.items[0].title == "電気スタンド"


async def test_a_report_is_asked_for_the_days_that_its_type_wants(link: Link) -> None:
    await fetched(link, ALL_ORDERS, steps=1)
    await fetched(link, UNSHIPPED, steps=1)
    all_orders, unshipped = link.fake.reports.reports.values()
    assert all_orders.since is not None
    assert link.watch.now - timedelta(days=8) < all_orders.since < link.watch.now - timedelta(days=6)
    assert unshipped.since is None


def rates(**changes: Any) -> bytes:
    """A performance report as Amazon's schema has it."""
    rate: dict[str, Any] = {
        "reportingDateRange": {"reportingDateFrom": "2026-11-10T00:00:00Z", "reportingDateTo": "2026-11-16T23:59:59Z"},
        "status": "GOOD",
        "targetValue": 0.025,
        "targetCondition": "LESS_THAN",
        "orderCount": 400,
        "cancellationCount": 3,
        "rate": 0.0075,
        **changes,
    }
    whole = {"performanceMetrics": [{"marketplaceId": "ATVPDKIKX0DER", "preFulfillmentCancellationRate": rate}]}
    return json.dumps(whole).encode()


async def test_amazons_own_rate_is_on_file_and_the_newest_is_shown(link: Link) -> None:
    link.fake.write_report(PERFORMANCE, rates(), "application/json")
    assert (await fetched(link, PERFORMANCE)).note == "Amazon's own rate of 1 marketplaces"
    later = {"reportingDateFrom": "2026-11-11T00:00:00Z", "reportingDateTo": "2026-11-17T23:59:59Z"}
    link.fake.write_report(PERFORMANCE, rates(reportingDateRange=later, rate=0.03, status="BAD"), "application/json")
    for _ in range(2):
        await fetched(link, PERFORMANCE)
    [rate] = (await link.status.of("main")).rates
    assert (rate.rate, rate.target, rate.orders, rate.cancelled, rate.status) == (Decimal("0.03"), Decimal("0.025"), 400, 3, "BAD")
    assert rate.until.isoformat() == "2026-11-17"


def test_the_performance_report_of_these_tests_is_as_amazons_schema_says() -> None:
    metrics = json.loads(rates())["performanceMetrics"][0]
    faults = check_performance_report({"accountStatuses": [], "performanceMetrics": [metrics]})
    assert [each for each in faults if "preFulfillmentCancellationRate" in each] == []


async def test_a_report_without_data_is_empty_and_no_trouble(link: Link) -> None:
    report = await fetched(link)
    assert (report.state, await link.errors()) == (ReportState.EMPTY, {})


async def test_a_report_that_amazon_could_not_make_has_failed(link: Link) -> None:
    link.fake.write_report(UNSHIPPED, unshipped_report((A, "1", "TRUE")))
    link.fake.trouble("createReport", Trouble.FATAL)
    report = await fetched(link)
    assert (report.state, report.note) == (ReportState.FAILED, "Amazon could not make the report")
    assert await link.errors() == {"reports": "Amazon could not make the report"}
    assert await link.order(A) is None
    assert (await fetched(link)).state is ReportState.READ
    assert await link.errors() == {}


@pytest.mark.parametrize(("report_type", "content_type"), [(UNSHIPPED, TEXT), (PERFORMANCE, "application/json")])
@pytest.mark.parametrize("data", [b"", b"<html>We're sorry</html>", b"\xff\xfe\x00", b"{}"])
async def test_a_report_that_cannot_be_read_has_failed_and_says_why(
    link: Link, report_type: str, content_type: str, data: bytes
) -> None:
    link.fake.write_report(report_type, data, content_type)
    report = await fetched(link, report_type)
    assert report.state is ReportState.FAILED
    assert report.note.startswith("Amazon's report cannot be read: ")
    assert list(await link.errors()) == ["reports"]


async def test_an_address_that_expires_on_the_way_is_asked_for_again(link: Link) -> None:
    link.fake.write_report(UNSHIPPED, unshipped_report((A, "1", "TRUE")))
    serve: Callable[[Any], Any] = link.fake.documents.serve
    late = iter([True, False])

    def slow(call: Any) -> Any:
        if next(late, False):
            for key, (document, expires) in link.fake.documents._addresses.items():
                link.fake.documents._addresses[key] = (document, expires - timedelta(minutes=6))
        return serve(call)

    link.fake.documents.serve = slow  # type: ignore[method-assign]
    assert (await fetched(link)).state is ReportState.READ
    assert len(link.fake.calls_of("getReportDocument")) == 2


async def test_while_amazon_is_away_a_report_waits_and_then_comes_in(link: Link) -> None:
    link.fake.write_report(UNSHIPPED, unshipped_report((A, "1", "TRUE")))
    link.fake.go_down()
    report = await fetched(link, steps=3)
    assert report.state is ReportState.WANTED
    assert "503" in report.note
    assert list(await link.errors()) == ["reports"]
    link.fake.come_back()
    for _ in range(4):
        link.watch.wait(minutes=10)
        await link.reports.fetch("main", report.id)
    assert (await link.reports.get("main", report.id)).state is ReportState.READ
    assert await link.errors() == {}


async def test_an_answer_that_was_lost_costs_a_second_report_and_nothing_else(link: Link) -> None:
    link.fake.write_report(UNSHIPPED, unshipped_report((A, "1", "TRUE")))
    link.fake.trouble("createReport", Trouble.CUT_AFTER)
    assert (await fetched(link)).state is ReportState.READ
    assert len(link.fake.reports.reports) == 2
    assert len(await link.formal(A)) == 1


async def test_a_report_that_amazon_never_makes_is_given_up_after_a_day(link: Link) -> None:
    link.fake.reports.pace.seconds = 1e9
    report = await fetched(link)
    assert (report.state, report.note) == (ReportState.ASKED, "Amazon works on it")
    link.watch.wait(days=1)
    await link.reports.fetch("main", report.id)
    report = await link.reports.get("main", report.id)
    assert (report.state, report.note) == (ReportState.FAILED, "given up after a day: Amazon works on it")


async def test_the_rate_is_asked_for_daily_and_once_however_many_processes_do(link: Link) -> None:
    others = [
        FetchReports(
            link.database, link.engine, link.take_orders, link.refresh, States(link.database, link.watch), link.watch, None
        )
        for _ in range(3)
    ]
    everybody = [link.reports, *others]
    assert sum(await asyncio.gather(*(each.ask_daily(["main"]) for each in everybody))) == 1
    link.watch.wait(hours=12)
    assert await link.reports.ask_daily(["main"]) == 0
    link.watch.wait(hours=9)
    assert sum(await asyncio.gather(*(each.ask_daily(["main"]) for each in everybody))) == 1
    assert len(await link.engine.under_way(FETCH, "main")) == 2


async def test_what_is_asked_for_comes_in_by_itself(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msgbot.fetch_reports._FIRST_WAIT", 0.1)
    link.fake.write_report(PERFORMANCE, rates(), "application/json")
    asked = await link.reports.ask("main", PERFORMANCE)
    engine: Engine = link.engine
    async with engine.running({FETCH: link.reports.run}):
        # Each step calls the next before it ends.
        await link.done(FETCH)
    assert (await link.reports.get("main", asked.id)).state is ReportState.READ
    assert len((await link.status.of("main")).rates) == 1


async def test_what_cannot_be_asked_for(link: Link) -> None:
    with pytest.raises(InputError, match="these are"):
        await link.reports.ask("main", "GET_MERCHANT_LISTINGS_ALL_DATA")
    with pytest.raises(InputError, match="not connected"):
        await link.reports.ask("other", UNSHIPPED)
    with pytest.raises(NotFound):
        await link.reports.get("main", "0")
    assert {UNSHIPPED, PERFORMANCE} <= set(REPORT_TYPES)
