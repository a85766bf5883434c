"""Reports: asked for, waited for, downloaded."""

from __future__ import annotations

import gzip

import pytest

from msgbot.fake_amazon import FakeAmazon, Trouble
from tests.fake_amazon.conftest import Caller, Watch

REPORTS = "/reports/2021-06-30/reports"
DOCUMENTS = "/reports/2021-06-30/documents"
ORDERS = "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING"
US = "ATVPDKIKX0DER"
WANTED = {
    "reportType": ORDERS,
    "marketplaceIds": [US],
    "dataStartTime": "2026-11-19T00:00:00Z",
    "dataEndTime": "2026-11-20T00:00:00Z",
}


async def ask(call: Caller) -> str:
    """Asks for the report and gives its id."""
    told = await call("POST", REPORTS, WANTED)
    assert told.status == 202
    report_id: str = told.value["reportId"]
    return report_id


@pytest.mark.parametrize("zipped", [True, False])
async def test_a_report_is_made_and_downloaded_with_its_charset(call: Caller, fake: FakeAmazon, zipped: bool) -> None:
    data = "order-id\tproduct-name\r\n1\tTête".encode("cp1252")
    fake.write_report(ORDERS, data, "text/plain; charset=windows-1252")
    fake.reports.zipped = zipped
    report_id = await ask(call)
    seen = [(await call("GET", f"{REPORTS}/{report_id}")).value for _ in range(2)]
    assert [each["processingStatus"] for each in seen] == ["IN_PROGRESS", "DONE"]
    assert seen[1]["dataStartTime"] == "2026-11-19T00:00:00.000Z"
    document = (await call("GET", f"{DOCUMENTS}/{seen[1]['reportDocumentId']}")).value
    status, got, content_type = await call.bytes_at(document["url"])
    assert (status, content_type) == (200, "text/plain; charset=windows-1252")
    assert (gzip.decompress(got) if zipped else got) == data
    assert document.get("compressionAlgorithm") == ("GZIP" if zipped else None)


async def test_a_report_without_data_ends_as_cancelled(call: Caller) -> None:
    report_id = await ask(call)
    for _ in range(2):
        last = (await call("GET", f"{REPORTS}/{report_id}")).value
    assert last["processingStatus"] == "CANCELLED"
    assert "reportDocumentId" not in last


async def test_a_report_can_be_made_to_end_as_fatal_and_takes_seconds(call: Caller, fake: FakeAmazon, watch: Watch) -> None:
    fake.write_report(ORDERS, b"x")
    fake.reports.pace.seconds = 30
    fake.trouble("createReport", Trouble.FATAL)
    report_id = await ask(call)
    assert (await call("GET", f"{REPORTS}/{report_id}")).value["processingStatus"] in {"IN_QUEUE", "IN_PROGRESS"}
    watch.wait(seconds=30)
    assert (await call("GET", f"{REPORTS}/{report_id}")).value["processingStatus"] == "FATAL"
    assert [each["reportId"] for each in (await call("GET", REPORTS, reportTypes=ORDERS)).value["reports"]] == [report_id]


@pytest.mark.parametrize(
    "change", [{"reportType": ""}, {"marketplaceIds": []}, {"dataStartTime": "yesterday"}, {"dataEndTime": "2026-11-20"}]
)
async def test_a_report_is_asked_for_as_amazon_wants(call: Caller, change: dict[str, object]) -> None:
    assert (await call("POST", REPORTS, {**WANTED, **change})).status == 400


async def test_reports_of_others_are_not_found(call: Caller, fake: FakeAmazon) -> None:
    report_id = await ask(call)
    await call.get_token(fake.add_seller("A2OTHER"))
    assert (await call("GET", f"{REPORTS}/{report_id}")).status == 404
    assert (await call("GET", f"{DOCUMENTS}/unknown")).status == 404
