"""Cursors: where a page of a list ended, as an opaque word that the client hands back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from msgbot.store.paging import Place
from msgbot.web.problems import Problem

Row = TypeVar("Row")


def page_of(found: Sequence[Row], limit: int, place: Callable[[Row], Place]) -> tuple[Sequence[Row], str | None]:
    """The page that `found` begins with, which holds one row more than `limit` where another page follows, and the word for
    where that begins."""
    shown = found[:limit]
    return shown, _word(*place(shown[-1])) if len(found) > limit else None


def _word(at: datetime, identity: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), identity]).encode()).decode().rstrip("=")


def read_cursor(word: str | None) -> Place | None:
    """The place that a word stands for. Raises Problem when it is none of ours."""
    if not word:
        return None
    try:
        at, identity = json.loads(base64.b64decode(word + "=" * (-len(word) % 4), altchars="-_", validate=True))
        moment = datetime.fromisoformat(at).astimezone(UTC)
        if identity.encode("utf-8").find(b"\0") >= 0:
            raise ValueError
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        fault = {"path": "cursor", "message": "it comes from the field next_cursor of the page before"}
        raise Problem(422, "invalid", "cursor: none that msgbot gave out", errors=[fault]) from error  # type: ignore[list-item]
    return moment, identity
