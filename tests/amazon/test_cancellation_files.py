"""The order cancellation template, read and written (domain.md section 4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.amazon.cancellation_files import (
    CancellationRow,
    parse_reason,
    read_cancellation_file,
    write_cancellation_file,
)
from msgbot.domain.cancellation import CancelReason
from msgbot.errors import InputError

A, B = "302-1234567-1234567", "302-7654321-7654321"
ITEM = "12345678901234"
FIRST = "TemplateType=OrderCancellation\tVersion=1.0/1.0.3\tThis row for Amazon.com use only.  Do not modify or delete.\r\n"
COLUMNS = "order-id\tcancellation-reason-code\tamazon-order-item-code\r\n"
GOOD = CancellationRow(line=3, order_id=A, reason=CancelReason.BUYER_CANCELED, reason_text="BuyerCanceled", item_id=ITEM)


def rows(data: bytes | str) -> tuple[CancellationRow, ...]:
    return read_cancellation_file(data.encode() if isinstance(data, str) else data, "cancel.txt").rows


# --- reasons


def test_the_reasons_are_those_of_section_4() -> None:
    assert set(CancelReason) == {
        "NoInventory",
        "ShippingAddressUndeliverable",
        "CustomerExchange",
        "BuyerCanceled",
        "GeneralAdjustment",
        "CarrierCreditDecision",
        "RiskAssessmentInformationNotValid",
        "CarrierCoverageFailure",
        "CustomerReturn",
        "MerchandiseNotReceived",
        "PricingError",
    }


@pytest.mark.parametrize(
    ("reason", "label"),
    [
        # section 4: the labels that Seller Central shows
        (CancelReason.NO_INVENTORY, "No Inventory"),
        (CancelReason.BUYER_CANCELED, "Buyer Canceled"),
        (CancelReason.GENERAL_ADJUSTMENT, "General Adjustment"),
        (CancelReason.PRICING_ERROR, "Pricing Error"),
        (CancelReason.SHIPPING_ADDRESS_UNDELIVERABLE, "Shipping Address Undeliverable"),
        (CancelReason.CUSTOMER_EXCHANGE, "Customer Exchange"),
        # one that it does not offer
        (CancelReason.RISK_ASSESSMENT_INFORMATION_NOT_VALID, "Risk Assessment Information Not Valid"),
    ],
)
def test_labels(reason: CancelReason, label: str) -> None:
    assert reason.label == label


@pytest.mark.parametrize("reason", CancelReason)
def test_a_reason_is_known_by_value_label_and_code(reason: CancelReason) -> None:
    assert parse_reason(reason.value) is parse_reason(reason.label) is parse_reason(reason.name) is reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("BuyerCanceled", CancelReason.BUYER_CANCELED),
        ("BuyerCancelled", CancelReason.BUYER_CANCELED),  # two l
        ("Buyer Canceled", CancelReason.BUYER_CANCELED),  # Seller Central
        ("BUYER_CANCELLED", CancelReason.BUYER_CANCELED),  # v2026-01-01
        ("buyer-canceled", CancelReason.BUYER_CANCELED),
        (" buyer\u00a0cancelled ", CancelReason.BUYER_CANCELED),  # copied from a web page
        ("NO_INVENTORY", CancelReason.NO_INVENTORY),
        ("SHIPPING_ADDRESS_UNDELIVERABLE", CancelReason.SHIPPING_ADDRESS_UNDELIVERABLE),
        ("CUSTOMER_EXCHANGE", CancelReason.CUSTOMER_EXCHANGE),
        ("PRICING_ERROR", CancelReason.PRICING_ERROR),
        ("CustomerCancel", None),  # a reason of adjustments, not of cancellations
        ("PriceError", None),  # the same
        ("Canceled", None),
        ("BuyerCanceled!", None),
        ("", None),
    ],
)
def test_parse_reason(text: str, reason: CancelReason | None) -> None:
    assert parse_reason(text) is reason


# --- reading


@pytest.mark.parametrize(
    "text",
    [
        FIRST + COLUMNS + f"{A}\tBuyerCanceled\t{ITEM}\r\n",
        (FIRST + COLUMNS + f"{A}\tBuyerCanceled\t{ITEM}\r\n").replace("\r\n", "\n"),
        FIRST + COLUMNS + f"{A}\tBuyerCanceled\t{ITEM}",  # no line end at the end
        "\ufeff" + FIRST + COLUMNS + f"{A}\tBuyerCanceled\t{ITEM}\r\n",
        FIRST + COLUMNS + f"{A}\tBuyerCanceled\t{ITEM}\t\t\r\n\r\n\t\t\r\n",  # trailing empty cells, blank lines
        FIRST + COLUMNS + f' {A} \t"BuyerCanceled"\t"{ITEM}"\r\n',  # as Excel quotes
        FIRST + f"Order_ID\tCancellation Reason Code\tAmazon-Order-Item-Code\r\n{A}\tBuyerCanceled\t{ITEM}\r\n",
        FIRST + f"amazon-order-item-code\torder-id\tcancellation-reason-code\tmemo\r\n{ITEM}\t{A}\tBuyerCanceled\tcall Jim\r\n",
        # the old version, with the seller's own order id second
        "TemplateType=OrderCancellation\tVersion=1.0/1.0.1\tThis row …\r\n"
        f"order-id\tmerchant-order-id\tcancellation-reason-code\tamazon-order-item-code\r\n{A}\tM-1\tBuyerCanceled\t{ITEM}\r\n",
        # blanks in place of tabs in the first line, as one old library writes it
        FIRST.replace("\t", "  ") + COLUMNS + f"{A}\tBuyerCanceled\t{ITEM}\r\n",
    ],
)
def test_the_same_row_from_every_way_to_write_the_template(text: str) -> None:
    assert rows(text) == (GOOD,)


def test_the_template_is_read_without_its_first_line() -> None:
    file = read_cancellation_file((COLUMNS + f"{A}\tBuyerCanceled\t{ITEM}\r\n").encode(), "cancel.txt")
    assert [(row.line, row.order_id) for row in file.rows] == [(2, A)]
    assert file.version == ""


@pytest.mark.parametrize("version", ["1.0/1.0.3", "1.0/1.0.1"])
def test_the_version_is_the_one_that_the_file_states(version: str) -> None:
    assert read_cancellation_file((FIRST.replace("1.0/1.0.3", version) + COLUMNS).encode(), "cancel.txt").version == version


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_the_template_as_excel_saves_it(encoding: str) -> None:
    header = COLUMNS.replace("\r\n", "\tGrund für uns\r\n")
    assert rows((FIRST + header + f"{A}\tBuyerCanceled\t{ITEM}\tKunde möchte nicht\r\n").encode(encoding)) == (GOOD,)


def test_rows_keep_their_lines_and_what_was_written() -> None:
    read = rows(FIRST + COLUMNS + f"{A}\tBuyer Cancelled\t{ITEM}\r\n\r\n{B}\r\n")
    assert read == (
        CancellationRow(3, A, CancelReason.BUYER_CANCELED, "Buyer Cancelled", ITEM),
        CancellationRow(5, B),  # neither reason nor item: the whole order
    )


@pytest.mark.parametrize(
    ("row", "flaw"),
    [
        (f"{A}\tNoInventory\t", "a reason is given without item code: give both or neither"),
        (f"{A}\t\t{ITEM}", "an item code is given without reason: give both or neither"),
        (f"{A}\tChanged mind\t{ITEM}", '"Changed mind" is not a cancellation reason; these are: NoInventory, BuyerCanceled, '),
        ("302-123-1234567\t\t", '"302-123-1234567" is not an order id like 123-1234567-1234567'),
        ("\tNoInventory\t1", '"" is not an order id'),
        ("３０２-1234567-1234567\t\t", '"３０２-1234567-1234567" is not an order id'),  # full-width digits
        (f"{A}\tNoInventory\t1.40274E+13", 'item code "1.40274E+13" is not all digits: Excel shortens long numbers'),
        (f"{A}\tNoInventory\t１２", 'item code "１２" is not all digits'),  # full-width digits
        (f"{A}\tNoInventory\t{ITEM}\tx", "the row has more cells than the 3 columns"),
    ],
)
def test_a_row_that_amazon_would_refuse_is_kept_with_its_flaw(row: str, flaw: str) -> None:
    bad, good = rows(FIRST + COLUMNS + f"{row}\r\n{B}\r\n")
    assert [text[: len(flaw)] for text in bad.flaws] == [flaw]
    assert good.flaws == ()
    with pytest.raises(InputError, match="the cancellation of line 3 cannot be written"):
        write_cancellation_file([good, bad])


def test_every_flaw_of_a_row_is_named() -> None:
    (row,) = rows(FIRST + COLUMNS + "x\tCustomerCancel\r\n")
    assert (row.reason, row.reason_text, len(row.flaws)) == (None, "CustomerCancel", 3)


@pytest.mark.parametrize(
    ("data", "place", "found"),
    [
        (b"", "1:1", "this is an empty file"),
        (b"PK\x03\x04", "1:1", "this is an Excel workbook or zip file"),
        (b"<html>", "1:1", "this is a web page or XML"),  # the XML feed is another format
        (b"sku\tprice\nMUG\t5\n", "1:1", 'this is a file whose first line begins with "sku\tprice"'),
        (b"order-id,cancellation-reason-code,amazon-order-item-code\n", "1:1", "this is a file separated by commas"),
        (b"order-id\tsku\n", "1:1", "the line has no column cancellation-reason-code or amazon-order-item-code"),  # an order report
        (b"\n TemplateType=Offer\tVersion=2\n", "2:2", 'this is a template for "Offer"'),
        (FIRST.encode(), "2:1", "the line has no column order-id or cancellation-reason-code or amazon-order-item-code"),
        (FIRST.encode() + b"\norder-id\tamazon-order-item-code\n", "3:1", "the line has no column cancellation-reason-code"),
    ],
)
def test_what_is_not_the_template(data: bytes, place: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        rows(data)
    assert str(caught.value).startswith(f"cancel.txt:{place}: {found}")
    assert "expected the order cancellation template: tab-separated text with the columns order-id, " in str(caught.value)


# --- writing


def test_the_written_template_byte_for_byte() -> None:
    assert write_cancellation_file([GOOD, CancellationRow(9, B)]) == (
        b"TemplateType=OrderCancellation\tVersion=1.0/1.0.3\tThis row for Amazon.com use only.  Do not modify or delete.\r\n"
        b"order-id\tcancellation-reason-code\tamazon-order-item-code\r\n"
        b"302-1234567-1234567\tBuyerCanceled\t12345678901234\r\n"
        b"302-7654321-7654321\t\t\r\n"
    )


def test_a_reason_is_written_in_the_feeds_spelling() -> None:
    (row,) = rows(FIRST + COLUMNS + f"{A}\tbuyer cancelled\t{ITEM}\r\n")
    assert rows(write_cancellation_file([row])) == (GOOD,)


@pytest.mark.parametrize(
    "row",
    [
        CancellationRow(1, f"{A}\tx"),  # a cell that would become two
        CancellationRow(1, A, reason=CancelReason.NO_INVENTORY),  # built with a reason and no item
        CancellationRow(1, A, reason_text="Whatever", item_id=ITEM),
        CancellationRow(1, A, flaws=("told otherwise",)),
    ],
)
def test_a_row_built_with_flaws_is_not_written(row: CancellationRow) -> None:
    with pytest.raises(InputError, match="the cancellation of line 1 cannot be written"):
        write_cancellation_file([row])


# --- what holds for any rows and bytes

DIGITS = "0123456789"


@st.composite
def whole_files(draw: st.DrawFn) -> tuple[CancellationRow, ...]:
    """Rows without flaws, numbered as they come to stand in a file."""
    built = []
    for line in range(3, 3 + draw(st.integers(0, 5))):
        order_id = "-".join(draw(st.text(DIGITS, min_size=size, max_size=size)) for size in (3, 7, 7))
        if reason := draw(st.sampled_from([None, *CancelReason])):
            item_id = draw(st.text(DIGITS, min_size=1, max_size=16))
            built.append(CancellationRow(line, order_id, reason, reason.value, item_id))
        else:
            built.append(CancellationRow(line, order_id))
    return tuple(built)


@given(whole_files())
def test_what_was_written_is_read_back_the_same(written: tuple[CancellationRow, ...]) -> None:
    file = read_cancellation_file(write_cancellation_file(written), "cancel.txt")
    assert (file.rows, file.version) == (written, "1.0/1.0.3")


CELL = st.one_of(
    st.sampled_from([A, B, ITEM, "BuyerCanceled", "pricing error", ""]), st.text('a9-\t"\r\n é９\x00\x85\ufeff', max_size=5)
)
NEAR_FILES = st.builds(
    lambda lines, first, encoding: (first + COLUMNS + "\r\n".join("\t".join(line) for line in lines)).encode(encoding, "replace"),
    st.lists(st.lists(CELL, max_size=4), max_size=4),
    st.sampled_from([FIRST, "", "TemplateType=\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp932"]),
)


@given(st.one_of(st.binary(max_size=100), NEAR_FILES))
def test_any_bytes_are_a_file_or_an_input_error(data: bytes) -> None:
    try:
        read = rows(data)
    except InputError:
        return
    sound = [row for row in read if not row.flaws]
    back = rows(write_cancellation_file(sound))
    assert [(row.order_id, row.reason, row.item_id, row.flaws) for row in back] == [
        (row.order_id, row.reason, row.item_id, ()) for row in sound
    ]
