"""Keyset paging, the newest first: a page goes on behind the last row of the one before, however many rows came in between."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

Place = tuple[datetime, str]
"""Where a page ended: the time and the id of its last row."""


def behind(at: Any, identity: Any, place: Place) -> ColumnElement[bool]:
    """The condition for rows that come after `place`, newest first, with `at` and `identity` as the columns they are ordered by.

    The first half says what the second implies; with it both databases enter the index at the right place."""
    moment, last = place
    return and_(at <= moment, or_(at < moment, identity < last))
