"""Answers saved to files (domain.md sections 2 and 3)."""

from __future__ import annotations

import codecs
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.amazon.order_files import read_order_file
from msgbot.amazon.saved_answers import SavedAnswer, read_saved
from msgbot.domain.order import OrderStatus, RequestKnowledge
from msgbot.errors import InputError
from tests.amazon.answers import (
    AS_OF,
    JSON,
    NO,
    READ,
    UNKNOWN,
    V0_ORDERS,
    V2026_ORDERS,
    YES,
    A,
    B,
    examples,
    mws_item,
    mws_items,
    v0_item,
    v0_items,
    v0_order,
    v2026_item,
    v2026_order,
)

TRUE = {"IsBuyerRequestedCancel": "true"}
BUYERS = {"cancellationRequest": {"requester": "BUYER"}}


def read(*answers: Any, data: bytes = b"") -> SavedAnswer:
    saved = read_saved(data or b"\n".join(json.dumps(answer).encode() for answer in answers), **READ)
    assert saved is not None
    return saved


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"payload": {"Orders": [v0_order()]}}, "getOrders (v0)"),
        ({"Orders": [v0_order()]}, "getOrders (v0)"),
        ({"payload": v0_order()}, "getOrder (v0)"),
        (v0_order(), "getOrder (v0)"),
        (v0_items(v0_item(TRUE)), "getOrderItems (v0)"),
        (v0_items(v0_item(TRUE))["payload"], "getOrderItems (v0)"),
        ({"orders": [v2026_order(v2026_item(BUYERS))]}, "searchOrders (2026-01-01)"),
        ({"order": v2026_order(v2026_item(BUYERS))}, "getOrder (2026-01-01)"),
    ],
)
def test_each_answer_alone(answer: Any, kind: str) -> None:
    text = json.dumps(answer, ensure_ascii=False, indent=1)
    for data in (text.encode(), codecs.BOM_UTF8 + text.encode(), text.encode("utf-16"), b"\n\n " + text.encode()):
        saved = read(data=data)
        assert (saved.kind, saved.answers, saved.flaws, saved.notes) == (kind, 1, (), ())
        [order] = saved.orders
        assert (order.id, order.source, order.as_of) == (A, "amazon", AS_OF)
        told = "Items" in kind or "2026" in kind
        assert [item.formal_request for item in order.items] == ([YES] if told else [])
        assert order.request_as_of == (AS_OF if told else None)


@pytest.mark.parametrize("join", [json.dumps, lambda answers: "\r\n".join(json.dumps(answer) for answer in answers)])
def test_headers_and_items_come_together(join: Any) -> None:
    headers = {"payload": {"Orders": [v0_order(), v0_order(B)], "NextToken": "n"}}
    for answers in ([headers, v0_items(v0_item(TRUE))], [v0_items(v0_item(TRUE)), headers]):
        saved = read(data=join(answers).encode())
        assert (saved.answers, saved.flaws) == (2, ())
        assert {order.id: (order.status, len(order.items)) for order in saved.orders} == {
            A: (OrderStatus.UNSHIPPED, 1),
            B: (OrderStatus.UNSHIPPED, 0),
        }
        assert next(order for order in saved.orders if order.id == A).request_as_of == AS_OF
        assert "of 1 of 2 orders it is unknown" in " ".join(saved.notes)


def test_pages_of_items_come_together() -> None:
    saved = read(v0_items(v0_item(TRUE), NextToken="n"), v0_items(v0_item(None, OrderItemId="2")))
    assert [(item.id, item.formal_request) for item in saved.orders[0].items] == [("1", YES), ("2", NO)]
    assert saved.notes == ()
    cut = read(v0_items(v0_item(TRUE), NextToken="n"))
    assert cut.notes == ("the last answer names a next page, which is not in this file",)


def test_the_later_of_two_answers_counts() -> None:
    old = v2026_order(v2026_item(BUYERS), lastUpdatedTime="2026-11-19T09:00:00Z")
    new = v2026_order(v2026_item(BUYERS), lastUpdatedTime="2026-11-19T10:00:00Z", status="CANCELLED")
    for answers in ([old, new], [new, old]):
        [order] = read({"orders": [answers[0]]}, {"orders": [answers[1]]}).orders
        assert (order.status, order.items[0].formal_request) == (OrderStatus.CANCELLED, YES)


def test_answers_that_contradict_each_other_leave_it_unknown() -> None:
    saved = read({"order": v2026_order(v2026_item(BUYERS))}, {"order": v2026_order(v2026_item({}))})
    assert (saved.orders[0].items[0].formal_request, saved.orders[0].request_as_of) == (UNKNOWN, None)
    assert "contradict each other" in saved.notes[0]


def poll(hour: int, flag: Any, item: str = "1", **changes: Any) -> dict[str, Any]:
    """A saved answer of `getOrder` whose order was last updated at this hour."""
    items = v2026_item({"cancellationRequest": flag} if flag else {}, orderItemId=item)
    return {"order": v2026_order(items, lastUpdatedTime=f"2026-11-19T{hour:02}:00:00Z", **changes)}


ASKED = {"requester": "BUYER", "cancelReason": "Late"}


@pytest.mark.parametrize(
    ("polls", "flag", "filed"),
    [
        # the request is filed between two polls, and taken back between two
        ([poll(9, None), poll(10, ASKED)], YES, [(9, NO)]),
        ([poll(9, ASKED), poll(10, None)], NO, [(9, YES)]),
        ([poll(10, ASKED), poll(9, None)], YES, [(9, NO)]),
        ([poll(9, None), poll(10, ASKED), poll(11, ASKED)], YES, [(9, NO), (10, YES)]),
        ([poll(9, ASKED), poll(10, None), poll(11, ASKED)], YES, [(9, YES), (10, NO)]),
        ([poll(9, ASKED), poll(10, ASKED), poll(11, None)], NO, [(9, YES), (10, YES)]),
        ([poll(9, ASKED), poll(10, None, status="SHIPPED")], NO, [(9, YES)]),
        ([{"orders": [poll(9, None)["order"], poll(10, ASKED)["order"]]}], YES, [(9, NO)]),
        ([{"orders": [poll(10, None)["order"], poll(9, ASKED)["order"]]}], NO, [(9, YES)]),
        # nothing is contradicted
        ([poll(9, ASKED), poll(10, ASKED)], YES, []),
        ([poll(9, ASKED), poll(10, {"requester": "?"})], YES, []),
        ([poll(9, None), poll(9, None)], NO, []),
        # nobody can tell which is newer
        ([poll(9, ASKED), poll(9, None)], UNKNOWN, [(20, YES), (20, NO)]),
        ([poll(9, None), poll(9, ASKED)], UNKNOWN, [(20, YES), (20, NO)]),
        ([poll(8, None), poll(9, None), poll(9, ASKED), poll(9, ASKED)], UNKNOWN, [(8, NO), (20, YES), (20, NO)]),
        ([v0_items(v0_item(TRUE)), v0_items(v0_item())], UNKNOWN, [(20, YES), (20, NO)]),
        ([v0_items(v0_item()), v0_items(v0_item(TRUE))], UNKNOWN, [(20, YES), (20, NO)]),
        ([poll(9, None), v0_items(v0_item(TRUE)), poll(10, None)], UNKNOWN, [(9, NO), (20, YES), (20, NO)]),
    ],
)
def test_a_log_of_polls_tells_of_requests_filed_and_taken_back(
    polls: list[Any], flag: RequestKnowledge, filed: list[tuple[int, RequestKnowledge]]
) -> None:
    saved = read(polls)
    [order] = saved.orders
    [item] = order.items
    assert (item.formal_request, order.request_as_of) == (flag, None if flag is UNKNOWN else AS_OF)
    assert item.cancel_reason == ("Late" if flag is YES else "")
    told = [(reading.as_of, reading.items[0].formal_request) for reading in saved.contradicted]
    assert [word for _, word in told] == [word for _, word in filed]
    for (moment, word), (hour, _) in zip(told, filed, strict=True):
        # 20 is the time of the file: the yes just before, so that the no is newer.
        then = AS_OF if hour == 20 else AS_OF.replace(day=19, hour=hour)
        assert moment == (then - timedelta(microseconds=1) if (hour, word) == (20, YES) else then)
    assert any("contradict each other" in note for note in saved.notes) is (flag is UNKNOWN)


def test_each_item_of_a_log_is_judged_by_itself() -> None:
    saved = read([poll(9, ASKED), poll(10, None, "2"), poll(10, ASKED, "2"), poll(11, ASKED)])
    assert [(item.id, item.formal_request) for item in saved.orders[0].items] == [("1", YES), ("2", UNKNOWN)]
    assert [[(item.id, item.formal_request) for item in each.items] for each in saved.contradicted[-2:]] == [
        [("2", YES)],
        [("2", NO)],
    ]


def test_an_answer_that_perhaps_was_not_asked_for_requests_is_never_a_no() -> None:
    saved = read({"orders": [v2026_order(v2026_item()), v2026_order(v2026_item(BUYERS), v2026_item(orderItemId="2"), order=B)]})
    flags = [[item.formal_request for item in order.items] for order in saved.orders]
    assert flags == [[UNKNOWN], [YES, NO]]
    assert saved.notes == ("of 1 of 2 orders it is unknown whether their buyers filed formal requests: the answers do not tell",)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b'{"payload": {"Orders": [\n {"AmazonOrderId": "902-18', "amazon:2:20: the JSON ends here in the middle"),
        (b'{"payload":\n {"Orders": [', "amazon:2:14: the JSON ends here in the middle"),
        (b'{"payload":\n x}', "amazon:2:2: this is not JSON: Expecting value"),
        (b'{"orders": []}\n{"orders": [}', "amazon:2:13: this is not JSON: Expecting value"),
        (b"[]", "amazon:1:1: the JSON holds nothing"),
        (b"[1]", "amazon:1:1: the answer is a number, expected an object"),
        (b"{}", "amazon:1:1: this is JSON, but none of the answers that msgbot reads"),
        (b'{"payload": {"shoes": 2}}', "amazon:1:1: this is JSON, but none of the answers that msgbot reads"),
        (b"[" * 100_000, "amazon:1:1: the JSON that begins here cannot be read: nested too deeply"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "amazon:1:1: the JSON that begins here cannot be read"),
        (b'{"a": NaN}', "NaN is no number in JSON"),
        (
            b'{"errors": [{"code": "Unauthorized", "message": "Access to requested resource is denied.", "details": ""}]}',
            "amazon:1:1: this is an error that Amazon answered with, and holds no orders: Unauthorized: Access to requested",
        ),
        (b"<ListOrdersResponse>", "amazon:1:21: this is not XML, or cut off"),
        (b"<feed/>", "expected an MWS answer"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(data: bytes, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read_saved(data, **READ)
    assert fault in str(caught.value)


def test_answers_that_tell_of_the_buyer_only_are_not_taken_for_items_without_a_flag() -> None:
    for answer in examples("ordersV0", f"{V0_ORDERS}/{{orderId}}/orderItems/buyerInfo"):
        with pytest.raises(InputError, match=r"is missing|none of the answers"):
            read(answer)


def test_one_answer_among_several_that_cannot_be_read_is_a_flaw() -> None:
    saved = read([v0_items(v0_item(TRUE)), {"errors": [{"code": "QuotaExceeded", "message": "slow down"}]}, 7])
    assert [order.id for order in saved.orders] == [A]
    assert saved.flaws == (
        "answer 2: this is an error that Amazon answered with, and holds no orders: QuotaExceeded: slow down",
        "answer 3: the answer is a number, expected an object",
    )


@pytest.mark.parametrize("data", [b"", b"order-id\tsku\n", b"\xff\xfe", b"PK\x03\x04", b"<html>", b"<!DOCTYPE html><p>", b"a {"])
def test_other_files_are_left_to_other_readers(data: bytes) -> None:
    assert read_saved(data, **READ) is None


def test_xml_is_read_as_mws() -> None:
    saved = read(data=mws_items(mws_item("<IsBuyerRequestedCancel>true</IsBuyerRequestedCancel>")))
    assert (saved.kind, saved.answers) == ("ListOrderItems (MWS)", 1)
    assert saved.orders[0].items[0].formal_request is YES


def test_every_example_of_amazons_own_models_in_one_file() -> None:
    answers = [
        *examples("ordersV0", V0_ORDERS),
        *examples("ordersV0", f"{V0_ORDERS}/{{orderId}}"),
        *examples("ordersV0", f"{V0_ORDERS}/{{orderId}}/orderItems"),
        *examples("orders_2026-01-01", V2026_ORDERS),
        *examples("orders_2026-01-01", f"{V2026_ORDERS}/{{orderId}}"),
    ]
    saved = read(answers)
    assert (saved.answers, saved.flaws) == (len(answers), ())
    assert len({order.id for order in saved.orders}) == len(saved.orders) > 8
    assert next(order for order in saved.orders if order.id == A).items[0].formal_request is YES


def test_a_file_of_either_kind_is_read_into_one_value() -> None:
    def file(data: bytes) -> Any:
        return read_order_file(data, account="shop", source="f", as_of=AS_OF)

    saved = file(json.dumps({"orders": [v2026_order(v2026_item()), {}]}).encode())
    assert (saved.part, saved.parts, len(saved.orders), saved.tells_of_requests) == ("answer", 1, 1, False)
    assert [(each.line, each.reason) for each in saved.skipped] == [(0, "orders[1].orderItems is missing")]
    report = file(f"order-id\torder-item-id\tis-buyer-requested-cancellation\r\n{A}\t1\ttrue\r\n".encode())
    assert (report.part, report.parts, len(report.orders), report.tells_of_requests) == ("row", 1, 1, True)
    assert report.details["family"] == "shipping"
    with pytest.raises(InputError, match="a web page"):
        file(b"<html>")


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()) | st.binary().map(lambda data: b'{"orders": [' + data))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        saved = read_saved(data, account="a", source="s", as_of=datetime.fromisoformat("2026-01-01T00:00Z"))
    except InputError:
        return
    assert saved is None or all(item.formal_request is not YES for order in saved.orders for item in order.items)
