"""A folder that replies are written into as ready-to-send mails; a person or another program sends them."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from msgbot.channels.compose import OutgoingReply, compose_reply
from msgbot.errors import DeliveryError, InputError


@dataclass(frozen=True, slots=True)
class FolderOutbox:
    """Writes each reply as one file. The name follows from the reply, so writing it again replaces it with the same. With
    `by_account`, each account has a folder of its own: one seller's replies must not go out of another's mailbox."""

    folder: Path
    by_account: bool = False

    async def deliver(self, reply: OutgoingReply, at: datetime) -> str:
        """Writes the mail; returns the file's path. Raises DeliveryError when it cannot be written."""
        return str(await asyncio.to_thread(self._write, reply, at))

    def _write(self, reply: OutgoingReply, at: datetime) -> Path:
        folder = self.folder / reply.account if self.by_account else self.folder
        path = folder / file_name(reply)
        # Under a name that nobody takes for a finished mail until it is whole on disk.
        unfinished = path.with_suffix(".part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            mail = compose_reply(reply, now=at)
            with unfinished.open("wb") as file:
                file.write(mail)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except InputError as error:
            raise DeliveryError(str(error)) from error
        except OSError as error:
            raise DeliveryError(f"{path} cannot be written: {error.strerror}") from error
        return path


def file_name(reply: OutgoingReply) -> str:
    """`114-0021197-0051236-1f2e3d4c5b6a7988.eml`: the order, if there is one, and the reply's id."""
    order = f"{reply.order_id}-" if reply.order_id else ""
    return f"{order}{reply.id[:16]}.eml"
