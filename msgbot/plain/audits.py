"""The audit, its proof and its trail as plain data."""

from __future__ import annotations

from typing_extensions import TypedDict

from msgbot.audit import AuditReport, InformalCase, Proof
from msgbot.domain.trail import Entry
from msgbot.plain.amazon import AmazonRateData, amazon_rate_data
from msgbot.plain.messages import moment
from msgbot.plain.orders import RecordedRulingData, recorded_ruling_data


class CaseData(TypedDict):
    """One informal request and what became of it."""

    order_id: str
    message_id: str
    asked_at: str
    score: float
    rule: str
    decision: str
    decision_code: str
    reply: str
    template: str
    reply_at: str
    formal_request_at: str
    order_status: str
    outcome: str


class RateData(TypedDict):
    """The Cancellation Rate over seven days as the orders on file tell it."""

    counted: int
    orders: int


AuditData = TypedDict(
    "AuditData",
    {
        "account": str,
        "from": str | None,
        "to": str | None,
        "outcomes": dict[str, int],
        "cases": list[CaseData],
        "rulings": list[RecordedRulingData],
        "solicited": list[str],
        "rate": RateData,
        "amazon_rates": list[AmazonRateData],
    },
)
"""The audit of a period. `amazon_rates` are Amazon's own, the newest of each marketplace; none where Amazon has not told any."""


class ProofData(TypedDict):
    """What was found in a chain: its entries, the hash of the last, and the first break, if there is one."""

    account: str
    entries: int
    head: str
    broken: str | None


class EntryData(TypedDict):
    """One entry of the audit trail."""

    account: str
    number: int
    at: str
    kind: str
    facts: dict[str, str | int | float | bool | list[str] | None]
    previous: str
    hash: str


def case_data(case: InformalCase) -> CaseData:
    """A case of the audit as plain data."""
    decided, reply = case.decided, case.reply
    return {
        "order_id": case.order_id,
        "message_id": case.message.message.id,
        "asked_at": case.asked_at.isoformat(),
        "score": round(case.message.verdict.score, 4),
        "rule": case.message.verdict.rule,
        "decision": decided.decision.action.value if decided else "",
        "decision_code": decided.decision.code if decided else "",
        "reply": reply.state.value if reply else "",
        "template": reply.template.value if reply else "",
        "reply_at": reply.sent_at.isoformat() if reply and reply.sent_at else "",
        "formal_request_at": case.formal_request_at.isoformat() if case.formal_request_at else "",
        "order_status": case.order.status.value if case.order else "",
        "outcome": case.outcome.value,
    }


def audit_data(report: AuditReport) -> AuditData:
    """The audit as plain data."""
    return {
        "account": report.account,
        "from": moment(report.since),
        "to": moment(report.until),
        "outcomes": {outcome.value: count for outcome, count in report.outcomes.items()},
        "cases": [case_data(case) for case in report.cases],
        "rulings": [recorded_ruling_data(ruling) for ruling in report.rulings],
        "solicited": list(report.solicited),
        "rate": {"counted": report.rate.counted, "orders": report.rate.orders},
        "amazon_rates": [amazon_rate_data(rate) for rate in report.amazon_rates],
    }


def proof_data(proof: Proof) -> ProofData:
    """What was found in a chain, as plain data."""
    broken = str(proof.broken) if proof.broken else None
    return {"account": proof.account, "entries": proof.entries, "head": proof.head, "broken": broken}


def entry_data(entry: Entry) -> EntryData:
    """An entry of the trail as plain data."""
    return {
        "account": entry.account,
        "number": entry.number,
        "at": entry.at.isoformat(),
        "kind": entry.kind.value,
        "facts": dict(entry.facts),
        "previous": entry.previous,
        "hash": entry.hash,
    }
