"""Mails and order reports for tests, in the layouts of domain.md sections 5 and 6."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OWN = "orders@seller.example"


def relay_mail(
    words: str,
    *,
    order: str = "114-0000001-0000001",
    number: int = 1,
    buyer: str = "k3jd9sl2+a1b2c3@marketplace.amazon.com",
    at: datetime = NOW,
    notice: str = "BBC_MESSAGE_SENT_TO_MERCHANT",
    extra: str = "",
) -> bytes:
    """A mail as Amazon relays it: the buyer's words between two lines of dashes."""
    named = f" (Order: {order})" if order else ""
    return (
        f"Return-Path: <bounce-{number}@bounces.amazon.com>\n"
        f"From: Jane - Amazon Marketplace <{buyer}>\n"
        f"To: {OWN}\n"
        f"Subject: Inquiry from Amazon customer Jane{named}\n"
        f"Date: {format_datetime(at)}\n"
        f"Message-ID: <{number:04}@email.amazonses.com>\n"
        f"X-Space-Notification-Type: {notice}\n"
        f"{extra}"
        "MIME-Version: 1.0\n"
        'Content-Type: text/plain; charset="utf-8"\n'
        "Content-Transfer-Encoding: 8bit\n"
        "\n"
        "You have received a message.\n"
        f"# {order}:\n"
        "1 / Brass lamp [ASIN: B0TESTTEST]\n"
        "------------- Begin message -------------\n"
        f"{words}\n"
        "------------- End message -------------\n"
        "For Your Information: to help arbitrate disputes, we keep a copy.\n"
    ).encode()


def unshipped_report(*rows: tuple[str, str, str], flag_column: str = "is-buyer-requested-cancellation") -> bytes:
    """An Unshipped Orders report; each row is order id, item id and the value of the formal-request column."""
    header = [
        "order-id", "order-item-id", "purchase-date", "promise-date", "sku", "product-name",
        "quantity-purchased", "quantity-shipped", "quantity-to-ship", flag_column,
    ]  # fmt: skip
    lines = ["\t".join(header)]
    for order, item, flag in rows:
        cells = [order, item, "2026-11-18T08:00:00+00:00", "2026-11-24T08:00:00+00:00", f"SKU-{item}", "Lamp", "1", "0", "1", flag]
        lines.append("\t".join(cells))
    return "".join(line + "\r\n" for line in lines).encode()
