"""Waiting for work at Amazon on the command line: it is done here, unless another msgbot works on the database."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from rich.console import Console

from msgbot.config import Settings
from msgbot.office import Office
from msgbot.wiring import open_desk

_LOOK_SECONDS = 0.5
_LOOKS = 10
"""So often it is looked before the place of the one who works is tried again."""


async def wait(out: Console, settings: Settings, office: Office, ended: Callable[[], Awaitable[bool]]) -> None:
    """Calls `ended` again and again until it is true."""
    told = False
    while True:
        async with open_desk(settings, office) as link:
            if link is None and not told:
                told = True
                out.print("Another msgbot works on this database and does it.")
            # Whoever works may stop before this is done: a command does, when its own work is.
            for _ in itertools.count() if link is not None else range(_LOOKS):
                if await ended():
                    return
                await asyncio.sleep(_LOOK_SECONDS)
