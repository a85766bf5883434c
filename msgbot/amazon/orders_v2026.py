"""Answers of the Orders API 2026-01-01: `getOrder` and `searchOrders` (domain.md sections 2 and 3). Personal data is not read."""

from __future__ import annotations

from datetime import datetime

from msgbot.amazon.fields import Fields
from msgbot.amazon.order_page import OrderPage, read_each, refuse_errors
from msgbot.amazon.order_words import all_known, marketplace_of, read_canceller, read_fulfilment, read_status
from msgbot.domain.order import Canceller, Fulfilment, Order, OrderItem, OrderStatus, RequestKnowledge


def read_order(
    answer: object,
    *,
    account: str,
    source: str,
    as_of: datetime,
    asked_for_cancellation: bool = True,
    notes: list[str] | None = None,
) -> Order:
    """The order in an answer of `getOrder`.

    An item without `cancellation` has no formal request only in an answer that was asked for with includedData=CANCELLATION. Where
    nobody knows that (`asked_for_cancellation=False`), an order in which any item has the field shows that it was; in any other the
    formal requests are unknown. `notes` collects sentences about values that are not known.

    Raises InputError, with the path, where a field is missing that the API always gives.
    """
    fields = Fields(answer, "", notes)
    refuse_errors(fields)
    return _order(fields.required_within("order"), account, source, as_of, asked_for_cancellation)


def read_page(answer: object, *, account: str, source: str, as_of: datetime, asked_for_cancellation: bool = True) -> OrderPage:
    """The orders in an answer of `searchOrders`; `asked_for_cancellation` as for `read_order`. Raises InputError when it is
    none."""
    fields = Fields(answer)
    refuse_errors(fields)
    orders, repeated, flaws = read_each(
        fields, "orders", "orderId", lambda each: _order(each, account, source, as_of, asked_for_cancellation)
    )
    return OrderPage(
        orders=orders,
        next_token=fields.within("pagination").text("nextToken"),
        updated_before=fields.moment("lastUpdatedBefore"),
        flaws=flaws,
        notes=tuple(fields.notes),
        repeated=repeated,
    )


def _order(fields: Fields, account: str, source: str, as_of: datetime, asked: bool) -> Order:
    listed = [Fields(value, path, fields.notes) for value, path in fields.required_list("orderItems")]
    tells = asked or any(item.has("cancellation") for item in listed)
    items = tuple(_item(each, tells) for each in listed)
    # Without includedData=FULFILLMENT nothing is said of it.
    told = fields.get("fulfillment") is not None
    fulfillment = fields.required_within("fulfillment") if told else fields.within("fulfillment")
    return Order(
        account=account,
        id=fields.order_id("orderId"),
        status=read_status(fulfillment, "fulfillmentStatus") if told else OrderStatus.UNKNOWN,
        fulfilment=read_fulfilment(fulfillment, "fulfilledBy") if told else Fulfilment.UNKNOWN,
        as_of=as_of,
        source=source,
        items=items,
        marketplace=marketplace_of(fields.required_within("salesChannel").text("marketplaceId")),
        purchased_at=fields.required_moment("createdTime"),
        ship_by=fulfillment.within("shipByWindow").moment("latestDateTime"),
        updated_at=fields.required_moment("lastUpdatedTime"),
        request_as_of=as_of if tells and all_known(items) else None,
    )


def _item(fields: Fields, tells: bool) -> OrderItem:
    product = fields.required_within("product")
    request, reason = _formal_request(fields) if tells else (RequestKnowledge.UNKNOWN, "")
    return OrderItem(
        id=fields.required_text("orderItemId"),
        sku=product.text("sellerSku"),
        asin=product.text("asin"),
        title=product.text("title"),
        quantity=fields.required_number("quantityOrdered"),
        formal_request=request,
        cancel_reason=reason,
        cancelled_by=_cancelled_by(fields),
        quantity_shipped=fields.within("fulfillment").number("quantityFulfilled"),
    )


def _formal_request(fields: Fields) -> tuple[RequestKnowledge, str]:
    """What the item says of a formal request, and the buyer's reason. Only a request by the buyer is one: one by somebody else is
    not, and one by nobody in particular leaves it unknown."""
    cancellation = fields.within("cancellation")
    for holder, name in ((fields, "cancellation"), (cancellation, "cancellationRequest")):
        value = holder.get(name)
        if value is None:
            return RequestKnowledge.NO, ""
        if not isinstance(value, dict):
            holder.note(name, "this is not an object: whether there is a formal request is unknown")
            return RequestKnowledge.UNKNOWN, ""
    request = cancellation.within("cancellationRequest")
    match request.text("requester").upper():
        case "BUYER":
            return RequestKnowledge.YES, request.text("cancelReason")
        case "MERCHANT" | "SELLER" | "AMAZON":
            return RequestKnowledge.NO, ""
    request.note("requester", "this does not say who asked: whether there is a formal request is unknown")
    return RequestKnowledge.UNKNOWN, ""


def _cancelled_by(fields: Fields) -> Canceller:
    return read_canceller(fields.within("cancellation").within("cancellationExecution"), "cancelledBy")
