"""Times as Amazon's interfaces take them."""

from __future__ import annotations

from datetime import UTC, datetime


def written(moment: datetime) -> str:
    """An aware time as ISO 8601 in UTC with `Z`; what is finer than a millisecond is cut off, so it never becomes later."""
    moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond >= 1000 else "seconds") + "Z"
