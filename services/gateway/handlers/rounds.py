"""Loops that go round for ever: a neighbour's fault makes them hold, one of our own is logged, neither ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from libs.runtime.health import Progress
from libs.runtime.logging import get_logger
from services.gateway.errors import Retryable

log = get_logger(__name__)

_PAUSE = 1.0  # seconds after a fault


async def rounds(step: Callable[[], Awaitable[None]], progress: Progress, interval: float = 0.0) -> None:
    """Repeats `step`, with `interval` seconds between, until cancelled."""
    while True:
        try:
            await step()
            progress.made()
            await asyncio.sleep(interval)
        except Retryable as error:
            progress.holding(str(error))
            log.warning("round_held", loop=progress.name, errors=[str(error)])
            await asyncio.sleep(error.after)
        except Exception as error:
            # The sockets of everybody hang on this process: it goes on.
            log.error("round_failed", loop=progress.name, exc_info=error)
            await asyncio.sleep(_PAUSE)
