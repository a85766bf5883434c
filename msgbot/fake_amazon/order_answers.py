"""How Amazon writes an order: in v0, in v2026-01-01, and in an ORDER_CHANGE notification (domain.md sections 2 and 3)."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgbot.amazon.marketplaces import by_id
from msgbot.fake_amazon.call import spell
from msgbot.fake_amazon.orders import FakeItem, FakeOrder, Status

V0_STATUS = {
    Status.PENDING: "Pending",
    Status.UNSHIPPED: "Unshipped",
    Status.PARTIALLY_SHIPPED: "PartiallyShipped",
    Status.SHIPPED: "Shipped",
    # One l here, two in v2026-01-01.
    Status.CANCELLED: "Canceled",
}
V0_CHANNEL = {"MERCHANT": "MFN", "AMAZON": "AFN"}


def v0_order(order: FakeOrder) -> dict[str, Any]:
    """The order as `getOrders` and `getOrder` of v0 give it: without its items."""
    return {
        "AmazonOrderId": order.id,
        "PurchaseDate": spell(order.created_at),
        "LastUpdateDate": spell(order.updated_at),
        "OrderStatus": V0_STATUS[order.status],
        "FulfillmentChannel": V0_CHANNEL[order.fulfilled_by],
        "SalesChannel": _domain(order),
        "MarketplaceId": order.marketplace,
        "OrderType": "StandardOrder",
        "NumberOfItemsShipped": sum(item.shipped for item in order.items),
        "NumberOfItemsUnshipped": sum(item.open for item in order.items),
        "OrderTotal": {"CurrencyCode": order.currency, "Amount": str(sum(item.price * item.quantity for item in order.items))},
        "EarliestShipDate": spell(order.created_at),
        "LatestShipDate": spell(order.ship_by),
        "IsBusinessOrder": False,
        "IsPrime": False,
    }


def v0_item(order: FakeOrder, item: FakeItem) -> dict[str, Any]:
    """The item as `getOrderItems` gives it. The flag is a string."""
    asked: dict[str, str] = {"IsBuyerRequestedCancel": "false" if item.request is None else "true"}
    if item.request:
        asked["BuyerCancelReason"] = item.request
    return {
        "OrderItemId": item.id,
        "ASIN": item.asin,
        "SellerSKU": item.sku,
        "Title": item.title,
        "QuantityOrdered": item.quantity,
        "QuantityShipped": item.shipped,
        "ItemPrice": {"CurrencyCode": order.currency, "Amount": str(item.price * item.quantity)},
        "BuyerRequestedCancel": asked,
    }


def v2026_order(order: FakeOrder, included: Collection[str]) -> dict[str, Any]:
    """The order as v2026-01-01 gives it, with the datasets that are `included`."""
    whole: dict[str, Any] = {
        "orderId": order.id,
        "createdTime": spell(order.created_at),
        "lastUpdatedTime": spell(order.updated_at),
        "programs": [],
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": order.marketplace, "marketplaceName": _domain(order)},
        "orderItems": [_v2026_item(order, item, included) for item in order.items],
    }
    if "FULFILLMENT" in included:
        whole["fulfillment"] = {
            "fulfillmentStatus": order.status.value,
            "fulfilledBy": order.fulfilled_by,
            "fulfillmentServiceLevel": "STANDARD",
            "shipByWindow": {"earliestDateTime": spell(order.created_at), "latestDateTime": spell(order.ship_by)},
        }
    return whole


def _v2026_item(order: FakeOrder, item: FakeItem, included: Collection[str]) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "orderItemId": item.id,
        "quantityOrdered": item.quantity,
        "product": {
            "asin": item.asin,
            "title": item.title,
            "sellerSku": item.sku,
            "price": {"unitPrice": {"amount": str(item.price), "currencyCode": order.currency}},
        },
    }
    if "FULFILLMENT" in included:
        whole["fulfillment"] = {"quantityFulfilled": item.shipped, "quantityUnfulfilled": item.open}
    cancellation: dict[str, Any] = {}
    if item.request is not None:
        cancellation["cancellationRequest"] = {"requester": "BUYER", "cancelReason": item.request}
    if item.cancelled:
        cancellation["cancellationExecution"] = {"cancelledBy": item.cancelled.by, "cancelReason": item.cancelled.reason}
    if cancellation and "CANCELLATION" in included:
        whole["cancellation"] = cancellation
    return whole


def order_change(order: FakeOrder, now: datetime, notification_id: str = "") -> dict[str, Any]:
    """The notification that Amazon sends of the order as it is now. The flag is a boolean, and there is no reason."""
    asked = any(item.request is not None for item in order.items)
    status = V0_STATUS[order.status]
    return {
        "NotificationVersion": "1.0",
        "NotificationType": "ORDER_CHANGE",
        "PayloadVersion": "1.0",
        "EventTime": spell(order.updated_at),
        "Payload": {
            "OrderChangeNotification": {
                "NotificationLevel": "OrderLevel",
                "SellerId": order.seller_id,
                "AmazonOrderId": order.id,
                "OrderChangeType": "BuyerRequestedChange" if asked else "OrderStatusChange",
                "OrderChangeTrigger": {
                    "TimeOfOrderChange": spell(order.updated_at),
                    "ChangeReason": "Buyer Requested Cancel" if asked else "Order Status Change",
                },
                "Summary": {
                    "MarketplaceId": order.marketplace,
                    "OrderStatus": status,
                    "PurchaseDate": spell(order.created_at),
                    "DestinationPostalCode": None,
                    "FulfillmentType": V0_CHANNEL[order.fulfilled_by],
                    "OrderType": "StandardOrder",
                    "NumberOfItemsShipped": sum(item.shipped for item in order.items),
                    "NumberOfItemsUnshipped": sum(item.open for item in order.items),
                    "EarliestShipDate": spell(order.created_at),
                    "LatestShipDate": spell(order.ship_by),
                    "OrderItems": [
                        {
                            "OrderItemId": item.id,
                            "SellerSKU": item.sku,
                            "SupplySourceId": None,
                            # The model knows no third word: a cancelled item was not shipped.
                            "OrderItemStatus": "Shipped" if item.shipped == item.quantity else "Unshipped",
                            "Quantity": item.quantity,
                            "QuantityShipped": item.shipped,
                            "IsBuyerRequestedCancel": item.request is not None,
                        }
                        for item in order.items
                    ],
                },
            }
        },
        "NotificationMetadata": {
            "ApplicationId": "amzn1.sp.solution.example",
            "SubscriptionId": "subscription-1",
            "PublishTime": spell(now),
            "NotificationId": notification_id or str(uuid.uuid4()),
        },
    }


def _domain(order: FakeOrder) -> str:
    marketplace = by_id(order.marketplace)
    return marketplace.domain.capitalize() if marketplace else "Amazon.com"
