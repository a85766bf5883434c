"""Order feeds in XML: what cancels orders, and what refunds items of shipped ones (domain.md section 4).

Judges only the form: whether an order may be cancelled is the guard's business. The elements stand in the order that Amazon's
schema asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from msgbot.domain.cancellation import Adjustment, Amount, CancelReason
from msgbot.domain.message import ORDER_ID
from msgbot.errors import InputError

ACKNOWLEDGEMENT_FEED = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
ADJUSTMENT_FEED = "POST_PAYMENT_ADJUSTMENT_DATA"
CONTENT_TYPE = "text/xml; charset=UTF-8"

AMOUNT_KINDS = ("Principal", "Tax", "Shipping", "ShippingTax", "GiftWrap", "GiftWrapTax")
_WITHOUT_FRACTION = {"JPY"}


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An order to be cancelled: all the item codes that it has, and one reason for them."""

    order_id: str
    item_ids: tuple[str, ...]
    reason: CancelReason


def write_acknowledgements(seller_id: str, acknowledgements: Sequence[Acknowledgement]) -> bytes:
    """The feed that cancels these orders; message ids count from 1 in their order.

    Raises InputError for what Amazon would refuse, and for an order that stands there twice.
    """
    messages = [_acknowledgement(each) for each in acknowledgements]
    _refuse_repeated([each.order_id for each in acknowledgements], "order")
    return _envelope(seller_id, "OrderAcknowledgement", messages)


def write_adjustments(seller_id: str, adjustments: Sequence[Adjustment]) -> bytes:
    """The feed that makes these refunds; message ids count from 1 in their order.

    Raises InputError for what Amazon would refuse, and for an item that stands there twice.
    """
    messages = [_adjustment(each) for each in adjustments]
    _refuse_repeated([f"{each.order_id} {each.item_id}" for each in adjustments], "item")
    return _envelope(seller_id, "OrderAdjustment", messages)


def check_adjustment(given: Adjustment) -> None:
    """Raises InputError for what Amazon would refuse in it."""
    _adjustment(given)


def _acknowledgement(given: Acknowledgement) -> Element:
    if not given.item_ids:
        raise InputError(f"the cancellation of order {given.order_id} names no item codes: Amazon wants the code of each item")
    message = Element("OrderAcknowledgement")
    _put(message, "AmazonOrderID", _order_id(given.order_id))
    _put(message, "StatusCode", "Failure")
    for item_id in given.item_ids:
        item = SubElement(message, "Item")
        _put(item, "AmazonOrderItemCode", _item_code(item_id, given.order_id))
        _put(item, "CancelReason", given.reason.value)
    _refuse_repeated(given.item_ids, f"item of order {given.order_id}")
    return message


def _adjustment(given: Adjustment) -> Element:
    what = f"the adjustment of order {given.order_id}"
    if given.quantity < 1:
        raise InputError(f"{what}: the quantity is {given.quantity}; it must be 1 at least")
    if not given.amounts:
        raise InputError(f"{what}: no amount is given to refund")
    if len({amount.currency for amount in given.amounts}) > 1:
        raise InputError(f"{what}: the amounts are in more than one currency")
    _refuse_repeated([amount.kind for amount in given.amounts], f"amount of order {given.order_id}")
    message = Element("OrderAdjustment")
    _put(message, "AmazonOrderID", _order_id(given.order_id))
    _put(message, "ActionType", "Refund")
    item = SubElement(message, "AdjustedItem")
    _put(item, "AmazonOrderItemCode", _item_code(given.item_id, given.order_id))
    _put(item, "AdjustmentReason", given.reason.value)
    prices = SubElement(item, "ItemPriceAdjustments")
    for amount in given.amounts:
        component = SubElement(prices, "Component")
        _put(component, "Type", _known_kind(amount, what))
        _put(component, "Amount", _money(amount, what)).set("currency", amount.currency)
    _put(item, "QuantityCancelled", str(given.quantity))
    return message


def _known_kind(amount: Amount, what: str) -> str:
    if amount.kind not in AMOUNT_KINDS:
        raise InputError(f'{what}: "{amount.kind[:40]}" is not a kind of amount; these are: {", ".join(AMOUNT_KINDS)}')
    return amount.kind


def _money(given: Amount, what: str) -> str:
    """The amount as Amazon's schema wants it: with two digits after the point, or none where the currency has no smaller coin."""
    if not re.fullmatch("[A-Z]{3}", given.currency):
        raise InputError(f'{what}: "{given.currency[:40]}" is not a currency like EUR')
    if not given.amount.is_finite() or not 0 < given.amount < 10**16:
        raise InputError(f"{what}: the amount {given.amount} is no sum that can be refunded")
    smallest = Decimal(1) if given.currency in _WITHOUT_FRACTION else Decimal("0.01")
    if given.amount != given.amount.quantize(smallest):
        raise InputError(f"{what}: the amount {given.amount} {given.currency} is finer than the smallest coin")
    return str(given.amount.quantize(smallest))


def _order_id(order_id: str) -> str:
    if not ORDER_ID.fullmatch(order_id):
        raise InputError(f'"{order_id[:40]}" is not an order id like 123-1234567-1234567')
    return order_id


def _item_code(item_id: str, order_id: str) -> str:
    if not (item_id.isascii() and item_id.isdigit()):
        raise InputError(f'item code "{item_id[:40]}" of order {order_id} is not all digits')
    return item_id


def _refuse_repeated(names: Iterable[str], what: str) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise InputError(f"{what} {name} stands twice in one feed")
        seen.add(name)


def _envelope(seller_id: str, message_type: str, messages: list[Element]) -> bytes:
    if not (seller_id.isascii() and seller_id.isalnum()):
        raise InputError(f'"{seller_id[:40]}" is not a seller id like A1B2C3D4E5F6G7')
    if not messages:
        raise InputError("a feed without messages is refused by Amazon: there is nothing to write")
    root = Element("AmazonEnvelope")
    root.set("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
    root.set("xsi:noNamespaceSchemaLocation", "amzn-envelope.xsd")
    header = SubElement(root, "Header")
    _put(header, "DocumentVersion", "1.01")
    _put(header, "MerchantIdentifier", seller_id)
    _put(root, "MessageType", message_type)
    for number, message_content in enumerate(messages, start=1):
        message = SubElement(root, "Message")
        _put(message, "MessageID", str(number))
        message.append(message_content)
    indent(root)
    content: bytes = tostring(root, "utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + content + b"\n"


def _put(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, name)
    element.text = text
    return element
