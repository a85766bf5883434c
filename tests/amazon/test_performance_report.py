"""The seller performance report (domain.md section 1)."""

from __future__ import annotations

import codecs
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.amazon.performance_report import AmazonRate, read_performance_report
from msgbot.errors import InputError
from tests.amazon.answers import JSON
from tests.amazon_models import read_model

RATE = {
    "reportingDateRange": {"reportingDateFrom": "2026-11-12T00:00Z", "reportingDateTo": "2026-11-18T23:59Z"},
    "orderCount": 17197,
    "cancellationCount": 551,
    "status": "BAD",
    "rate": 0.032,
    "targetValue": 0.025,
    "targetCondition": "LESS_THAN",
}
EXPECTED = AmazonRate(
    "ATVPDKIKX0DER", date(2026, 11, 12), date(2026, 11, 18), 17197, 551, Decimal("0.032"), Decimal("0.025"), "LESS_THAN", "BAD"
)


def report(*rates: Any, name: str = "preFulfillmentCancellationRate") -> bytes:
    metrics = [{"marketplaceId": "ATVPDKIKX0DER", name: rate, "lateShipmentRate": {"rate": 1}} for rate in rates]
    return json.dumps({"accountStatuses": [], "performanceMetrics": metrics}).encode()


@pytest.mark.parametrize("name", ["preFulfillmentCancellationRate", "prefulfillmentCancelRate"])
def test_the_rate_under_either_name(name: str) -> None:
    data = report(RATE, name=name)
    for copy in (data, codecs.BOM_UTF8 + data, data.decode().encode("utf-16")):
        assert read_performance_report(copy) == (EXPECTED,)


def test_marketplaces_without_a_rate_are_left_out() -> None:
    not_measured = {**RATE, "rate": None, "status": "NONE"}
    assert read_performance_report(report(None, RATE, not_measured)) == (EXPECTED,)
    assert read_performance_report(report()) == ()


def test_a_report_in_another_charset_is_read() -> None:
    assert read_performance_report(report({**RATE, "note": "x"}).replace(b'"x"', '"é"'.encode("cp1252"))) == (EXPECTED,)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"rate": None}, "performanceMetrics[0].preFulfillmentCancellationRate.rate is missing"),
        ({"rate": "3 %"}, "performanceMetrics[0].preFulfillmentCancellationRate.rate is no share that a rate can be"),
        ({"rate": True}, "performanceMetrics[0].preFulfillmentCancellationRate.rate is no share that a rate can be"),
        ({"orderCount": None}, "performanceMetrics[0].preFulfillmentCancellationRate.orderCount is missing"),
        ({"status": None}, "performanceMetrics[0].preFulfillmentCancellationRate.status is missing"),
        (
            {"reportingDateRange": {"reportingDateFrom": "2026-11-12T00:00Z"}},
            "performanceMetrics[0].preFulfillmentCancellationRate.reportingDateRange.reportingDateTo is missing",
        ),
    ],
)
def test_a_rate_that_lacks_something_is_refused_with_the_path(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read_performance_report(report({**RATE, **changes}))
    assert str(caught.value) == fault


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"<html>", b'{"performanceMetrics": {}}', b'{"performanceMetrics": [1]}'])
def test_what_is_no_such_report_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_performance_report(data)


def test_the_examples_of_amazons_own_schema() -> None:
    schema = read_model("accountHealthReport-2020-11-18")
    [example] = schema["examples"]
    [rate] = read_performance_report(json.dumps(example).encode())
    assert (rate.marketplace, rate.orders, rate.cancelled, rate.rate) == ("ATVPDKIKX0DER", 17197, 551, Decimal("0.005"))
    metric = schema["properties"]["performanceMetrics"]["items"]["properties"]["preFulfillmentCancellationRate"]
    for each in metric["examples"]:
        assert read_performance_report(report(each)) == (rate,)


@given(st.binary() | JSON.map(lambda value: json.dumps({"performanceMetrics": value}).encode()) | JSON.map(report))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_performance_report(data)
    except InputError:
        return
