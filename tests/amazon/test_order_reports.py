"""Order reports, bytes in and orders out (domain.md sections 2, 5 and 9)."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.amazon.flat_files import decode
from msgbot.amazon.order_reports import OrderReport, ReportFamily, SkippedRow, read_order_report
from msgbot.domain.order import Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.errors import InputError

AS_OF = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
A, B = "302-1234567-1234567", "302-7654321-7654321"
YES, NO, UNKNOWN = RequestKnowledge.YES, RequestKnowledge.NO, RequestKnowledge.UNKNOWN

# section 5: a real header of a US report from 2025
US_HEADER = (
    "order-id order-item-id purchase-date payments-date reporting-date promise-date days-past-promise buyer-email buyer-name "
    "cpf buyer-phone-number sku number-of-items product-name quantity-purchased quantity-shipped quantity-to-ship "
    "ship-service-level ship-service-name recipient-name ship-address-1 ship-address-2 ship-address-3 ship-city ship-state "
    "ship-postal-code ship-country sales-channel customized-url customized-page is-business-order purchase-order-number "
    "price-designation is-prime is-buyer-requested-cancellation buyer-requested-cancel-reason verge-of-cancellation "
    "verge-of-lateShipment signature-confirmation-recommended buyer-identification-number buyer-identification-type"
)
ALL_ORDERS_HEADER = (
    "amazon-order-id merchant-order-id purchase-date last-updated-date order-status fulfillment-channel sales-channel "
    "ship-service-level product-name sku asin item-status quantity currency item-price"
)


def read(data: bytes | str, charset: str | None = None) -> OrderReport:
    raw = data.encode() if isinstance(data, str) else data
    return read_order_report(raw, account="shop", source="orders.txt", as_of=AS_OF, charset=charset)


def table(header: str, *rows: dict[str, str]) -> str:
    """A report as Amazon writes it; columns that a row does not name are empty."""
    names = header.split()
    return "".join("\t".join(cells) + "\r\n" for cells in [names, *([row.get(name, "") for name in names] for row in rows)])


def only(report: OrderReport) -> Order:
    (order,) = report.orders
    return order


def flags(report: OrderReport) -> list[RequestKnowledge]:
    return [item.formal_request for order in report.orders for item in order.items]


# --- a whole report of each family


def test_a_us_report_of_unshipped_orders() -> None:
    row = {
        "order-id": A,
        "order-item-id": "140273890772121",
        "purchase-date": "2026-11-19T12:02:50+00:00",
        "promise-date": "2026-11-21T06:59:59-07:00",
        "sku": "MUG-4",
        "product-name": 'Screen 24" wide',  # a lone quote is a plain character
        "quantity-purchased": "2",
        "quantity-shipped": "0",
        "quantity-to-ship": "2",
        "sales-channel": "Amazon.com",
        "is-buyer-requested-cancellation": "true",
        "buyer-requested-cancel-reason": "Ordered by mistake",
    }
    report = read(table(US_HEADER, row))
    assert report == OrderReport(
        orders=(
            Order(
                account="shop",
                id=A,
                status=OrderStatus.UNSHIPPED,
                fulfilment=Fulfilment.SELLER,
                as_of=AS_OF,
                source="orders.txt",
                items=(
                    OrderItem(
                        id="140273890772121",
                        sku="MUG-4",
                        title='Screen 24" wide',
                        quantity=2,
                        formal_request=RequestKnowledge.YES,
                        cancel_reason="Ordered by mistake",
                    ),
                ),
                marketplace="ATVPDKIKX0DER",
                purchased_at=datetime(2026, 11, 19, 12, 2, 50, tzinfo=UTC),
                ship_by=datetime(2026, 11, 21, 13, 59, 59, tzinfo=UTC),
                request_as_of=AS_OF,
            ),
        ),
        family=ReportFamily.SHIPPING,
        rows=1,
        skipped=(),
        has_formal_request_column=True,
        has_status=True,
        unknown_columns=(),
        charset="utf-8",
        notes=(),
    )


def test_an_all_orders_report_has_no_item_ids_and_no_flag() -> None:
    row = {
        "amazon-order-id": A,
        "merchant-order-id": "M-1",
        "purchase-date": "2026-11-19T12:02:50Z",
        "last-updated-date": "2026-11-19T13:00:00Z",
        "order-status": "Unshipped",
        "fulfillment-channel": "Merchant",
        "sales-channel": "Amazon.de",
        "product-name": "Becher",
        "sku": "MUG-4",
        "asin": "B0TEST0001",
        "item-status": "Unshipped",
        "quantity": "3",
    }
    report = read(table(ALL_ORDERS_HEADER, row))
    assert (report.family, report.has_formal_request_column, report.has_status) == (ReportFamily.ALL_ORDERS, False, True)
    assert report.unknown_columns == ()
    assert report.notes == (
        "the column is-buyer-requested-cancellation is missing: it is unknown whether buyers filed formal requests",
    )
    order = only(report)
    assert (order.id, order.status, order.fulfilment) == (A, OrderStatus.UNSHIPPED, Fulfilment.SELLER)
    assert (order.marketplace, order.ship_by) == ("A1PA6795UKMFR9", None)
    assert order.updated_at == datetime(2026, 11, 19, 13, 0, tzinfo=UTC)
    assert order.items == (OrderItem(id="", sku="MUG-4", asin="B0TEST0001", title="Becher", quantity=3),)
    assert order.items[0].formal_request is RequestKnowledge.UNKNOWN


# --- the flag (section 2; section 9, points 2 and 3)


@pytest.mark.parametrize(
    ("cell", "request_"),
    [
        ("TRUE", RequestKnowledge.YES),
        ("true", RequestKnowledge.YES),
        ("Yes", RequestKnowledge.YES),
        ("1", RequestKnowledge.YES),
        (" true ", RequestKnowledge.YES),  # trimmed
        ("FALSE", RequestKnowledge.NO),
        ("false", RequestKnowledge.NO),  # the string that is true in careless code
        ("No", RequestKnowledge.NO),
        ("0", RequestKnowledge.NO),
        ("", RequestKnowledge.NO),  # empty: no request
        ("WAHR", RequestKnowledge.UNKNOWN),  # what a German Excel makes of true
        ("2026-11-19", RequestKnowledge.UNKNOWN),  # a shifted cell
        ("true false", RequestKnowledge.UNKNOWN),
    ],
)
@pytest.mark.parametrize("column", ["is-buyer-requested-cancellation", "is-buyer-requested-cancelation"])
def test_the_flag_in_either_spelling_of_its_column(cell: str, request_: RequestKnowledge, column: str) -> None:
    report = read(f"order-id\t{column}\tsku\n{A}\t{cell}\tx\n")
    assert report.has_formal_request_column
    assert flags(report) == [request_]
    noted = any("neither true nor false" in note and note.startswith("line 2: ") for note in report.notes)
    assert noted is (request_ is RequestKnowledge.UNKNOWN)


def test_requests_are_known_only_where_those_of_all_items_are() -> None:
    rows = f"{A}\t11\tfalse\n{A}\t12\tmaybe\n{B}\t13\tfalse\n"
    report = read(f"order-id\torder-item-id\tis-buyer-requested-cancellation\n{rows}")
    assert [order.request_as_of for order in report.orders] == [None, AS_OF]


@pytest.mark.parametrize(
    ("one", "two", "request_", "filed"),
    [
        ("true", "TRUE", YES, []),
        ("true", "1", YES, []),
        ("true", "", YES, []),
        ("", "true", YES, []),
        (" ", "Yes", YES, []),
        ("", "", NO, []),
        ("false", "", NO, []),
        ("", "FALSE", NO, []),
        ("no", "false", NO, []),
        # what contradicts itself is unknown, and the yes is on file all the same
        ("true", "false", UNKNOWN, [YES, NO]),
        ("false", "true", UNKNOWN, [YES, NO]),
        ("maybe", "true", UNKNOWN, [YES, NO]),
        ("maybe", "", UNKNOWN, []),
        ("maybe", "false", UNKNOWN, []),
    ],
)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("is-buyer-requested-cancelation", "is-buyer-requested-cancellation"),
        ("is-buyer-requested-cancellation", "is-buyer-requested-cancelation"),
        ("is-buyer-requested-cancellation", "Is Buyer_Requested Cancellation"),
    ],
)
def test_both_spellings_in_one_header_are_read(
    first: str, second: str, one: str, two: str, request_: RequestKnowledge, filed: list[RequestKnowledge]
) -> None:
    report = read(f"order-id\torder-item-id\t{first}\tsku\t{second}\n{A}\t11\t{one}\tx\t{two}\n{B}\t12\tfalse\n")
    assert flags(report) == [request_, NO]
    assert [order.request_as_of for order in report.orders] == [None if request_ is UNKNOWN else AS_OF, AS_OF]
    assert any("neither true nor false" in note and note.startswith("line 2: ") for note in report.notes) is (request_ is UNKNOWN)
    assert [(order.id, order.items[0].formal_request, order.status) for order in report.contradicted] == [
        (A, flag, OrderStatus.UNKNOWN) for flag in filed
    ]


@pytest.mark.parametrize(
    ("rows", "filed"),
    [
        (["11 1 false", "11 1 true"], [[("11", YES, "Late")], [("11", NO, "")]]),
        (["11 1 true", "11 1 false"], [[("11", YES, "Late")], [("11", NO, "")]]),
        (["11 1 true", "11 1 true", "11 1 maybe"], [[("11", YES, "Late")], [("11", NO, "")]]),
        # the rows differ in something else: nobody denies the request
        (["11 1 true", "11 2 true"], [[("11", YES, "Late")]]),
        (["11 1 true", "12 1 false", "12 2 false"], [[("11", YES, "Late"), ("12", UNKNOWN, "")]]),
        (
            ["11 1 true", "12 1 false", "12 1 true"],
            [[("11", YES, "Late"), ("12", YES, "Late")], [("12", NO, "")]],
        ),
        (["11 1 false", "11 2 false"], []),
        (["11 1 maybe", "12 1 true"], []),
        (["11 1 true", "12 1 false"], []),
    ],
)
def test_a_request_that_another_row_contradicts_is_not_lost(
    rows: list[str], filed: list[list[tuple[str, RequestKnowledge, str]]]
) -> None:
    lines = "".join(f"{A}\t" + "\t".join(row.split()) + ("\tLate" if "true" in row else "") + "\n" for row in rows)
    header = "order-id\torder-item-id\tquantity-purchased\tis-buyer-requested-cancellation\tbuyer-requested-cancel-reason\n"
    report = read(header + lines)
    told = [[(item.id, item.formal_request, item.cancel_reason) for item in order.items] for order in report.contradicted]
    assert told == filed
    assert [order.as_of < AS_OF for order in report.contradicted] == [True, False][: len(filed)]


def test_a_missing_flag_column_is_unknown_and_names_the_columns_that_might_be_it() -> None:
    report = read(f"order-id\tCancellation-Wanted\n{A}\ttrue\n")
    assert not report.has_formal_request_column
    assert flags(report) == [RequestKnowledge.UNKNOWN]
    assert report.unknown_columns == ("Cancellation-Wanted",)
    assert (
        "it is unknown whether buyers filed formal requests (columns not known to msgbot: Cancellation-Wanted)" in report.notes[0]
    )


def test_the_flag_is_per_item() -> None:
    header = f"order-id\torder-item-id\tis-buyer-requested-cancellation\n{A}\t11\ttrue\n{A}\t12\tfalse\n"
    assert {item.id: item.formal_request for item in only(read(header)).items} == {
        "11": RequestKnowledge.YES,
        "12": RequestKnowledge.NO,
    }


# --- the header


@pytest.mark.parametrize(
    ("header", "family"),
    [
        ("order-id\tsku", ReportFamily.SHIPPING),
        ("Order-ID\tSKU", ReportFamily.SHIPPING),
        (" order_id \tsku", ReportFamily.SHIPPING),
        ("Order ID\tsku", ReportFamily.SHIPPING),
        ("amazon-order-id\tsku", ReportFamily.ALL_ORDERS),
        ("Amazon Order Id\tsku", ReportFamily.ALL_ORDERS),
    ],
)
def test_a_header_is_matched_by_its_plain_name(header: str, family: ReportFamily) -> None:
    report = read(f"{header}\n{A}\tMUG\n")
    assert report.family is family
    assert [(order.id, order.items[0].sku) for order in report.orders] == [(A, "MUG")]


def test_columns_may_stand_in_any_order_and_twice_the_first_counts() -> None:
    assert only(read(f"sku\tnew-thing\torder-id\tsku\nMUG\tx\t{A}\tCUP\n")).items[0].sku == "MUG"


def test_blank_lines_above_the_header_are_passed_over_and_counted() -> None:
    report = read(f"\r\n \t\r\norder-id\tsku\r\n{A}\tMUG\r\nbad\tMUG\r\n")
    assert (only(report).id, [row.line for row in report.skipped]) == (A, [5])


# --- rows


def test_rows_of_an_order_need_not_be_adjacent_and_orders_keep_the_order_of_the_file() -> None:
    report = read(f"order-id\torder-item-id\n{B}\t1\n{A}\t2\n{B}\t3\n")
    assert [(order.id, [item.id for item in order.items]) for order in report.orders] == [(B, ["1", "3"]), (A, ["2"])]


def test_short_rows_are_padded_and_long_or_strange_ones_skipped_with_their_line() -> None:
    report = read(
        f"order-id\tsku\tis-buyer-requested-cancellation\n"
        f"{A}\n"  # 2: Amazon leaves out trailing empty cells
        f"\n"  # 3: blank
        f"{B}\tMUG\ttrue\tx\n"  # 4: a cell too many, so "true" may belong to another column
        f"\t\t\n"  # 5: only tabs is blank too
        f"S01-1234567-1234567\tMUG\ttrue\n"  # 6: an order of another channel
        f"order-id\tsku\tis-buyer-requested-cancellation\n"  # 7: the header again, of a second report put below
    )
    assert [order.id for order in report.orders] == [A]
    assert flags(report) == [RequestKnowledge.NO]
    assert report.rows == 4
    assert report.skipped == (
        SkippedRow(4, "the row has 4 cells, the header 3: what stands in which column is not certain"),
        SkippedRow(6, '"S01-1234567-1234567" is not an order id like 123-1234567-1234567'),
        SkippedRow(7, '"order-id" is not an order id like 123-1234567-1234567'),
    )


@pytest.mark.parametrize(
    "second",
    [
        "order-id\tis-prime\tis-buyer-requested-cancellation\tsku",
        "order-id\tis-prime\tsku",
        "order-id\tsku\tis-buyer-requested-cancellation\tis-prime\tasin",
        "sku\tis-buyer-requested-cancellation\tis-prime\tAmazon Order Id",
    ],
)
def test_below_a_header_with_other_columns_nothing_is_read(second: str) -> None:
    """The column of the flag would be another one."""
    header = "order-id\tis-buyer-requested-cancellation\tis-prime\tsku\n"
    report = read(f"{header}{A}\tfalse\ttrue\tx\n{second}\n{B}\ttrue\tfalse\tx\n")
    assert ([order.id for order in report.orders], flags(report), report.rows) == ([A], [NO], 1)
    [skipped] = report.skipped
    assert skipped.line == 3
    assert "a header with other columns" in skipped.reason


@pytest.mark.parametrize(
    "order_id",
    [
        "302-1234567-123456",  # a digit short
        "302-1234567-12345678",  # a digit long
        "3021234567-1234567",
        f"{A} {B}",  # two
        "",
    ],
)
def test_a_bad_order_id_skips_its_row_only(order_id: str) -> None:
    report = read(f"order-id\tsku\n{order_id}\tMUG\n{B}\tMUG\n")
    assert [order.id for order in report.orders] == [B]
    assert [row.line for row in report.skipped] == [2]


def test_the_same_item_row_twice_counts_once() -> None:
    row = f"{A}\t11\t1\ttrue\n"
    report = read(f"order-id\torder-item-id\tquantity-purchased\tis-buyer-requested-cancellation\n{row}{row}")
    assert (report.rows, len(only(report).items), flags(report)) == (2, 1, [RequestKnowledge.YES])
    assert not [note for note in report.notes if "second time" in note]


def test_without_item_ids_only_rows_that_are_all_the_same_are_one() -> None:
    header = "amazon-order-id\tsku\titem-price\n"
    assert len(only(read(f"{header}{A}\tMUG\t5\n{A}\tMUG\t5\n")).items) == 1
    assert len(only(read(f"{header}{A}\tMUG\t5\n{A}\tMUG\t6\n")).items) == 2


def test_an_item_that_is_listed_twice_with_other_values_makes_its_order_unknown() -> None:
    """Two reports pasted together: which one is newer is not to be known, so neither is believed."""
    report = read(
        "order-id\torder-item-id\tquantity-purchased\tquantity-shipped\tis-buyer-requested-cancellation\n"
        f"{A}\t11\t1\t0\ttrue\n{A}\t11\t1\t0\tfalse\n{B}\t12\t1\t0\ttrue\n"
    )
    assert [order.status for order in report.orders] == [OrderStatus.UNKNOWN, OrderStatus.UNSHIPPED]
    assert flags(report) == [RequestKnowledge.UNKNOWN, RequestKnowledge.YES]
    assert [note for note in report.notes if note.startswith("line 3: this item stands here a second time")]


@pytest.mark.parametrize(
    ("cell", "quantity"),
    [("2", 2), ("0", 0), ("", None), ("two", None), ("-1", None), ("²", None), ("1" * 5000, None)],
)
def test_quantity(cell: str, quantity: int | None) -> None:
    report = read(f"order-id\tquantity-purchased\tsku\n{A}\t{cell}\tx\n")
    assert only(report).items[0].quantity == quantity
    assert any("is not a number" in note for note in report.notes) is (quantity is None and cell != "")


# --- status by quantities


@pytest.mark.parametrize(
    ("columns", "cells", "status"),
    [
        ("quantity-purchased quantity-shipped quantity-to-ship", ["2 0 2"], OrderStatus.UNSHIPPED),
        ("quantity-purchased quantity-shipped quantity-to-ship", ["2 1 1"], OrderStatus.PARTLY_SHIPPED),
        ("quantity-purchased quantity-shipped quantity-to-ship", ["2 2 0"], OrderStatus.SHIPPED),
        # one item gone, the other here
        ("quantity-purchased quantity-shipped quantity-to-ship", ["1 1 0", "1 0 1"], OrderStatus.PARTLY_SHIPPED),
        # nothing shipped and nothing to ship: cancelled perhaps, in no case known to be unshipped
        ("quantity-purchased quantity-shipped quantity-to-ship", ["1 0 0"], OrderStatus.UNKNOWN),
        # one item cancelled, the other still to ship
        ("quantity-purchased quantity-shipped quantity-to-ship", ["1 0 0", "1 0 1"], OrderStatus.UNSHIPPED),
        # two of the three are enough
        ("quantity-purchased quantity-shipped", ["2 0"], OrderStatus.UNSHIPPED),
        ("quantity-purchased quantity-shipped", ["2 2"], OrderStatus.SHIPPED),
        ("quantity-purchased quantity-to-ship", ["2 1"], OrderStatus.PARTLY_SHIPPED),
        ("quantity-shipped quantity-to-ship", ["0 1"], OrderStatus.UNSHIPPED),
        # more shipped than bought, and no number at all
        ("quantity-purchased quantity-shipped", ["1 2"], OrderStatus.UNKNOWN),
        ("quantity-purchased quantity-shipped", ["1 x"], OrderStatus.UNKNOWN),
    ],
)
def test_status_by_quantities(columns: str, cells: list[str], status: OrderStatus) -> None:
    rows = "".join(f"{A}\t{item}\t{' '.join(line.split()).replace(' ', chr(9))}\n" for item, line in enumerate(cells, start=1))
    report = read(f"order-id\torder-item-id\t{columns.replace(' ', chr(9))}\n{rows}")
    assert report.has_status
    assert only(report).status is status
    assert any("do not tell what has been shipped" in note for note in report.notes) is (status is OrderStatus.UNKNOWN)


@pytest.mark.parametrize("column", ["quantity-purchased", "quantity-shipped", "quantity-to-ship", "sku"])
def test_one_quantity_alone_tells_no_status(column: str) -> None:
    report = read(f"order-id\t{column}\n{A}\t1\n")
    assert not report.has_status
    assert only(report).status is OrderStatus.UNKNOWN
    assert "the report does not say what has been shipped: the status of its orders is unknown" in report.notes


# --- status in words


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Pending", OrderStatus.PENDING),
        ("Unshipped", OrderStatus.UNSHIPPED),
        ("UNSHIPPED", OrderStatus.UNSHIPPED),
        ("PartiallyShipped", OrderStatus.PARTLY_SHIPPED),
        ("Partially Shipped", OrderStatus.PARTLY_SHIPPED),
        ("Shipped", OrderStatus.SHIPPED),
        ("Shipped - Delivered to Buyer", OrderStatus.SHIPPED),
        ("Shipped - Returning to Seller", OrderStatus.SHIPPED),
        ("Shipping", OrderStatus.SHIPPED),  # on its way
        ("Canceled", OrderStatus.CANCELLED),  # one l, as in v0
        ("Cancelled", OrderStatus.CANCELLED),  # two, as in reports
        ("Pending - Waiting for Pick Up", OrderStatus.UNKNOWN),  # packed and booked: neither pending nor shipped
        ("Shippedish", OrderStatus.UNKNOWN),
        ("", OrderStatus.UNKNOWN),
    ],
)
def test_order_status(word: str, status: OrderStatus) -> None:
    report = read(f"amazon-order-id\torder-status\tsku\n{A}\t{word}\tx\n{B}\t{word}\tx\n")
    assert [order.status for order in report.orders] == [status, status]
    # once for each word, however many orders have it
    assert len([note for note in report.notes if note.startswith("order-status")]) == (status is OrderStatus.UNKNOWN)


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        # order-status and item-status of each item
        ([("Unshipped", "Cancelled"), ("Unshipped", "Unshipped")], OrderStatus.UNSHIPPED),
        ([("Shipped", "Cancelled"), ("Shipped", "Shipped")], OrderStatus.SHIPPED),
        ([("Shipping", "Shipped"), ("Shipping", "Unshipped")], OrderStatus.PARTLY_SHIPPED),
        ([("Shipping", "Shipped"), ("Shipping", "Canceled")], OrderStatus.SHIPPED),  # what is cancelled does not count
        ([("Shipping", "Unshipped"), ("Shipping", "Unshipped")], OrderStatus.SHIPPED),  # nothing shows what is still here
        ([("Shipped", "Shipped"), ("Shipped - Picked Up", "Shipped")], OrderStatus.SHIPPED),
        ([("Unshipped", "Unshipped"), ("Shipped", "Shipped")], OrderStatus.UNKNOWN),  # an order has one status
    ],
)
def test_order_status_of_several_items(rows: list[tuple[str, str]], status: OrderStatus) -> None:
    lines = "".join(f"{A}\tSKU{number}\t{order}\t{item}\n" for number, (order, item) in enumerate(rows))
    report = read("amazon-order-id\tsku\torder-status\titem-status\n" + lines)
    assert only(report).status is status
    assert any("do not agree" in note for note in report.notes) is (status is OrderStatus.UNKNOWN)


@pytest.mark.parametrize(
    ("channel", "fulfilment"),
    [
        ("Merchant", Fulfilment.SELLER),
        ("MFN", Fulfilment.SELLER),
        ("DEFAULT", Fulfilment.SELLER),
        ("Amazon", Fulfilment.AMAZON),
        ("AFN", Fulfilment.AMAZON),
        ("AMAZON_NA", Fulfilment.AMAZON),
        ("amazon_eu", Fulfilment.AMAZON),
        ("Warehouse", Fulfilment.UNKNOWN),
        ("", Fulfilment.UNKNOWN),
    ],
)
def test_fulfilment(channel: str, fulfilment: Fulfilment) -> None:
    report = read(f"amazon-order-id\tfulfillment-channel\tsku\n{A}\t{channel}\tx\n")
    assert only(report).fulfilment is fulfilment
    assert any("does not say who ships" in note for note in report.notes) is (fulfilment is Fulfilment.UNKNOWN)


# --- dates and marketplaces


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-11-19T08:15:00+00:00", datetime(2026, 11, 19, 8, 15, tzinfo=UTC)),
        ("2026-11-19T08:15:00Z", datetime(2026, 11, 19, 8, 15, tzinfo=UTC)),
        ("2026-11-19T08:15:00+09:00", datetime(2026, 11, 18, 23, 15, tzinfo=UTC)),
        ("2026/11/19 08:15:00 JST", datetime(2026, 11, 18, 23, 15, tzinfo=UTC)),
        ("2026-11-19 08:15:00 PST", datetime(2026, 11, 19, 16, 15, tzinfo=UTC)),
        ("2026-07-19 08:15:00 PDT", datetime(2026, 7, 19, 15, 15, tzinfo=UTC)),
        ("2026-11-19 08:15:00 CST", None),  # central or China: not guessed
        ("2026-11-19T08:15:00", None),  # no time zone
        ("2026-11-19", None),
        ("19.11.2026 08:15", None),
        ("0001-01-01T00:00:00+14:00", None),  # before the first day there is
        ("tomorrow", None),
    ],
)
def test_dates(cell: str, moment: datetime | None) -> None:
    report = read(f"order-id\tpurchase-date\tpromise-date\tlast-updated-date\tsku\n{A}\t{cell}\t{cell}\t{cell}\tx\n")
    order = only(report)
    assert (order.purchased_at, order.ship_by, order.updated_at) == (moment, moment, moment)
    assert any("is not a date" in note for note in report.notes) is (moment is None)


def test_an_empty_date_is_no_fault() -> None:
    report = read(f"order-id\tpurchase-date\tsku\n{A}\t\tx\n")
    assert only(report).purchased_at is None
    assert not [note for note in report.notes if "date with" in note]


@pytest.mark.parametrize(
    ("channel", "marketplace"),
    [
        ("Amazon.com", "ATVPDKIKX0DER"),
        ("Amazon.co.jp", "A1VC38T7YXB528"),
        ("www.amazon.de", "A1PA6795UKMFR9"),
        ("Non-Amazon", ""),
        ("", ""),
    ],
)
def test_marketplace(channel: str, marketplace: str) -> None:
    assert only(read(f"order-id\tsales-channel\tsku\n{A}\t{channel}\tx\n")).marketplace == marketplace


# --- notes


@pytest.mark.parametrize(
    ("count", "place"),
    [(1, "line 2: "), (2, "lines 2, 3: "), (5, "lines 2, 3, 4, 5, 6: "), (6, "lines 2, 3, 4, 5, 6 and 1 more: ")],
)
def test_a_note_is_given_once_with_the_lines_it_is_true_of(count: int, place: str) -> None:
    rows = "".join(f"302-1234567-{number:07}\tmaybe\n" for number in range(count))
    report = read("order-id\tis-buyer-requested-cancellation\n" + rows)
    assert [note for note in report.notes if "maybe" in note] == [
        f'{place}"maybe" in is-buyer-requested-cancellation is neither true nor false: taken as unknown'
    ]


# --- line ends and charsets


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_line_ends(end: str) -> None:
    report = read(f"order-id\tproduct-name{end}{A}\tone\x0btwo\x85three\u2028four{end}bad\tx{end}")
    # what Unicode also calls a line end may stand in a title
    assert only(report).items[0].title == "one\x0btwo\x85three\u2028four"
    assert [row.line for row in report.skipped] == [3]


@pytest.mark.parametrize(
    ("title", "encoding", "mark", "charset"),
    [
        ("Plain", "ascii", b"", "utf-8"),
        ("Müsli 猫", "utf-8", b"", "utf-8"),
        ("Müsli 猫", "utf-8", codecs.BOM_UTF8, "utf-8"),
        ("Müsli 猫", "utf-16-le", codecs.BOM_UTF16_LE, "utf-16-le"),  # Excel's "Unicode text"
        ("Müsli 猫", "utf-16-be", codecs.BOM_UTF16_BE, "utf-16-be"),
        ("Müsli", "cp1252", b"", "cp1252"),
        ("à l’été, déjà vu – 5 €", "cp1252", b"", "cp1252"),
        ("ÄÖÜ", "cp1252", b"", "cp1252"),  # three half-width kana in cp932
        ("猫のおもちゃ", "cp932", b"", "cp932"),
        ("黒", "cp932", b"", "cp932"),  # one letter in the whole file
        ("ｶﾊﾞｰ①㈱", "cp932", b"", "cp932"),  # half-width kana and the characters that plain Shift_JIS lacks
        ("表示ソフト", "cp932", b"", "cp932"),  # second bytes that are a backslash
    ],
)
def test_the_charset_is_told_from_one_short_title(title: str, encoding: str, mark: bytes, charset: str) -> None:
    text = f"order-id\tproduct-name\tsku\r\n{A}\t{title}\tMUG\r\n"
    report = read(mark + text.encode(encoding))
    assert report.charset == charset
    assert (only(report).items[0].title, only(report).items[0].sku) == (title, "MUG")
    assert not [note for note in report.notes if "read" in note]


def test_utf_8_with_a_title_cut_in_mid_character_is_still_utf_8() -> None:
    title = "Schlüsselanhänger für Größe".encode() + "ß".encode()[:1]
    report = read(b"order-id\tproduct-name\tsku\n" + A.encode() + b"\t" + title + b"\tMUG\n")
    assert report.charset == "utf-8"
    assert only(report).items[0].title == "Schlüsselanhänger für Größe\ufffd"
    assert "some characters of the file could not be read and stand as \ufffd" in report.notes


@pytest.mark.parametrize(
    ("charset", "encoding", "used"),
    [
        ("Shift_JIS", "cp932", "cp932"),  # what Amazon calls it
        ("Windows-31J", "cp932", "cp932"),
        ("ISO-8859-1", "cp1252", "cp1252"),
        ("Cp1252", "cp1252", "cp1252"),
        ("UTF-8", "utf-8", "utf-8"),
        ("utf-16", "utf-16", "utf-16-le"),  # the mark of byte order decides
    ],
)
def test_the_charset_of_the_download_is_used(charset: str, encoding: str, used: str) -> None:
    title = "日本①" if encoding == "cp932" else "€ für É"
    report = read(f"order-id\tproduct-name\n{A}\t{title}\n".encode(encoding), charset)
    assert (report.charset, only(report).items[0].title) == (used, title)
    assert not [note for note in report.notes if "said to be" in note]


@pytest.mark.parametrize("charset", ["utf-8", "us-ascii", "no-such-charset", "hex", "a\0b"])
def test_a_charset_that_the_bytes_do_not_fit_is_noted_and_not_believed(charset: str) -> None:
    report = read(f"order-id\tproduct-name\n{A}\tMüsli für Größe\n".encode("cp1252"), charset)
    assert (report.charset, only(report).items[0].title) == ("cp1252", "Müsli für Größe")
    assert f"the file is said to be in {charset} but is not: it was read as cp1252" in report.notes


WESTERN = (
    "Müsli|Straße|Crème brûlée|Größe M – blau|España|niño|été|à vendre|Ça va|smörgåsbord|L’été|“Quote”|5 °C|½ Zoll|Café™|ÄÖÜ|"
    'GRÖSSE ÄNDERN|Preis 5 €|ação|São Paulo|più|È tardi|Ölgemälde|Spaß|Œuvre|1ª|Ångström|MÃE|USB 24"'
)
JAPANESE = (
    "犬|猫のおもちゃ|USBケーブル 2m|日本|【正規品】ケース|ｶﾊﾞｰ|新品 A4 用紙|Ａ４|（黒）|ガラス製|東京都|注文をキャンセル|サイズ違い|"
    "LED電球 60W 2個|①セット|～|プレゼント★限定|ﾔﾏﾀﾞ ﾀﾛｳ|申込|噂|※注意|ソフト|機能|予約"
)


@given(st.lists(st.sampled_from(WESTERN.split("|")), min_size=1, max_size=5))
def test_western_titles_are_never_taken_for_japanese(titles: list[str]) -> None:
    data = "\r\n".join(["order-id\tproduct-name", *(f"{A}\t{title}\tx" for title in titles)]).encode("cp1252")
    assert decode(data)[1] in {"cp1252", "utf-8"}
    assert decode(data)[0] == data.decode("cp1252")


@given(st.lists(st.sampled_from(JAPANESE.split("|")), min_size=1, max_size=5))
def test_japanese_titles_are_never_taken_for_western(titles: list[str]) -> None:
    data = "\r\n".join(["order-id\tproduct-name", *(f"{A}\t{title}\tx" for title in titles)]).encode("cp932")
    assert decode(data) == (data.decode("cp932"), "cp932")


# --- what is no order report


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "this is an empty file"),
        (b"\xef\xbb\xbf\r\n \r\n", "this is an empty file"),
        (
            b"PK\x03\x04\x14\x00\x06\x00",
            "this is an Excel workbook or zip file (open it in Excel and save it as tab-separated text)",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "this is an Excel workbook"),  # the old format
        (b"\x1f\x8b\x08\x00order-id", "this is a gzip file (unpack it first)"),
        (b"%PDF-1.7\n", "this is a PDF"),
        (b"<!DOCTYPE html>\n<title>Sign in</title>", "this is a web page or XML"),  # the download was not signed in
        (b'{"errors": []}', "this is JSON"),
        (b"order-id,sku\n302-1234567-1234567,MUG\n", "this is a file separated by commas or semicolons"),
        (b"order-id;sku\n", "this is a file separated by commas or semicolons"),  # a German Excel
        (b"sku\tasin\nMUG\tB0TEST0001\n", 'this is a file whose first line begins with "sku\tasin"'),  # another report
    ],
)
def test_what_is_no_order_report(data: bytes, found: str) -> None:
    with pytest.raises(InputError) as caught:
        read(data)
    assert str(caught.value).startswith(f"orders.txt:1:1: {found}")
    assert "expected an order report: tab-separated text whose first line names the columns" in str(caught.value)


def test_a_header_without_rows_is_a_report_without_orders() -> None:
    report = read(table(US_HEADER))
    assert (report.orders, report.rows, report.skipped) == ((), 0, ())


# --- what holds for any bytes

CELL = st.one_of(
    st.sampled_from([A, B, "true", "false", "1", "0", "Unshipped", "Shipping", "2026-11-19T08:15:00Z", ""]),
    st.text('a9-\t"\r\n é猫９\x00\x85\u2028\ufeff', max_size=6),
)
COLUMN = st.sampled_from([*US_HEADER.split(), *ALL_ORDERS_HEADER.split(), "is_buyer_requested_cancelation"])


@st.composite
def near_reports(draw: st.DrawFn) -> bytes:
    """Bytes that are almost an order report: the header real, the rows anything, the whole in any charset."""
    header = ["order-id", *draw(st.lists(COLUMN, max_size=6))]
    rows = draw(st.lists(st.lists(CELL, min_size=1, max_size=7), max_size=6))
    text = draw(st.sampled_from(["\r\n", "\n", "\r"])).join("\t".join(cells) for cells in [header, *rows])
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp932"])), "replace")


@given(st.one_of(st.binary(max_size=200), near_reports()), st.sampled_from([None, "utf-8", "shift_jis", "utf-16", "rot13", ""]))
def test_any_bytes_are_a_report_or_an_input_error(data: bytes, charset: str | None) -> None:
    try:
        report = read(data, charset)
    except InputError:
        return
    assert len(report.skipped) + sum(len(order.items) for order in report.orders) <= report.rows
    assert len({order.id for order in report.orders}) == len(report.orders)
    if not report.has_formal_request_column:
        assert set(flags(report)) <= {RequestKnowledge.UNKNOWN}
    if not report.has_status:
        assert {order.status for order in report.orders} <= {OrderStatus.UNKNOWN}


@given(near_reports())
def test_reading_twice_gives_the_same(data: bytes) -> None:
    assert read(data) == read(data)
