"""Replies: what may stand in an answer to a buyer (domain.md section 6, outbound rules), and the facts that templates may use."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_LENGTH = 1_999
_LINK = re.compile(r"https?://|www\.|\b[\w-]{2,}\.(?:com|net|org|de|fr|es|it|jp|cn|co|io|shop|info)\b", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}\.[a-z]{2,}", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\d-])\+?\d[\d ()/.-]{7,18}\d(?![\d-])")
_ORDER = re.compile(r"\b\d{3}-\d{7}-\d{7}\b")
_PITCH = re.compile(
    r"\b(?:reviews?|feedback|ratings?|coupons?|discounts?|vouchers?|promotions?|newsletters?|bewertung\w*|rezension\w*|gutschein\w*|rabatt\w*"
    r"|avis|évaluations?|reseñas?|valoraci[oó]n\w*|descuentos?|cup[oó]n\w*)\b|レビュー|クーポン|割引|评论|好评|优惠|折扣",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a template may name. `order` is the order id, or several joined as the language does; `path` the way through the
    account in the reply's language; `path_english` the verified English path where the other is not verified, else empty;
    `store` the seller's name or empty."""

    order: str
    path: str
    path_english: str = ""
    store: str = ""


def outbound_faults(text: str) -> list[str]:
    """What in `text` Amazon does not allow in a message to a buyer; empty when it may go out."""
    faults = []
    if len(text) > MAX_LENGTH:
        faults.append(f"it is {len(text)} characters long; Amazon takes less than 2000")
    without_orders = _ORDER.sub(" ", text)
    for pattern, name in (
        (_LINK, "a link"),
        (_MAIL, "an e-mail address"),
        (_PHONE, "a phone number"),
        (_PITCH, "marketing or a request for a review"),
    ):
        hit = pattern.search(without_orders)
        if hit is not None:
            faults.append(f"it has {name}: {hit.group().strip()!r}")
    emoji = next((sign for sign in text if unicodedata.category(sign) == "So" or 0x1F000 <= ord(sign) <= 0x1FAFF), None)
    if emoji is not None:
        faults.append(f"it has an emoji or symbol: {emoji!r}")
    if not text.strip():
        faults.append("it is empty")
    return faults
