"""Answers of the retired Marketplace Web Service, as old archives keep them: `ListOrders`, `GetOrder` and `ListOrderItems` in XML,
and the next pages of each (domain.md section 2). Personal data is not read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element  # the type only: parsing is defusedxml's

from msgbot.amazon.fields import Fields, parse_moment
from msgbot.amazon.order_page import OrderPage, read_each
from msgbot.amazon.order_words import agreed, all_known, flag_of, marketplace_of, read_fulfilment, read_status
from msgbot.amazon.xml_documents import child, children, name_of, read_xml, text_of
from msgbot.domain.order import Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge
from msgbot.errors import InputError

_ROOT = re.compile("((ListOrders|ListOrderItems)(ByNextToken)?|GetOrder)(Response|Result)")


@dataclass(frozen=True, slots=True)
class MwsAnswer:
    """One answer: the operation that was called (`ListOrderItems`), and the orders that the answer tells of."""

    operation: str
    page: OrderPage


def read_mws_answer(data: bytes, *, account: str, source: str, as_of: datetime) -> MwsAnswer:
    """The orders in an answer. One of `ListOrderItems` gives one order of unknown status, with its items and their flags; the
    others give headers, which tell of no formal request.

    Raises InputError when the data is no such answer, or defines entities.
    """
    root = read_xml(data, source)
    name = name_of(root)
    if name == "ErrorResponse":
        told = ": ".join(text for text in (text_of(root, "Error", "Code"), text_of(root, "Error", "Message")) if text)
        raise InputError(f"this is an error that Amazon answered with, and holds no orders: {told[:300]}", file=source, line=1)
    kind = _ROOT.fullmatch(name)
    if kind is None:
        expected = "an MWS answer: ListOrders, GetOrder or ListOrderItems"
        raise InputError(f"this is XML that begins with <{name[:40]}>; expected {expected}", file=source, line=1, column=1)
    operation = kind[1]
    result = root if name.endswith("Result") else child(root, f"{operation}Result")
    if result is None:
        raise InputError(f"{operation}Result is missing", file=source, line=1, column=1)
    notes: list[str] = []
    flaws: tuple[str, ...] = ()
    orders: tuple[Order, ...]
    try:
        if "Items" in operation:
            orders = (_order_of_items(result, notes, account, source, as_of),)
        else:
            fields = _headers(result, notes)
            orders, _, flaws = read_each(fields, "Orders", "AmazonOrderId", lambda each: _header(each, account, source, as_of))
    except InputError as error:
        raise InputError(str(error), file=source, line=1, column=1) from error
    updated_before = parse_moment(text_of(result, "LastUpdatedBefore"))
    return MwsAnswer(operation, OrderPage(orders, text_of(result, "NextToken"), updated_before, flaws, tuple(notes)))


def _headers(result: Element, notes: list[str]) -> Fields:
    """The orders as objects whose fields are the texts of their elements: from here on they are read as the Orders API's are."""
    listed = child(result, "Orders")
    orders = [_texts(each) for each in children(listed, "Order")] if listed is not None else None
    return Fields({"Orders": orders}, "", notes)


def _texts(element: Element) -> dict[str, object]:
    return {name_of(each): each.text or "" for each in element}


def _header(fields: Fields, account: str, source: str, as_of: datetime) -> Order:
    return Order(
        account=account,
        id=fields.order_id("AmazonOrderId"),
        status=read_status(fields, "OrderStatus"),
        fulfilment=read_fulfilment(fields, "FulfillmentChannel"),
        as_of=as_of,
        source=source,
        marketplace=marketplace_of(fields.text("MarketplaceId"), fields.text("SalesChannel")),
        purchased_at=fields.moment("PurchaseDate"),
        ship_by=fields.moment("LatestShipDate"),
        updated_at=fields.moment("LastUpdateDate"),
    )


def _order_of_items(result: Element, notes: list[str], account: str, source: str, as_of: datetime) -> Order:
    fields = Fields(_texts(result), "", notes)
    listed = child(result, "OrderItems")
    if listed is None:
        raise InputError("OrderItems is missing")
    items = tuple(
        _item(each, Fields(_texts(each), f"OrderItems[{index}]", notes)) for index, each in enumerate(children(listed, "OrderItem"))
    )
    return Order(
        account=account,
        id=fields.order_id("AmazonOrderId"),
        status=OrderStatus.UNKNOWN,
        fulfilment=Fulfilment.UNKNOWN,
        as_of=as_of,
        source=source,
        items=items,
        request_as_of=as_of if all_known(items) else None,
    )


def _item(element: Element, fields: Fields) -> OrderItem:
    request = _formal_request(element, fields)
    reason = text_of(element, "BuyerRequestedCancel", "BuyerCancelReason") or text_of(element, "BuyerCancelReason")
    return OrderItem(
        id=fields.required_text("OrderItemId"),
        sku=fields.text("SellerSKU"),
        asin=fields.text("ASIN"),
        title=fields.text("Title"),
        quantity=fields.number("QuantityOrdered"),
        formal_request=request,
        cancel_reason=reason if request is RequestKnowledge.YES else "",
        quantity_shipped=fields.number("QuantityShipped"),
    )


def _formal_request(element: Element, fields: Fields) -> RequestKnowledge:
    """The flag from either place; unknown where the two disagree, or where one holds another word than XML's for yes and no. An
    element without text says nothing where another speaks."""
    inner = child(element, "BuyerRequestedCancel", "IsBuyerRequestedCancel")
    outer = child(element, "IsBuyerRequestedCancel")
    # Without children it is the flag itself, by another name.
    bare = child(element, "BuyerRequestedCancel") if inner is None else None
    if bare is not None and len(bare):
        bare = None
    words = {text_of(each) for each in (inner, outer, bare)} - {""}
    return agreed(fields, "IsBuyerRequestedCancel", {_XML.get(word, flag_of(word)) for word in words})


_XML = {"1": RequestKnowledge.YES, "0": RequestKnowledge.NO}
