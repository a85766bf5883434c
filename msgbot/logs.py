"""Logs: one line an event, for programs or for people, with the id of the request and never a secret or a buyer's address."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_TOKEN = re.compile(r"\b(msgbot_[0-9a-f]{4,16})_[\w-]+|\bwhsec_[\w+/=-]+")
# Amazon's access and refresh tokens, client secrets, and what makes the address of a document good for anybody.
_AMAZON = re.compile(
    r"\b(Atz[ar]\|)[\w+/=|.-]+|\b(amzn1\.oa2-cs\.)[\w.-]+|\b(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s\"']+"
)
_RELAY = re.compile(r"[\w.+%-]+@(marketplace\.amazon\.[a-z.]+)", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^\s:/@]+):[^\s@]+@")


def configure(level: str, form: str) -> None:
    """Sends everything that is logged, by msgbot and by its libraries, to stderr in the one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=True)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer], foreign_pre_chain=shared
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, getattr(logging, level.upper())))
    # What is no HTTP at all comes from strangers; what fails in ours is logged by the door.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    logging.getLogger("msgbot").setLevel(getattr(logging, level.upper()))


def mask(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event with tokens, webhook secrets, passwords in addresses and the names in buyers' relay addresses masked."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = masked(value)
    return event


def masked(text: str) -> str:
    """`text` without what no log may hold."""
    if "_" in text:
        text = _TOKEN.sub(lambda hit: f"{hit[1]}_…" if hit[1] else "whsec_…", text)
    if "Atz" in text or "amzn1" in text or "X-Amz-" in text:
        text = _AMAZON.sub(lambda hit: f"{hit[1] or hit[2] or hit[3]}…", text)
    if "@" in text:
        text = _RELAY.sub(r"…@\1", text)
        text = _PASSWORD.sub(r"\1:…@", text)
    return text
