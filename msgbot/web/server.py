"""Runs the service: listens, stops when told to, and lets what was begun come to its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Iterator

import structlog
from aiohttp import web

from msgbot.errors import ConfigError
from msgbot.service import Service

_log = structlog.get_logger()
_LONGEST_HEADER = 64 * 1024
_KEEP_ALIVE_SECONDS = 75.0
"""How long an idle connection stays open; also how long a client may take to send its headers."""

_GARBAGE = 5_000
"""So many new objects are made before the collector looks at them: a batch of messages makes many, and hardly any in circles. With
more, each look would make requests wait noticeably."""
_TURN_SECONDS = 0.001
"""So long a thread in the background may keep requests waiting."""


async def serve(app: web.Application, service: Service, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serves `app` until the process is told to stop (SIGTERM, SIGINT) or the service stops itself. Raises ConfigError when it
    cannot listen there."""
    settings = service.settings
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=_KEEP_ALIVE_SECONDS,
        shutdown_timeout=settings.stop_seconds,
        handler_cancellation=False,
        max_line_size=_LONGEST_HEADER,
        max_field_size=_LONGEST_HEADER,
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=1024)
    try:
        with _told_to_stop(service.stop):
            try:
                await site.start()
            except OSError as error:
                raise ConfigError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
            # The rules are a million objects that stay for good: the collector need not look at them again and again, which would
            # make single requests wait.
            gc.collect()
            gc.freeze()
            gc.set_threshold(_GARBAGE)
            sys.setswitchinterval(_TURN_SECONDS)
            on_ready(f"http://{_shown(host)}:{_port(runner)}")
            await service.stopping.wait()
        _log.info("stopping", seconds=settings.stop_seconds)
    finally:
        await runner.cleanup()


def _port(runner: web.AppRunner) -> int:
    return int(runner.addresses[0][1])


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def _told_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for each in signals:
        loop.add_signal_handler(each, stop)
    try:
        yield
    finally:
        for each in signals:
            loop.remove_signal_handler(each)
