"""A reply to a ready-to-send mail (RFC 5322, RFC 3834). Built here, sent elsewhere.

Not `email.message.EmailMessage`: it breaks the long Message-IDs of Amazon's mail servers into encoded words when it folds
In-Reply-To and References, and the answer loses its thread.
"""

from __future__ import annotations

import quopri
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr

from msgbot.channels.addresses import is_plain, relay_marketplace
from msgbot.channels.decoding import storable
from msgbot.channels.envelope import REPLY_HEADER
from msgbot.errors import InputError

MAX_REFERENCES = 20
"""Ids of a long thread that go into References."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+>")
_TOKEN = re.compile(r"[\w.:-]+", re.ASCII)
_RE = re.compile(r"^(?:re[ \t]*[:：][ \t]*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OutgoingReply:
    """A reply before it is a mail.

    `id` is ours; `message_id` is the Message-ID that the mail will have, fixed before the first try, so that a second one is
    known for the same mail. `to` is the buyer's relay address. `sender` may be empty: then the program that sends the mail says
    who does. `in_reply_to` and `references` are message ids in angle brackets. `automatic` is False where a person sends it.
    """

    id: str
    message_id: str
    order_id: str
    to: str
    sender: str
    sender_name: str
    subject: str
    body: str
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    automatic: bool = True
    account: str = ""
    """The seller account that answers."""


def compose_reply(reply: OutgoingReply, *, now: datetime) -> bytes:
    """The mail, with CRLF line ends and plain ASCII on the wire, dated `now`.

    What came from the other side (subject, ids of the thread) is made fit for a header; what is ours must be so already.
    Raises InputError where `to` is not a relay address of Amazon's, or a value of ours cannot stand in a header.
    """
    if relay_marketplace(reply.to) is None:
        raise InputError(f"reply {reply.id!r} is not sent: {reply.to!r} is not a relay address of Amazon's")
    headers = [
        ("From", _sender(reply)),
        ("To", reply.to),
        ("Subject", _subject(reply.subject)),
        ("Date", format_datetime(now.astimezone(UTC))),
        ("Message-ID", _ours(reply, _MESSAGE_ID, reply.message_id)),
        ("In-Reply-To", reply.in_reply_to if _MESSAGE_ID.fullmatch(reply.in_reply_to) else ""),
        ("References", "\r\n ".join(_thread(reply))),
        # RFC 3834: a machine says that it is one, and asks other machines for silence.
        ("Auto-Submitted", "auto-replied" if reply.automatic else ""),
        ("X-Auto-Response-Suppress", "All" if reply.automatic else ""),
        (REPLY_HEADER, _ours(reply, _TOKEN, reply.id)),
        ("MIME-Version", "1.0"),
        ("Content-Type", 'text/plain; charset="utf-8"'),
        ("Content-Transfer-Encoding", "quoted-printable"),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers if value)
    return head.encode("ascii") + b"\r\n" + _body(reply.body)


def reply_subject(subject: str) -> str:
    """`subject` on one line with one `Re: ` before it, however many it had."""
    words = " ".join(_CONTROL.sub(" ", subject).split())
    return f"Re: {_RE.sub('', words)}".strip()


def _sender(reply: OutgoingReply) -> str:
    if not reply.sender:
        return ""
    if not is_plain(reply.sender):
        raise InputError(f"reply {reply.id!r} is not sent: {reply.sender!r} is not a mail address")
    return formataddr((_ours(reply, _ONE_LINE, reply.sender_name), reply.sender))


def _subject(subject: str) -> str:
    subject = reply_subject(subject)
    if subject.isascii() and len(subject) < 900 and "=?" not in subject:
        return subject
    return Header(subject, "utf-8", header_name="Subject").encode(linesep="\r\n")


def _thread(reply: OutgoingReply) -> list[str]:
    """The ids of the thread that can stand in a header; of a long one the first and the newest."""
    ids = [each for each in dict.fromkeys([*reply.references, reply.in_reply_to]) if _MESSAGE_ID.fullmatch(each)]
    return ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[1 - MAX_REFERENCES :]]


def _ours(reply: OutgoingReply, form: re.Pattern[str], value: str) -> str:
    if not form.fullmatch(value):
        raise InputError(f"reply {reply.id!r} is not sent: {value!r} cannot stand in a header")
    return value


def _body(text: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n") + "\n"
    return quopri.encodestring(storable(lines).encode()).replace(b"\n", b"\r\n")
