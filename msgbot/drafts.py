"""Drafts: suggestions as mails that wait for a person, with a list of them to read from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgbot.channels.compose import compose_reply
from msgbot.channels.outbox import file_name
from msgbot.domain.conversation import Turn
from msgbot.errors import InputError
from msgbot.scene import outgoing
from msgbot.store.replies import Reply

LIST = "suggestions.txt"


def write_drafts(waiting: Sequence[tuple[Reply, Turn]], settled: Sequence[tuple[Reply, Turn]], folder: Path, store: str) -> None:
    """Makes `folder` hold what is `waiting` for a person, and nothing of what is `settled`: an outdated draft must not be sent."""
    for reply, turn in settled:
        (folder / file_name(outgoing(reply, turn.message, store))).unlink(missing_ok=True)
    if not waiting and not folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["Suggested answers. Nothing here has been sent.", ""]
    for reply, turn in waiting:
        lines += [
            f"Order {reply.order_id or 'unknown'}    {turn.message.buyer_name}    {_write(reply, turn, folder, store)}",
            f"The buyer wrote: {' '.join(turn.message.text.split())[:300]}",
            "Suggested answer:",
            *(f"    {line}" for line in reply.body.rstrip().split("\n")),
            "",
        ]
    if not waiting:
        lines.append("Nothing waits for you.")
    (folder / LIST).write_text("\n".join(lines), encoding="utf-8")


def _write(reply: Reply, turn: Turn, folder: Path, store: str) -> str:
    """Writes the draft; its file name, or why there is none."""
    draft = outgoing(reply, turn.message, store)
    try:
        (folder / file_name(draft)).write_bytes(compose_reply(draft, now=reply.created_at))
    except InputError:
        return "no draft: there is no relay address to answer to"
    return file_name(draft)
