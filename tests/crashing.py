"""Runs msgbot and kills it at a chosen moment: `python crashing.py POINT COUNT_FILE ARGUMENTS...`.

The moments are numbered: two for every commit that any part of msgbot makes (just before and just after it) and two for every
file that is put in its place. POINT 0 kills nothing; the number of moments then stands in COUNT_FILE.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

_point, _counts = int(sys.argv[1]), Path(sys.argv[2])
_moments = itertools.count(1)


def _moment() -> None:
    if next(_moments) == _point:
        os.kill(os.getpid(), signal.SIGKILL)


def _around(work: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*args: Any, **kwargs: Any) -> Any:
        _moment()
        result = work(*args, **kwargs)
        _moment()
        return result

    return counted


if __name__ == "__main__":
    DefaultDialect.do_commit = _around(DefaultDialect.do_commit)  # type: ignore[method-assign]
    Path.replace = _around(Path.replace)  # type: ignore[method-assign]
    sys.argv[1:] = sys.argv[3:]
    from msgbot.cli.main import run

    try:
        run()
    finally:
        _counts.write_text(str(next(_moments) - 1))
