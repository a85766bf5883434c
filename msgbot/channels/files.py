"""Messages out of files and folders: .eml, .mbox, Maildir, .jsonl, .csv. The only module here that opens files.

Memory does not grow with the number of messages. What cannot be read is reported with its place, and the rest goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from msgbot.channels.mail import read_mail
from msgbot.channels.mbox import MAX_KEPT, split_mbox
from msgbot.channels.rows import read_row
from msgbot.channels.tables import BadRow, Row, read_csv, read_jsonl
from msgbot.domain.message import Kind, Message
from msgbot.errors import InputError

ENDINGS = {".eml": "mail", ".mbox": "mbox", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message with its raw content (a mail, or the bytes of a row); `consumed` bytes of all sources were read by then."""

    message: Message
    raw: bytes
    consumed: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place where no message could be read, and what is right there. Line and column count from 1, 0 means the whole file."""

    origin: str
    line: int
    column: int
    reason: str
    consumed: int = 0

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.origin, self.line, self.column) if part)
        return f"{place}: {self.reason}"


def read_sources(
    paths: Sequence[Path], *, account: str, own_addresses: frozenset[str] = frozenset()
) -> Iterator[Incoming | Unreadable]:
    """Every message in files and folders, in order; folders are searched in depth, by name. Never raises for what is in them."""
    done = 0
    for path in _files(paths):
        if isinstance(path, Unreadable):
            yield replace(path, consumed=done)
            continue
        try:
            with path.open("rb") as file:
                for found in _Source(path, file, account, own_addresses).read():
                    yield replace(found, consumed=done + found.consumed)
        except OSError as error:
            yield Unreadable(str(path), 0, 0, f"cannot be read: {error.strerror}", done)
        done += _size(path)


def sources_size(paths: Sequence[Path]) -> int:
    """The bytes that `read_sources` will have consumed at its end."""
    return sum(_size(path) for path in _files(paths) if isinstance(path, Path))


def _files(paths: Sequence[Path]) -> Iterator[Path | Unreadable]:
    for path in paths:
        if not path.exists():
            yield Unreadable(str(path), 0, 0, "no such file or folder")
        elif not path.is_dir():
            yield path
        else:
            found = False
            for file in _files_in(path):
                found = True
                yield file
            if not found:
                endings = ", ".join(ENDINGS)
                yield Unreadable(
                    str(path), 0, 0, f"nothing to read in this folder: it is no Maildir, and no file ends in {endings}"
                )


def _files_in(folder: Path) -> Iterator[Path]:
    """The files of a folder and those below it. In a Maildir every file is a mail, but those in `tmp` are still being written."""
    for place, folders, names in os.walk(folder):
        if {"cur", "new"} <= set(folders) and "tmp" in folders:
            folders.remove("tmp")
        folders.sort()
        is_box = os.path.basename(place) in ("cur", "new") and os.path.isdir(os.path.join(place, "..", "tmp"))
        for name in sorted(names):
            if not name.startswith(".") and (is_box or os.path.splitext(name)[1].lower() in ENDINGS):
                yield Path(place, name)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@dataclass(frozen=True, slots=True)
class _Source:
    """One open file. What its methods yield counts `consumed` from the start of this file."""

    path: Path
    file: BinaryIO
    account: str
    own_addresses: frozenset[str]

    def read(self) -> Iterator[Incoming | Unreadable]:
        kind = ENDINGS.get(self.path.suffix.lower()) or self._sniff()
        if kind == "mail":
            return self._mail()
        if kind == "mbox":
            return self._mbox()
        if kind == "jsonl":
            return self._table(read_jsonl(self.file))
        if kind == "csv":
            return self._table(read_csv(self.file))
        return iter(
            [
                self._problem(
                    f"neither a mail nor an mbox nor JSON lines; what it is can be told from an ending: {', '.join(ENDINGS)}"
                )
            ]
        )

    def _sniff(self) -> str:
        start = self.file.read(4_096).removeprefix(b"\xef\xbb\xbf").lstrip()
        self.file.seek(0)
        if start.startswith(b"From "):
            return "mbox"
        if start.startswith(b"{"):
            return "jsonl"
        is_mail = read_mail(start, account=self.account).kind is not Kind.UNREADABLE
        return "mail" if is_mail else ""

    def _mail(self) -> Iterator[Incoming | Unreadable]:
        raw = self.file.read(MAX_KEPT)
        yield from self._read(raw, str(self.path), _size(self.path))

    def _mbox(self) -> Iterator[Incoming | Unreadable]:
        try:
            for number, raw in enumerate(split_mbox(self.file), 1):
                yield from self._read(raw, f"{self.path} message {number}", self.file.tell())
        except InputError as error:
            yield self._problem(str(error), line=1)

    def _read(self, raw: bytes, origin: str, consumed: int) -> Iterator[Incoming | Unreadable]:
        """One mail. What cannot be read is reported, and kept all the same."""
        message = self._message(raw, origin)
        if message.kind is Kind.UNREADABLE:
            reason = f"{message.note}; a mail begins with headers such as From: and Subject:"
            yield Unreadable(origin, 0, 0, reason, consumed)
        yield Incoming(message, raw, consumed)

    def _message(self, raw: bytes, origin: str) -> Message:
        return read_mail(raw, account=self.account, own_addresses=self.own_addresses, origin=origin)

    def _table(self, rows: Iterator[Row | BadRow]) -> Iterator[Incoming | Unreadable]:
        for row in rows:
            if isinstance(row, BadRow):
                yield self._problem(row.reason, row.line, row.column)
                continue
            origin = f"{self.path} line {row.line}"
            try:
                message = read_row(row.fields, row.raw, account=self.account, own_addresses=self.own_addresses, origin=origin)
                yield Incoming(message, row.raw, self.file.tell())
            except InputError as error:
                yield self._problem(str(error), row.line)

    def _problem(self, reason: str, line: int = 0, column: int = 0) -> Unreadable:
        return Unreadable(str(self.path), line, column, reason, self.file.tell())
