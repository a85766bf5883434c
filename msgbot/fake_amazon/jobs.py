"""Work that takes Amazon time: the life of a feed or report from IN_QUEUE to its end, and lists of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgbot.fake_amazon.call import Call, invalid, spell
from msgbot.fake_amazon.trouble import Trouble

STATUSES = frozenset({"CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"})
ENDS = frozenset({"CANCELLED", "DONE", "FATAL"})
KEPT = timedelta(days=90)


@dataclass(slots=True)
class Pace:
    """How long work takes: until it was looked at `looks` times, or `seconds` after it was created where that is given."""

    looks: int = 2
    seconds: float | None = None


@dataclass(slots=True)
class Job:
    """A feed or report. `fate` is how it is to end when trouble was ordered for it, `result` the id of the document it made."""

    id: str
    type: str
    seller_id: str
    marketplaces: tuple[str, ...]
    created_at: datetime
    fate: Trouble | None = None
    status: str = "IN_QUEUE"
    looks: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: str = ""

    def is_due(self, pace: Pace, now: datetime) -> bool:
        """Moves it on from the queue, and says whether its end has come."""
        if pace.seconds is not None:
            share = (now - self.created_at).total_seconds() / pace.seconds if pace.seconds else 1.0
        else:
            share = self.looks / pace.looks if pace.looks else 1.0
        if self.status == "IN_QUEUE" and (share >= 0.5 or self.looks):
            self.status, self.started_at = "IN_PROGRESS", now
        return share >= 1

    def end(self, status: str, now: datetime, result: str = "") -> None:
        """It is over."""
        self.status, self.ended_at, self.result = status, now, result

    def times(self) -> dict[str, Any]:
        """What feeds and reports are told alike of: status and times."""
        told: dict[str, Any] = {
            "processingStatus": self.status,
            "marketplaceIds": list(self.marketplaces),
            "createdTime": spell(self.created_at),
        }
        if self.started_at:
            told["processingStartTime"] = spell(self.started_at)
        if self.ended_at:
            told["processingEndTime"] = spell(self.ended_at)
        return told


AnyJob = TypeVar("AnyJob", bound=Job)


class Lists:
    """Lists of jobs, page by page. A token goes alone: Amazon refuses it together with other parameters."""

    def __init__(self, types_name: str) -> None:
        self._types_name = types_name
        self._tokens: dict[str, tuple[str, list[Job], int]] = {}

    def page(self, call: Call, jobs: Iterable[AnyJob]) -> tuple[list[Job], dict[str, str]]:
        """The newest first, and the token of the next page if there is one, as the answer has it. Raises Refusal (400)."""
        call.only(self._types_name, "marketplaceIds", "pageSize", "processingStatuses", "createdSince", "createdUntil", "nextToken")
        if token := call.one("nextToken"):
            if len(call.query) > 1:
                raise invalid("nextToken must be the only parameter.")
            owner, rest, size = self._tokens.get(token, ("", [], 0))
            if owner != call.seller_id:
                raise invalid("nextToken is invalid.")
        else:
            rest, size = self._found(call, jobs), call.number("pageSize", 10)
        if len(rest) <= size:
            return rest, {}
        following = f"list/{len(self._tokens) + 1}="
        self._tokens[following] = (call.seller_id, rest[size:], size)
        return rest[:size], {"nextToken": following}

    def _found(self, call: Call, jobs: Iterable[AnyJob]) -> list[Job]:
        types = call.several(self._types_name, most=10)
        if not types:
            raise invalid(f"Either {self._types_name} or nextToken is required.")
        statuses = call.several("processingStatuses", STATUSES) or tuple(STATUSES)
        marketplaces = call.several("marketplaceIds", most=10)
        since, until = call.moment("createdSince") or call.at - KEPT, call.moment("createdUntil") or call.at
        found: list[Job] = [
            job
            for job in jobs
            if job.seller_id == call.seller_id
            and job.type in types
            and job.status in statuses
            and (not marketplaces or set(marketplaces) & set(job.marketplaces))
            and since <= job.created_at <= until
        ]
        return sorted(found, key=lambda job: (job.created_at, int(job.id)), reverse=True)
