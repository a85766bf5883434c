"""Answers of the Orders API v0: `getOrders`, `getOrder` and `getOrderItems`, with their `payload` envelope or without (domain.md
sections 2 and 3). Personal data is not read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from msgbot.amazon.fields import Fields
from msgbot.amazon.order_page import OrderPage, read_each, refuse_errors
from msgbot.amazon.order_words import agreed, all_known, flag_in, marketplace_of, read_fulfilment, read_status
from msgbot.domain.order import Order, OrderItem, RequestKnowledge


@dataclass(frozen=True, slots=True)
class ItemsPage:
    """Items of one order. `next_token` asks for more of them; empty on the last page. `notes` are sentences about values that are
    not known."""

    order_id: str
    items: tuple[OrderItem, ...]
    next_token: str = ""
    notes: tuple[str, ...] = ()


def read_order(answer: object, *, account: str, source: str, as_of: datetime, notes: list[str] | None = None) -> Order:
    """The order in an answer of `getOrder`: its header, which names no items and tells of no formal request. `notes` collects
    sentences about values that are not known.

    Raises InputError, with the path, where a field is missing that the API always gives.
    """
    return _header(_payload(answer, notes), account, source, as_of)


def read_page(answer: object, *, account: str, source: str, as_of: datetime) -> OrderPage:
    """The headers in an answer of `getOrders`. Raises InputError when it is none."""
    fields = _payload(answer)
    orders, _, flaws = read_each(fields, "Orders", "AmazonOrderId", lambda each: _header(each, account, source, as_of))
    return OrderPage(
        orders=orders,
        next_token=fields.text("NextToken"),
        updated_before=fields.moment("LastUpdatedBefore"),
        flaws=flaws,
        notes=tuple(fields.notes),
    )


def read_items(answer: object) -> ItemsPage:
    """The items in an answer of `getOrderItems`, each with its flag.

    Raises InputError, with the path, where a field is missing that the API always gives.
    """
    fields = _payload(answer)
    order_id = fields.order_id("AmazonOrderId")
    items = tuple(_item(Fields(value, path, fields.notes)) for value, path in fields.required_list("OrderItems"))
    return ItemsPage(order_id, items, fields.text("NextToken"), tuple(fields.notes))


def with_items(order: Order, items: tuple[OrderItem, ...]) -> Order:
    """The order with all its items, which tell of formal requests."""
    return replace(order, items=items, request_as_of=order.as_of if all_known(items) else None)


def _payload(answer: object, notes: list[str] | None = None) -> Fields:
    fields = Fields(answer, "", notes)
    if fields.get("payload") is None:
        refuse_errors(fields)
    return fields.required_within("payload") if fields.has("payload") else fields


def _header(fields: Fields, account: str, source: str, as_of: datetime) -> Order:
    return Order(
        account=account,
        id=fields.order_id("AmazonOrderId"),
        status=read_status(fields, "OrderStatus"),
        fulfilment=read_fulfilment(fields, "FulfillmentChannel"),
        as_of=as_of,
        source=source,
        marketplace=marketplace_of(fields.text("MarketplaceId"), fields.text("SalesChannel")),
        purchased_at=fields.required_moment("PurchaseDate"),
        ship_by=fields.moment("LatestShipDate"),
        updated_at=fields.required_moment("LastUpdateDate"),
    )


def _item(fields: Fields) -> OrderItem:
    request, reason = _formal_request(fields)
    return OrderItem(
        id=fields.required_text("OrderItemId"),
        sku=fields.text("SellerSKU"),
        asin=fields.required_text("ASIN", may_be_empty=True),
        title=fields.text("Title"),
        quantity=fields.required_number("QuantityOrdered"),
        formal_request=request,
        cancel_reason=reason,
        quantity_shipped=fields.number("QuantityShipped"),
    )


def _formal_request(fields: Fields) -> tuple[RequestKnowledge, str]:
    """What the item says of a formal request, and the buyer's reason. The flag is the word `"true"` or `"false"`; booleans are
    taken as well, and so is a flag without its wrapper, as other programs save it. What is empty says nothing where another
    place speaks."""
    outer, inner = fields.get("IsBuyerRequestedCancel"), fields.get("BuyerRequestedCancel")
    cancel = fields.within("BuyerRequestedCancel")
    if isinstance(inner, dict):
        inner = cancel.get("IsBuyerRequestedCancel")
    flag = agreed(fields, "BuyerRequestedCancel", [flag_in(value) for value in (inner, outer) if _speaks(value)])
    if flag is not RequestKnowledge.YES:
        return flag, ""
    return flag, cancel.text("BuyerCancelReason") or fields.text("BuyerCancelReason")


def _speaks(value: object) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())
