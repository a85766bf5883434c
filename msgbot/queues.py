"""The queues of durable work: which workflow waits in which, and how often those of Amazon may begin.

Amazon limits each seller account by itself (domain.md section 7): such a queue has a lane for each account, and so many begin in a
lane in so many seconds, whichever processes of the installation they run in."""

from __future__ import annotations

from dataclasses import dataclass

from msgbot.spapi import operations
from msgbot.spapi.operations import Operation


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue. With `starts`, no more than that many begin in `seconds` for one account."""

    name: str
    starts: int = 0
    seconds: float = 0.0
    calm: bool = False
    """Whether nothing in it is pressing: it is looked at less often, as each look holds up requests for a moment."""

    @property
    def by_account(self) -> bool:
        """Whether it has a lane for each account."""
        return self.starts > 0


def _at_rate_of(name: str, operation: Operation) -> Queue:
    """A queue whose lanes move as fast as Amazon lets `operation` be called, its burst included."""
    return Queue(name, operation.burst, operation.burst / operation.rate, calm=True)


WORK = Queue("work")
"""The queue of all that has none of its own."""
_OWN = {
    "deliver": Queue("deliveries"),
    "poll": _at_rate_of("order-searches", operations.SEARCH_ORDERS),
    "poll-v0": _at_rate_of("order-searches-v0", operations.V0_GET_ORDERS),
    "refresh": _at_rate_of("order-reads", operations.GET_ORDER),
    "submit": _at_rate_of("feeds", operations.CREATE_FEED),
    "follow": Queue("following", calm=True),
}
QUEUES = (WORK, *_OWN.values())


def queue_of(workflow: str) -> Queue:
    """The queue that a workflow waits in, by its name or id."""
    return _OWN.get(workflow.partition(":")[0], WORK)
