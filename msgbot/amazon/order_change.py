"""The notification `ORDER_CHANGE`: an order changed, or its buyer filed a formal request (domain.md section 2).

Notifications come at least once and in any order, and carry no reason: one is a reason to read the order afresh.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from msgbot.amazon.fields import Fields
from msgbot.amazon.json_documents import read_json
from msgbot.amazon.order_words import all_known, marketplace_of, read_flag, read_fulfilment, read_status
from msgbot.domain.order import Fulfilment, Order, OrderItem, OrderStatus
from msgbot.errors import InputError

BUYER_REQUESTED = "BuyerRequestedChange"
"""The kind of change that a formal request is."""


@dataclass(frozen=True, slots=True)
class OrderChange:
    """What one notification says. `notification_id` tells repetitions apart. `kind` is Amazon's word (`BuyerRequestedChange`).

    `at` is when the order changed or, where Amazon does not tell, when the notification was made. `whole` is False when it names
    only some of the order's items. `notes` are sentences about values that are not known.
    """

    notification_id: str
    seller_id: str
    order_id: str
    kind: str
    at: datetime
    whole: bool
    status: OrderStatus
    fulfilment: Fulfilment
    marketplace: str
    items: tuple[OrderItem, ...]
    purchased_at: datetime | None = None
    ship_by: datetime | None = None
    notes: tuple[str, ...] = ()

    def order(self, account: str, source: str, not_after: datetime | None = None) -> Order:
        """The order as it was at the change, or at `not_after` if Amazon's clock is ahead of that. A notification that names only
        some items does not tell of the others' formal requests."""
        as_of = min(self.at, not_after) if not_after is not None else self.at
        return Order(
            account=account,
            id=self.order_id,
            status=self.status,
            fulfilment=self.fulfilment,
            as_of=as_of,
            source=source,
            items=self.items,
            marketplace=self.marketplace,
            purchased_at=self.purchased_at,
            ship_by=self.ship_by,
            request_as_of=as_of if self.whole and all_known(self.items) else None,
        )


def read_notification(data: bytes) -> OrderChange:
    """The change that a message from the queue tells of. Raises InputError when it is none, or does not name its order."""
    fields = Fields(read_json(data, "notification"))
    kind = fields.required_text("NotificationType")
    if kind != "ORDER_CHANGE":
        raise InputError(f'NotificationType is "{kind[:40]}", expected "ORDER_CHANGE"')
    notification_id = fields.required_within("NotificationMetadata").required_text("NotificationId")
    change = fields.required_within("Payload").required_within("OrderChangeNotification")
    summary = change.required_within("Summary")
    return OrderChange(
        notification_id=notification_id,
        seller_id=change.required_text("SellerId"),
        order_id=change.order_id("AmazonOrderId"),
        kind=change.required_text("OrderChangeType"),
        at=change.within("OrderChangeTrigger").moment("TimeOfOrderChange") or fields.required_moment("EventTime"),
        whole=change.text("NotificationLevel") == "OrderLevel",
        status=read_status(summary, "OrderStatus"),
        fulfilment=read_fulfilment(summary, "FulfillmentType"),
        marketplace=marketplace_of(summary.text("MarketplaceId")),
        items=tuple(_item(Fields(value, path, fields.notes)) for value, path in summary.required_list("OrderItems")),
        purchased_at=summary.moment("PurchaseDate"),
        ship_by=summary.moment("LatestShipDate"),
        notes=tuple(fields.notes),
    )


def _item(fields: Fields) -> OrderItem:
    return OrderItem(
        id=fields.required_text("OrderItemId"),
        sku=fields.text("SellerSKU"),
        quantity=fields.number("Quantity"),
        formal_request=read_flag(fields, "IsBuyerRequestedCancel"),
        quantity_shipped=fields.number("QuantityShipped"),
    )
