"""Runs the Faust application, and another one where it fails, until the process stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from libs.runtime.health import Progress
from libs.runtime.lifecycle import close_within
from libs.runtime.logging import get_logger
from services.router.entrypoints.batcher import Batcher

PAUSE = 1.0

_log = get_logger(__name__)


async def consume(
    create: Callable[[], tuple[Any, Batcher]], progress: Progress, stop: asyncio.Event, shutdown_timeout: float
) -> None:
    """Returns when the process stops: the batch in hand is finished, or given back when it takes too long."""
    while not stop.is_set():
        app, batcher = create()
        await _run(app, stop)
        if stop.is_set():
            await batcher.finish(shutdown_timeout / 2)
        await close_within(shutdown_timeout / 4, "consumer", app.stop())
        if not stop.is_set():
            progress.holding("the consumer is started again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE)


async def _run(app: Any, stop: asyncio.Event) -> None:
    """Returns when the process stops, or the application could not start or has crashed."""
    starting = asyncio.ensure_future(app.start())
    crashed = app._crashed  # noqa: SLF001 - mode has no public way to wait for a crash
    ends = [asyncio.ensure_future(event.wait()) for event in (stop, crashed)]
    try:
        # A start waits for the broker as long as it takes; a stop does not wait for the start.
        await asyncio.wait((starting, *ends), return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and starting.exception() is None:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (starting, *ends):
            task.cancel()
    if not stop.is_set():
        error = starting.exception() if starting.done() and not starting.cancelled() else None
        _log.error("consumer_ended", errors=[repr(error or app.crash_reason)])
