"""Answers of Amazon's order interfaces, made up in the shape of the models, and the models' own examples."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from msgbot.domain.order import RequestKnowledge
from tests.amazon_models import read_model

AS_OF = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
A, B = "902-1845936-5435065", "902-8745147-1934268"
YES, NO, UNKNOWN = RequestKnowledge.YES, RequestKnowledge.NO, RequestKnowledge.UNKNOWN
READ: Any = {"account": "shop", "source": "amazon", "as_of": AS_OF}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["true", "True ", "BUYER", A]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
"""Any JSON, with words among it that mean something here."""

V0_ORDERS = "/orders/v0/orders"
V2026_ORDERS = "/orders/2026-01-01/orders"


def examples(model: str, path: str, status: str = "200") -> list[Any]:
    """The answers that a model gives as examples of a GET operation: those of the sandbox, and those of its documentation."""
    told = read_model(model)["paths"][path]["get"]["responses"][status]
    found = [each["response"] for each in told.get("x-amzn-api-sandbox", {}).get("static", [])]
    return found + list(told.get("examples", {}).values())


def v0_item(flag: Any = "absent", **changes: Any) -> dict[str, Any]:
    """An item of `getOrderItems`; `flag` is its `BuyerRequestedCancel`, left out where it is "absent"."""
    item = {"ASIN": "B0TEST0001", "OrderItemId": "1", "SellerSKU": "MUG-4", "Title": "Mug", "QuantityOrdered": 2, **changes}
    return item if flag == "absent" else {**item, "BuyerRequestedCancel": flag}


def v0_items(*items: dict[str, Any], order: str = A, **changes: Any) -> dict[str, Any]:
    """An answer of `getOrderItems`."""
    return {"payload": {"AmazonOrderId": order, "OrderItems": list(items), **changes}}


def v0_order(order: str = A, **changes: Any) -> dict[str, Any]:
    """An order of `getOrders`."""
    return {
        "AmazonOrderId": order,
        "PurchaseDate": "2026-11-19T08:00:00Z",
        "LastUpdateDate": "2026-11-19T09:00:00Z",
        "OrderStatus": "Unshipped",
        "FulfillmentChannel": "MFN",
        "MarketplaceId": "A1PA6795UKMFR9",
        "LatestShipDate": "2026-11-22T22:59:59Z",
        **changes,
    }


def v2026_item(cancellation: Any = "absent", **changes: Any) -> dict[str, Any]:
    """An item of `getOrder`; `cancellation` is left out where it is "absent"."""
    item = {"orderItemId": "1", "quantityOrdered": 2, "product": {"asin": "B0TEST0001", "sellerSku": "MUG-4"}, **changes}
    return item if cancellation == "absent" else {**item, "cancellation": cancellation}


def v2026_order(*items: dict[str, Any], order: str = A, status: str = "UNSHIPPED", **changes: Any) -> dict[str, Any]:
    """An order of `searchOrders`."""
    return {
        "orderId": order,
        "createdTime": "2026-11-19T08:00:00Z",
        "lastUpdatedTime": "2026-11-19T09:00:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "A1PA6795UKMFR9"},
        "fulfillment": {
            "fulfillmentStatus": status,
            "fulfilledBy": "MERCHANT",
            "shipByWindow": {"latestDateTime": "2026-11-22T22:59:59Z"},
        },
        "orderItems": list(items),
        **changes,
    }


def mws(operation: str, inside: str, namespace: str = "https://mws.amazonservices.com/Orders/2013-09-01") -> bytes:
    """An answer of MWS."""
    space = f' xmlns="{namespace}"' if namespace else ""
    body = f"<{operation}Result>{inside}</{operation}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
    return f'<?xml version="1.0"?>\n<{operation}Response{space}>{body}</{operation}Response>\n'.encode()


def mws_item(flag: str = "", item: str = "1") -> str:
    """An item of `ListOrderItems`; `flag` is XML."""
    return (
        f"<OrderItem><ASIN>B0TEST0001</ASIN><OrderItemId>{item}</OrderItemId><SellerSKU>MUG-4</SellerSKU>"
        f"<QuantityOrdered>2</QuantityOrdered><QuantityShipped>0</QuantityShipped>{flag}</OrderItem>"
    )


def mws_items(*items: str, order: str = A) -> bytes:
    """An answer of `ListOrderItems`."""
    return mws("ListOrderItems", f"<AmazonOrderId>{order}</AmazonOrderId><OrderItems>{''.join(items)}</OrderItems>")
