"""Between rows and values: what databases cannot hold is made storable, and verdicts go to JSON and back."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from msgbot.domain.cancellation import Adjustment, AdjustReason, Amount
from msgbot.domain.order import Canceller, OrderItem, RequestKnowledge
from msgbot.domain.verdict import SOME_PART, Intent, Reading, Span, Verdict


def storable(text: str) -> str:
    """`text` without what a database refuses: NUL (PostgreSQL) and halves of surrogate pairs. The raw message is kept as it
    came."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """`verdict` as plain data."""
    # Written out, as this is done for every message; going through all fields by reflection takes ten times as long.
    return {
        "intent": verdict.intent.value,
        "score": verdict.score,
        "rule": verdict.rule,
        "says": storable(verdict.says),
        "evidence": [_span_to_json(span) for span in verdict.evidence],
        "against": [_reading_to_json(reading) for reading in verdict.against],
        "language": verdict.language,
        "part": [_span_to_json(span) for span in verdict.part],
        "filed": verdict.filed,
        "opposes": verdict.opposes,
        "notes": [storable(note) for note in verdict.notes],
    }


def _span_to_json(span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "text": storable(span.text), "role": span.role}


def _reading_to_json(reading: Reading) -> dict[str, Any]:
    return {
        "rule": reading.rule,
        "intent": reading.intent.value,
        "score": reading.score,
        "says": storable(reading.says),
        "spans": [_span_to_json(span) for span in reading.spans],
        "language": reading.language,
    }


def adjustment_to_json(adjustment: Adjustment) -> dict[str, Any]:
    """`adjustment` as plain data; amounts as text, so that no cent is lost."""
    return {
        "order_id": adjustment.order_id,
        "item_id": adjustment.item_id,
        "reason": adjustment.reason.value,
        "quantity": adjustment.quantity,
        "amounts": [[each.kind, str(each.amount), each.currency] for each in adjustment.amounts],
    }


def adjustment_from_json(value: dict[str, Any]) -> Adjustment:
    """What `adjustment_to_json` was given."""
    return Adjustment(
        order_id=value["order_id"],
        item_id=value["item_id"],
        reason=AdjustReason(value["reason"]),
        quantity=value["quantity"],
        amounts=tuple(Amount(kind, Decimal(amount), currency) for kind, amount, currency in value["amounts"]),
    )


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {key: _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return value


def verdict_from_json(data: dict[str, Any]) -> Verdict:
    """The verdict that `verdict_to_json` made plain; also of databases that only noted whether a part is meant, and not which."""
    known = {key: value for key, value in data.items() if key != "partial"}
    part = tuple(Span(**span) for span in data.get("part", ())) or ((SOME_PART,) if data.get("partial") else ())
    return Verdict(
        **{
            **known,
            "part": part,
            "intent": Intent(data["intent"]),
            "evidence": tuple(Span(**span) for span in data["evidence"]),
            "against": tuple(_reading(each) for each in data["against"]),
            "notes": tuple(data["notes"]),
        }
    )


def _reading(data: dict[str, Any]) -> Reading:
    return Reading(**{**data, "intent": Intent(data["intent"]), "spans": tuple(Span(**span) for span in data["spans"])})


def items_to_json(items: tuple[OrderItem, ...]) -> list[dict[str, Any]]:
    """Order items as plain data."""
    return [_clean(asdict(item)) for item in items]


def items_from_json(data: list[dict[str, Any]]) -> tuple[OrderItem, ...]:
    """The items that `items_to_json` made plain, also of databases that did not note who cancelled an item."""
    return tuple(
        OrderItem(
            **{
                **item,
                "formal_request": RequestKnowledge(item["formal_request"]),
                "cancelled_by": Canceller(item.get("cancelled_by", "")),
            }
        )
        for item in data
    )
