"""MWS answers in old archives (domain.md section 2)."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.amazon.mws_orders import MwsAnswer, read_mws_answer
from msgbot.amazon.order_page import OrderPage
from msgbot.domain.order import Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.errors import InputError
from tests.amazon.answers import AS_OF, NO, UNKNOWN, YES, A, B, mws, mws_item, mws_items

ORDER = (
    f"<Order><AmazonOrderId>{A}</AmazonOrderId><PurchaseDate>2016-11-19T08:00:00Z</PurchaseDate>"
    "<LastUpdateDate>2016-11-19T09:00:00Z</LastUpdateDate><OrderStatus>PartiallyShipped</OrderStatus>"
    "<FulfillmentChannel>MFN</FulfillmentChannel><SalesChannel>Amazon.de</SalesChannel><BuyerName>SECRET</BuyerName>"
    "<LatestShipDate>2016-11-22T22:59:59Z</LatestShipDate></Order>"
)


def read(data: bytes) -> MwsAnswer:
    return read_mws_answer(data, account="shop", source="old.xml", as_of=AS_OF)


def flag(inside: str) -> str:
    return f"<IsBuyerRequestedCancel>{inside}</IsBuyerRequestedCancel>"


def nested(inside: str) -> str:
    return f"<BuyerRequestedCancel>{inside}</BuyerRequestedCancel>"


@pytest.mark.parametrize("operation", ["ListOrders", "ListOrdersByNextToken", "GetOrder"])
@pytest.mark.parametrize("namespace", ["", "https://mws.amazonservices.com/Orders/2013-09-01", "urn:other"])
def test_headers_tell_of_no_formal_request(operation: str, namespace: str) -> None:
    inside = f"<NextToken>n</NextToken><LastUpdatedBefore>2016-11-20T00:00:00Z</LastUpdatedBefore><Orders>{ORDER}</Orders>"
    order = Order(
        account="shop",
        id=A,
        status=OrderStatus.PARTLY_SHIPPED,
        fulfilment=Fulfilment.SELLER,
        as_of=AS_OF,
        source="old.xml",
        marketplace="A1PA6795UKMFR9",
        purchased_at=datetime(2016, 11, 19, 8, tzinfo=UTC),
        ship_by=datetime(2016, 11, 22, 22, 59, 59, tzinfo=UTC),
        updated_at=datetime(2016, 11, 19, 9, tzinfo=UTC),
    )
    answer = read(mws(operation, inside, namespace))
    assert answer == MwsAnswer(operation, OrderPage((order,), "n", datetime(2016, 11, 20, tzinfo=UTC)))
    assert "SECRET" not in repr(answer)


def test_items_come_without_a_status() -> None:
    reason = "<BuyerCancelReason>Too late</BuyerCancelReason>"
    answer = read(mws_items(mws_item(nested(flag("true") + reason)), mws_item(flag("false"), "2")))
    first = OrderItem("1", "MUG-4", "B0TEST0001", "", 2, YES, "Too late", quantity_shipped=0)
    second = OrderItem("2", "MUG-4", "B0TEST0001", "", 2, NO, quantity_shipped=0)
    order = Order("shop", A, OrderStatus.UNKNOWN, Fulfilment.UNKNOWN, AS_OF, "old.xml", items=(first, second), request_as_of=AS_OF)
    assert answer == MwsAnswer("ListOrderItems", OrderPage((order,)))


@pytest.mark.parametrize("put", [flag, lambda inside: nested(flag(inside))])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", YES),
        ("TRUE", YES),
        (" true\n", YES),
        ("1", YES),
        ("false", NO),
        ("0", NO),
        ("", NO),
        ("yes", UNKNOWN),
        ("2", UNKNOWN),
        ("truefalse", UNKNOWN),
        ("<x>true</x>", NO),
    ],
)
def test_the_flag_in_every_form_and_either_place(put: object, text: str, expected: RequestKnowledge) -> None:
    assert callable(put)
    page = read(mws_items(mws_item(put(text)))).page
    assert page.orders[0].items[0].formal_request is expected
    assert (page.orders[0].request_as_of is None) == (expected is UNKNOWN) == bool(page.notes)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", NO),
        ("<BuyerRequestedCancel/>", NO),
        (nested("true"), YES),
        (flag("true") + nested(flag("true")), YES),
        (flag("true") + "<BuyerRequestedCancel/>", YES),
        (flag("true") + nested(flag("false")), UNKNOWN),
        (flag("false") + nested("true"), UNKNOWN),
        # an empty element says nothing where another one speaks
        (flag("") + nested(flag("true")), YES),
        ("<IsBuyerRequestedCancel/>" + nested(flag("true") + "<BuyerCancelReason>Late</BuyerCancelReason>"), YES),
        (flag(" \n ") + nested("true"), YES),
        (flag("true") + nested(flag("")), YES),
        (flag("true") + nested("<IsBuyerRequestedCancel/><BuyerCancelReason/>"), YES),
        (flag("false") + nested(flag("")), NO),
        (flag("") + nested(flag("false")), NO),
        (flag("") + nested(flag("")), NO),
        (flag("") + nested("<BuyerCancelReason>a reason is no request</BuyerCancelReason>"), NO),
        ("<IsBuyerRequestedCancel xmlns:x='urn:x' x:nil='true'/>" + nested(flag("1")), YES),
        (flag("") + nested(flag("maybe")), UNKNOWN),
        (flag("maybe") + nested(flag("true")), UNKNOWN),
    ],
)
def test_places_that_contradict_each_other_leave_it_unknown(flags: str, expected: RequestKnowledge) -> None:
    assert read(mws_items(mws_item(flags))).page.orders[0].items[0].formal_request is expected


ITEMS = mws_items(mws_item(flag("true") + "<Title>Tasse äöü 商品</Title>"))
PLAIN = mws_items(mws_item(flag("true") + "<Title>Tasse</Title>"))


def declared(charset: str, text: bytes = ITEMS) -> str:
    return text.decode().replace('version="1.0"', f'version="1.0" encoding="{charset}"')


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + ITEMS,
        ITEMS.decode().encode("utf-16"),
        declared("UTF-16").encode("utf-16-le"),
        declared("UTF-16").encode("utf-16-be"),
        declared("UTF-16").encode(),  # saved anew in another charset than it says
        declared("UTF-8").encode(),
        declared("klingon").encode(),
        b"\r\n" + declared("Shift_JIS").replace("äöü", "").encode("cp932").lstrip(),
        ITEMS.removeprefix(b'<?xml version="1.0"?>\n'),
    ],
)
def test_charsets(data: bytes) -> None:
    if data.startswith(b"\r\n"):
        data = data.lstrip()
    [item] = read(data).page.orders[0].items
    assert item.formal_request is YES
    assert item.title.endswith("商品")


def test_western_charsets_that_are_declared() -> None:
    data = declared("ISO-8859-1", PLAIN).replace("Tasse", "Tässe").encode("latin-1")
    assert read(data).page.orders[0].items[0].title == "Tässe"


BOMB = b'<!DOCTYPE z [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>'


@pytest.mark.parametrize(
    "dtd",
    [
        BOMB,
        b"<!DOCTYPE ListOrderItemsResponse>",
        b'<!DOCTYPE x SYSTEM "http://example.com/x.dtd">',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    ],
)
def test_entities_and_document_types_are_refused(dtd: bytes) -> None:
    data = ITEMS.replace(b'<?xml version="1.0"?>', b'<?xml version="1.0"?>' + dtd)
    with pytest.raises(InputError, match=r"^old\.xml:1:1: the XML has a document type \(DTD\) or defines entities: refused"):
        read(data)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "old.xml:1:1: this is not XML, or cut off"),
        (ITEMS[:-30], "old.xml:2:"),
        (b"<rss/>", "this is XML that begins with <rss>; expected an MWS answer"),
        (b"<ListOrdersResponse/>", "ListOrdersResult is missing"),
        (mws("ListOrders", ""), "Orders is missing"),
        (mws("ListOrderItems", f"<AmazonOrderId>{A}</AmazonOrderId>"), "OrderItems is missing"),
        (mws_items(mws_item(), order="1"), 'AmazonOrderId: "1" is not an order id'),
        (mws_items("<OrderItem/>"), "OrderItems[0].OrderItemId is missing"),
        (
            b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>No</Message></Error></ErrorResponse>",
            "this is an error that Amazon answered with, and holds no orders: AccessDenied: No",
        ),
    ],
)
def test_what_is_no_answer_is_refused(data: bytes, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read(data)
    assert fault in str(caught.value)


def test_an_order_that_cannot_be_read_does_not_keep_the_others_out() -> None:
    broken = "<Order><AmazonOrderId>1</AmazonOrderId></Order>" + f"<Order><AmazonOrderId>{B}</AmazonOrderId></Order>"
    page = read(mws("ListOrders", f"<Orders>{broken}{ORDER}</Orders>")).page
    assert [order.id for order in page.orders] == [A]
    assert page.flaws == (
        'Orders[0].AmazonOrderId: "1" is not an order id like 123-1234567-1234567',
        "Orders[1].OrderStatus is missing",
    )


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda text: mws("ListOrders", text)))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read(data)


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=8))
def test_only_an_explicit_true_is_yes(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    [item] = read(mws_items(mws_item(nested(flag(escaped))))).page.orders[0].items
    assert (item.formal_request is YES) == (text.strip().lower() in {"true", "1"})
