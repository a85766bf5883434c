"""The judge is judged: Amazon's own examples pass, and the same examples with one thing changed do not."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.amazon_models import (
    check_answer,
    check_exchange,
    check_notification,
    check_performance_report,
    check_request,
    models_folder,
    operation_of,
    read_model,
    sandbox_examples,
    schema_of,
)

V2026 = "orders_2026-01-01"
NOTIFICATIONS = ("OrderChangeNotification", "FeedProcessingFinishedNotification", "ReportProcessingFinishedNotification")
# Amazon's example of this one lacks what Amazon's model requires.
FLAWED_EXAMPLES = {("sellers", "getAccount", 200)}


def changed(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    """A copy of `value` with `new` at `path`; None takes it out."""
    whole = copy.deepcopy(value)
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    if new is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return whole


def example(model: str, operation_id: str) -> Any:
    """The first example of an answer 200."""
    return next(
        answer
        for operation, status, _, answer in sandbox_examples()
        if (operation.model, operation.id, status) == (model, operation_id, 200)
    )


def test_every_example_of_the_sandbox_passes() -> None:
    seen = [(operation, status, answer) for operation, status, _, answer in sandbox_examples()]
    flawed = {
        (operation.model, operation.id, status): faults
        for operation, status, answer in seen
        if (faults := check_answer(operation.model, operation.id, status, answer))
    }
    assert len(seen) > 100
    assert set(flawed) == FLAWED_EXAMPLES


@pytest.mark.parametrize(
    ("model", "operation_id", "path", "new", "told"),
    [
        (V2026, "getOrder", ("order", "orderId"), None, "orderId"),
        (V2026, "getOrder", ("order", "orderId"), 7, "is not of type"),
        (V2026, "getOrder", ("order", "lastUpdatedTime"), "2024-12-25", "date-time"),
        (V2026, "getOrder", ("order", "lastUpdatedTime"), "2024-12-25T10:00:00", "date-time"),
        (V2026, "getOrder", ("order", "fulfillment", "fulfillmentStatus"), "CANCELED", "is not one of"),
        (V2026, "getOrder", ("order", "orderItems", 0, "quantityOrdered"), "1", "is not of type"),
        (V2026, "getOrder", ("order", "status"), "UNSHIPPED", "Additional properties"),
        (V2026, "searchOrders", ("payload",), {}, "Additional properties"),
        ("ordersV0", "getOrder", ("payload", "OrderStatus"), "Cancelled", "is not one of"),
        # The flag is a string in v0, whatever it looks like (domain.md section 9, 2).
        (
            "ordersV0",
            "getOrderItems",
            ("payload", "OrderItems", 0, "BuyerRequestedCancel"),
            {"IsBuyerRequestedCancel": True},
            "type",
        ),
        ("feeds_2021-06-30", "getFeed", ("processingStatus",), "READY", "is not one of"),
        ("feeds_2021-06-30", "getFeed", ("createdTime",), None, "createdTime"),
        ("reports_2021-06-30", "getReportDocument", ("compressionAlgorithm",), "gzip", "is not one of"),
        ("notifications", "createDestination", ("payload", "resource", "sqs", "arn"), "sqs:queue", "does not match"),
        ("sellers", "getMarketplaceParticipations", ("payload", 0, "marketplace", "countryCode"), "usa", "does not match"),
    ],
)
def test_an_answer_with_one_thing_changed_has_a_fault(
    model: str, operation_id: str, path: tuple[str | int, ...], new: object, told: str
) -> None:
    answer = example(model, operation_id)
    assert check_answer(model, operation_id, 200, answer) == []
    faults = check_answer(model, operation_id, 200, changed(answer, path, new))
    assert faults
    assert told in faults[0]


def test_a_status_that_the_model_does_not_know_is_a_fault() -> None:
    assert check_answer(V2026, "getOrder", 418, {}) == ["answer: status 418 is not in the model"]


SUBSCRIPTION = {
    "payloadVersion": "1.0",
    "destinationId": "d",
    "processingDirective": {"eventFilter": {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["BuyerRequestedChange"]}},
}


@pytest.mark.parametrize(
    ("model", "operation_id", "query", "body", "told"),
    [
        (
            V2026,
            "searchOrders",
            {"lastUpdatedAfter": ["2026-11-20T12:00:00Z"], "includedData": ["CANCELLATION,FULFILLMENT"]},
            None,
            "",
        ),
        (V2026, "searchOrders", {"LastUpdatedAfter": ["2026-11-20T12:00:00Z"]}, None, "unknown parameter"),
        (V2026, "searchOrders", {"lastUpdatedAfter": ["2026-11-20T12:00:00"]}, None, "date-time"),
        (V2026, "searchOrders", {"includedData": ["CANCELLATION,ADDRESS"]}, None, "is not one of"),
        (V2026, "searchOrders", {"includedData": ["CANCELLATION", "FULFILLMENT"]}, None, "more than once"),
        (V2026, "searchOrders", {"includedData": ["CANCELLATION,"]}, None, "is not one of|empty"),
        (V2026, "searchOrders", {"maxResultsPerPage": ["many"]}, None, "is not of type"),
        (V2026, "searchOrders", {"marketplaceIds": [",".join(f"A{n}" for n in range(51))]}, None, "more than 50"),
        (V2026, "getOrder", {}, {"orderId": "1"}, "there must be none"),
        ("ordersV0", "getOrders", {"LastUpdatedAfter": ["2026-11-20T12:00:00Z"]}, None, "MarketplaceIds: missing"),
        ("feeds_2021-06-30", "getFeeds", {"feedTypes": ["A"], "pageSize": ["101"]}, None, "greater than the maximum"),
        ("feeds_2021-06-30", "getFeeds", {"feedTypes": ["A"], "processingStatuses": ["READY"]}, None, "is not one of"),
        ("feeds_2021-06-30", "createFeedDocument", {}, {"contentType": "text/xml; charset=UTF-8"}, ""),
        ("feeds_2021-06-30", "createFeedDocument", {}, {"contentType": "text/xml", "name": "a"}, "Additional properties"),
        ("feeds_2021-06-30", "createFeed", {}, None, "body: missing"),
        ("feeds_2021-06-30", "createFeed", {}, {"feedType": "A", "marketplaceIds": [], "inputFeedDocumentId": "d"}, "less than 1"),
        ("notifications", "createSubscription", {}, SUBSCRIPTION, ""),
        ("notifications", "createSubscription", {}, changed(SUBSCRIPTION, ("destinationId",), None), "destinationId"),
        (
            "notifications",
            "createSubscription",
            {},
            {**SUBSCRIPTION, "processingDirective": {"eventFilter": {}}},
            "eventFilterType",
        ),
        (
            "notifications",
            "createSubscription",
            {},
            {**SUBSCRIPTION, "processingDirective": {"filter": {}}},
            "Additional properties",
        ),
    ],
)
def test_a_request_is_held_against_its_model(
    model: str, operation_id: str, query: Mapping[str, list[str]], body: object, told: str
) -> None:
    faults = check_request(model, operation_id, query, body)
    assert bool(faults) == bool(told)
    assert not told or any(part in faults[0] for part in told.split("|")), faults


@pytest.mark.parametrize(
    ("method", "path", "model", "operation_id"),
    [
        ("GET", "/orders/2026-01-01/orders/123-1234567-1234567", V2026, "getOrder"),
        ("GET", "/orders/2026-01-01/orders", V2026, "searchOrders"),
        ("GET", "/orders/v0/orders/123-1234567-1234567/orderItems", "ordersV0", "getOrderItems"),
        ("POST", "/feeds/2021-06-30/feeds", "feeds_2021-06-30", "createFeed"),
        ("DELETE", "/notifications/v1/destinations/d1", "notifications", "deleteDestination"),
    ],
)
def test_a_concrete_path_leads_to_its_operation(method: str, path: str, model: str, operation_id: str) -> None:
    found = operation_of(method, path)
    assert (found.model, found.id) == (model, operation_id)


def test_a_path_that_no_model_has_is_a_fault() -> None:
    path = "/orders/2026-01-01/orders/123-1234567-1234567/cancellation"
    assert check_exchange("PUT", path, {}, None, 202, None) == [f"no model has PUT {path}"]


def test_a_refused_request_is_not_judged_but_its_answer_is() -> None:
    refused = {"errors": [{"code": "InvalidInput", "message": "No."}]}
    assert check_exchange("GET", "/orders/v0/orders", {"Nonsense": ["1"]}, None, 400, refused) == []
    assert check_exchange("GET", "/orders/v0/orders", {"Nonsense": ["1"]}, None, 400, {"errors": [{}]})


@pytest.mark.parametrize("name", NOTIFICATIONS)
def test_a_notification_passes_and_fails_without_what_it_must_have(name: str) -> None:
    for value in read_model(f"notifications/{name}")["examples"]:
        assert check_notification(name, value) == []
        for field in value:
            assert check_notification(name, changed(value, (field,), None)), field


def test_the_flag_of_a_notification_is_a_boolean() -> None:
    value = read_model("notifications/OrderChangeNotification")["examples"][0]
    path = ("Payload", "OrderChangeNotification", "Summary", "OrderItems", 0, "IsBuyerRequestedCancel")
    assert check_notification("OrderChangeNotification", changed(value, path, "true"))


def test_a_performance_report_needs_its_metrics() -> None:
    report = read_model("accountHealthReport-2020-11-18")["examples"][0]
    assert any("performanceMetrics" in fault for fault in check_performance_report(changed(report, ("performanceMetrics",), None)))


def test_one_definition_can_be_asked_for() -> None:
    assert schema_of("ordersV0", "Money").is_valid({"CurrencyCode": "USD", "Amount": "1.00"})
    assert not schema_of("ordersV0", "Money").is_valid({"CurrencyCode": "USD", "Amount": 1.0})


def test_models_that_are_not_there_are_said_to_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MSGBOT_SHARED", str(tmp_path))
    with pytest.raises(AssertionError, match="set MSGBOT_SHARED"):
        models_folder()
