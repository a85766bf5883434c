"""`msgbot orders import` with every kind of file, as its users meet it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.amazon.answers import A, B, mws, mws_item, mws_items, v0_item, v0_items, v0_order, v2026_item, v2026_order
from tests.mails import relay_mail, unshipped_report
from tests.test_cli import msgbot

C = "902-0000003-0000003"
BUYERS = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Ordered by mistake"}}
TRUE = "<BuyerRequestedCancel><IsBuyerRequestedCancel>true</IsBuyerRequestedCancel></BuyerRequestedCancel>"


def imported(*names: str, code: int = 0) -> list[dict[str, Any]]:
    printed = msgbot("orders", "import", *names, "--format", "json", code=code)
    reports: list[dict[str, Any]] = json.loads(printed[: printed.rindex("}") + 1])["reports"]
    return reports


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """One file of each kind in the current folder."""
    header = f"<AmazonOrderId>{A}</AmazonOrderId><OrderStatus>Unshipped</OrderStatus><FulfillmentChannel>MFN</FulfillmentChannel>"
    (tmp_path / "headers.xml").write_bytes(mws("ListOrders", f"<Orders><Order>{header}</Order></Orders>"))
    (tmp_path / "items.xml").write_bytes(mws_items(mws_item(TRUE)))
    (tmp_path / "v0.jsonl").write_text(
        json.dumps({"payload": {"Orders": [v0_order(B)]}}) + "\n" + json.dumps(v0_items(v0_item("false"), order=B)) + "\n"
    )
    (tmp_path / "v2026.json").write_text(json.dumps({"orders": [v2026_order(v2026_item(BUYERS), order=C)]}, indent=2))
    (tmp_path / "orders.txt").write_bytes(unshipped_report(("902-0000004-0000004", "1", "FALSE")))
    return tmp_path


def test_all_kinds_of_files_go_on_file_in_one_command(files: Path) -> None:
    headers, items, v0, v2026, report = imported("headers.xml", "items.xml", "v0.jsonl", "v2026.json", "orders.txt")
    told = ("kind", "answers", "orders", "new", "formal_requests", "tells_of_formal_requests", "skipped")
    assert [[each[name] for name in told] for each in (headers, items, v0, v2026)] == [
        ["ListOrders (MWS)", 1, 1, 1, [], False, []],
        ["ListOrderItems (MWS)", 1, 1, 0, [A], True, []],
        ["getOrders (v0), getOrderItems (v0)", 2, 1, 1, [], True, []],
        ["searchOrders (2026-01-01)", 1, 1, 1, [C], True, []],
    ]
    assert (report["rows"], report["family"], report["has_formal_request_column"]) == (1, "shipping", True)
    again = imported("headers.xml", "items.xml", "v0.jsonl", "v2026.json")
    assert all(each["new"] == 0 and each["formal_requests"] == [] for each in again)


def test_headers_and_items_from_old_archives_support_a_cancellation_together(files: Path) -> None:
    imported("headers.xml")
    assert "unknown" in msgbot("cancel", A, "--reason", "BuyerCanceled", code=1)
    imported("items.xml")
    assert "formal_request" in msgbot("cancel", A, "--reason", "BuyerCanceled")


def test_a_text_false_supports_none_and_unknown_is_not_no(files: Path) -> None:
    (files / "unasked.json").write_text(json.dumps({"order": v2026_order(v2026_item())}))
    imported("v0.jsonl", "unasked.json")
    assert "wrong_reason" in msgbot("cancel", B, "--reason", "BuyerCanceled", code=1)
    assert "request_unknown" in msgbot("cancel", A, "--reason", "BuyerCanceled", code=1)


def test_pages_of_items_in_several_files_make_one_order(files: Path) -> None:
    (files / "page2.xml").write_bytes(mws_items(mws_item("", "2")).replace(b"ListOrderItems", b"ListOrderItemsByNextToken"))
    imported("headers.xml", "items.xml", "page2.xml")
    assert "partly_requested" in msgbot("cancel", A, "--reason", "BuyerCanceled", code=1)
    assert "formal_request" in msgbot("cancel", A, "--reason", "BuyerCanceled", "--item", "1")


@pytest.mark.parametrize(
    ("polls", "denied", "code"),
    [
        ([{}, BUYERS], [], 0),
        ([BUYERS, {}], [A], 1),
        ([BUYERS, {}, BUYERS], [], 0),
        ([{}, BUYERS, {}], [A], 1),
    ],
)
def test_a_request_in_a_log_of_polls_is_on_file_whatever_was_said_before_and_after(
    files: Path, polls: list[Any], denied: list[str], code: int
) -> None:
    orders = [v2026_order(v2026_item(each), lastUpdatedTime=f"2026-11-19T1{hour}:00:00Z") for hour, each in enumerate(polls)]
    (files / "log.jsonl").write_text("\n".join(json.dumps({"order": each}) for each in orders))
    [log] = imported("log.jsonl")
    assert (log["formal_requests"], log["formal_requests_denied"]) == ([A], denied)
    assert ("denied" in msgbot("cancel", A, "--reason", "BuyerCanceled", code=code)) is bool(denied)
    # read once more it changes nothing
    [again] = imported("log.jsonl")
    assert (again["formal_requests"], again["formal_requests_denied"], again["formal_requests_confirmed"]) == ([], [], [])


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("is-buyer-requested-cancelation\tis-buyer-requested-cancellation", ["true\tfalse"]),
        ("is-buyer-requested-cancellation\tis-buyer-requested-cancelation", ["maybe\tTRUE"]),
        ("is-buyer-requested-cancellation", ["false", "true"]),
        ("is-buyer-requested-cancellation", ["true", "false"]),
    ],
)
def test_a_request_that_the_same_report_denies_is_on_file_and_not_relied_on(files: Path, header: str, rows: list[str]) -> None:
    lines = "".join(f"{A}\t1\t1\t0\t{row}\n" for row in rows)
    (files / "odd.txt").write_text(f"order-id\torder-item-id\tquantity-purchased\tquantity-shipped\t{header}\n{lines}")
    [odd] = imported("odd.txt")
    assert (odd["formal_requests"], odd["formal_requests_denied"]) == ([A], [A])
    assert any("neither true nor false" in note or "a second time" in note for note in odd["notes"])
    msgbot("cancel", A, "--reason", "BuyerCanceled", code=1)
    [again] = imported("odd.txt")
    assert (again["formal_requests"], again["formal_requests_denied"], again["formal_requests_confirmed"]) == ([], [], [])


def test_what_was_read_is_told_to_people(files: Path) -> None:
    (files / "flawed.json").write_text(json.dumps({"orders": [v2026_order(v2026_item()), {"orderItems": []}]}))
    printed = msgbot("orders", "import", "v2026.json", "headers.xml", "flawed.json", code=1)
    text = " ".join(printed.split())
    assert "v2026.json: 1 answer, 1 order; searchOrders (2026-01-01) 1 new" in text
    assert "formal requests: 1 new" in text
    assert "headers.xml: 1 answer, 1 order; ListOrders (MWS)" in text
    assert "nothing is said of formal requests: whether a buyer filed one is unknown" in text
    assert "skipped orders[1].orderId is missing" in text


def test_files_that_cannot_be_read_do_not_keep_the_others_out(files: Path) -> None:
    (files / "bomb.xml").write_bytes(b'<!DOCTYPE z [<!ENTITY a "aaaa">]>' + mws_items(mws_item(TRUE)).partition(b"\n")[2])
    (files / "cut.json").write_bytes((files / "v2026.json").read_bytes()[:100])
    (files / "error.json").write_text('{"errors": [{"code": "Unauthorized", "message": "Access denied."}]}')
    (files / "page.html").write_text("<!DOCTYPE html><title>Sign in</title>")
    bomb, cut, error, page, good = imported("bomb.xml", "cut.json", "error.json", "page.html", "v2026.json", code=1)
    assert "refused" in bomb["error"]
    assert "was the file cut off?" in cut["error"]
    assert cut["error"].startswith("cut.json:")
    assert "Unauthorized: Access denied." in error["error"]
    assert "a web page" in page["error"]
    assert good["new"] == 1


def test_answer_takes_saved_answers_too(files: Path) -> None:
    (files / "one.eml").write_bytes(relay_mail("Please cancel my order."))
    told = json.loads(msgbot("answer", "one.eml", "--orders", "v0.jsonl", "--format", "json"))
    assert told["orders"] == [{"answers": 2, "orders": 1, "skipped": 0}]
