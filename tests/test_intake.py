"""What is not urgent lets piles of messages go first, but does not wait for ever."""

from __future__ import annotations

import asyncio

import pytest

from msgbot import intake as module
from msgbot.intake import Intake


def intake() -> Intake:
    return Intake(None, writers=1)  # type: ignore[arg-type]


async def test_while_piles_are_taken_in_the_rest_waits() -> None:
    here = intake()
    await here.calm()
    with here.pile():
        waiting = asyncio.create_task(here.calm())
        with here.pile():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        assert not waiting.done()
    await waiting


async def test_a_pile_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_PILE_SECONDS", 0.01)
    here = intake()
    with here.pile():
        await here.calm()
