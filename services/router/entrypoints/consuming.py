"""Runs the Faust application, and another one where it fails, until the process stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from libs.runtime.health import Progress
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
        try:
            await app.start()
            await _stopped_or_crashed(app, stop)
        except Exception as error:  # noqa: BLE001 - Faust raises what its parts raise; another application is made
            _log.warning("consumer_not_started", errors=[f"{type(error).__name__}: {error}"])
        finally:
            if stop.is_set():
                await batcher.finish(shutdown_timeout / 2)
            await _end(app, shutdown_timeout / 2)
        if not stop.is_set():
            progress.holding("the consumer is started again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE)


async def _stopped_or_crashed(app: Any, stop: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, app._crashed)]  # noqa: SLF001 - mode has no public way to wait for a crash
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    if app.crashed and not stop.is_set():
        _log.error("consumer_crashed", errors=[repr(app.crash_reason)])


async def _end(app: Any, timeout: float) -> None:
    try:
        await asyncio.wait_for(app.stop(), timeout)
    except Exception as error:  # noqa: BLE001 - whatever the parts of a stopping application raise, it is over
        _log.warning("consumer_stop_unclean", errors=[f"{type(error).__name__}: {error}"])
