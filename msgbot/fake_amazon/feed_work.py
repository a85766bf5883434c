"""What Amazon does with a feed: cancels orders, records refunds, and says of each message what came of it (domain.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.ElementTree import fromstring

from msgbot.fake_amazon.orders import Cancelled, FakeOrder, Refund, Status
from msgbot.fake_amazon.world import World

ACKNOWLEDGEMENT = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
ADJUSTMENT = "POST_PAYMENT_ADJUSTMENT_DATA"
MESSAGE_TYPES = {ACKNOWLEDGEMENT: "OrderAcknowledgement", ADJUSTMENT: "OrderAdjustment"}
CANCEL_REASONS = frozenset(
    {
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
)
ADJUSTMENT_REASONS = frozenset(
    {"NoInventory", "CustomerCancel", "CustomerReturn", "GeneralAdjustment", "CouldNotShip", "PriceError"}
)
# The one code that is known from a real report; its words are followed by ours.
INCOMPLETE = ("18028", "The data you submitted is incomplete or invalid.")


class Unreadable(ValueError):
    """The whole feed cannot be read: it ends as FATAL."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a feed."""

    id: str
    order_id: str
    body: Element

    @property
    def cancels(self) -> bool:
        """Whether it asks to cancel, rather than to acknowledge."""
        return self.body.tag == "OrderAcknowledgement" and _text(self.body, "StatusCode") == "Failure"


class _Wrong(ValueError):
    """One message is wrong; the others are done all the same."""


def read_messages(feed_type: str, seller_id: str, data: bytes | None) -> list[Message]:
    """The messages of a feed. Raises Unreadable for one that is no such XML, or another seller's."""
    try:
        root = fromstring(data or b"", forbid_dtd=True)
    except (SyntaxError, ValueError) as cause:
        raise Unreadable("no XML") from cause
    if root.tag != "AmazonEnvelope" or _text(root, "Header/MerchantIdentifier") != seller_id:
        raise Unreadable("no envelope of this seller")
    wanted = MESSAGE_TYPES[feed_type]
    if _text(root, "MessageType") != wanted:
        raise Unreadable("another message type than the feed's")
    messages = []
    for message in root.findall("Message"):
        body = message.find(wanted)
        if body is None:
            raise Unreadable("a message without its body")
        messages.append(Message(_text(message, "MessageID"), _text(body, "AmazonOrderID"), body))
    if not messages or len({message.id for message in messages}) < len(messages):
        raise Unreadable("no messages, or two with one id")
    return messages


def work(world: World, feed_type: str, seller_id: str, feed_id: str, data: bytes | None) -> bytes:
    """Does what the feed says and gives the processing report. Raises Unreadable; then nothing was done."""
    messages = read_messages(feed_type, seller_id, data)
    do = _acknowledge if feed_type == ACKNOWLEDGEMENT else _adjust
    wrong: list[tuple[Message, str]] = []
    for message in messages:
        try:
            order = world.orders.get(message.order_id)
            if order is None or order.seller_id != seller_id:
                raise _Wrong("The order was not found.")
            do(world, order, message)
        except _Wrong as fault:
            wrong.append((message, str(fault)))
    return _report(seller_id, feed_id, len(messages), wrong)


def _acknowledge(world: World, order: FakeOrder, message: Message) -> None:
    if _text(message.body, "StatusCode") not in {"Success", "Failure"}:
        raise _Wrong("StatusCode must be Success or Failure.")
    items = {_text(item, "AmazonOrderItemCode"): _text(item, "CancelReason") for item in message.body.findall("Item")}
    if not items.keys() <= {item.id for item in order.items}:
        raise _Wrong("The order has no item with this AmazonOrderItemCode.")
    if not message.cancels:
        return
    if not CANCEL_REASONS.issuperset(items.values()):
        raise _Wrong("CancelReason has an invalid value.")
    if order.fulfilled_by == "AMAZON":
        raise _Wrong("The order is fulfilled by Amazon.")
    if order.status is Status.CANCELLED:
        raise _Wrong("The order is already cancelled.")
    if order.status not in {Status.UNSHIPPED, Status.PENDING}:
        raise _Wrong("The order is already shipped.")
    if items and len(items) < len(order.items) and not world.partial_cancellation:
        raise _Wrong("An order cannot be cancelled in part.")
    for item in order.items:
        if not items or item.id in items:
            world.cancel(order.id, Cancelled("MERCHANT", items.get(item.id, "NoInventory")), item.id)


def _adjust(world: World, order: FakeOrder, message: Message) -> None:
    if order.status not in {Status.SHIPPED, Status.PARTIALLY_SHIPPED}:
        raise _Wrong("The order is not shipped.")
    refunds = [_refund(world, order, item) for item in message.body.findall("AdjustedItem")]
    if not refunds:
        raise _Wrong("AdjustedItem is missing.")
    world.refunds.extend(refunds)
    world.touch(order.id)


def _refund(world: World, order: FakeOrder, adjusted: Element) -> Refund:
    item = next((each for each in order.items if each.id == _text(adjusted, "AmazonOrderItemCode")), None)
    if item is None:
        raise _Wrong("The order has no item with this AmazonOrderItemCode.")
    if _text(adjusted, "AdjustmentReason") not in ADJUSTMENT_REASONS:
        raise _Wrong("AdjustmentReason has an invalid value.")
    amounts: dict[str, Decimal] = {}
    for component in adjusted.findall("ItemPriceAdjustments/Component"):
        amount = component.find("Amount")
        if amount is None or amount.get("currency") != order.currency:
            raise _Wrong("The currency is not that of the order.")
        try:
            amounts[_text(component, "Type")] = Decimal(amount.text or "")
        except InvalidOperation:
            raise _Wrong("An amount is no number.") from None
    if "Principal" not in amounts or amounts["Principal"] + world.refunded(order.id, item.id) > item.price * item.quantity:
        raise _Wrong("The refund is more than what was paid.")
    cancelled = _text(adjusted, "QuantityCancelled") or "0"
    if not (cancelled.isascii() and cancelled.isdigit() and int(cancelled) <= item.quantity):
        raise _Wrong("QuantityCancelled is more than what was ordered.")
    return Refund(order.id, item.id, _text(adjusted, "AdjustmentReason"), int(cancelled), amounts, order.currency)


def _report(seller_id: str, feed_id: str, processed: int, wrong: list[tuple[Message, str]]) -> bytes:
    root = Element("AmazonEnvelope")
    header = SubElement(root, "Header")
    SubElement(header, "DocumentVersion").text = "1.02"
    SubElement(header, "MerchantIdentifier").text = seller_id
    SubElement(root, "MessageType").text = "ProcessingReport"
    outer = SubElement(root, "Message")
    SubElement(outer, "MessageID").text = "1"
    report = SubElement(outer, "ProcessingReport")
    SubElement(report, "DocumentTransactionID").text = feed_id
    SubElement(report, "StatusCode").text = "Complete"
    summary = SubElement(report, "ProcessingSummary")
    counts = {"Processed": processed, "Successful": processed - len(wrong), "WithError": len(wrong), "WithWarning": 0}
    for name, count in counts.items():
        SubElement(summary, f"Messages{name}").text = str(count)
    for message, fault in wrong:
        result = SubElement(report, "Result")
        SubElement(result, "MessageID").text = message.id
        SubElement(result, "ResultCode").text = "Error"
        SubElement(result, "ResultMessageCode").text = INCOMPLETE[0]
        SubElement(result, "ResultDescription").text = f"{INCOMPLETE[1]} {fault}"
        SubElement(SubElement(result, "AdditionalInfo"), "AmazonOrderID").text = message.order_id
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
