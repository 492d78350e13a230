"""Waiting for a neighbour that is away: hold the work, say so, try again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from libs.kafka import faults as kafka_faults
from libs.postgres import faults as postgres_faults
from libs.runtime.health import Progress
from libs.runtime.logging import get_logger
from services.delivery.domain.retry import Backoff

T = TypeVar("T")

_BACKOFF = Backoff(base=0.1, cap=5.0)
_log = get_logger(__name__)


class Stopped(Exception):
    """The service stops while a neighbour is away: what was held stays where it is stored."""


async def wait(event: asyncio.Event, seconds: float) -> bool:
    """Waits for the event, no longer than `seconds`; whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def patiently(work: Callable[[], Awaitable[T]], progress: Progress, stop: asyncio.Event, neighbour: str) -> T:
    """What `work` returns, repeated through faults that pass by themselves.

    Raises Stopped when `stop` is set while the neighbour is away, and what does not pass as it is.
    """
    failures = 0
    while True:
        try:
            result = await work()
        except Exception as error:
            if not (postgres_faults.is_passing(error) or kafka_faults.is_passing(error)):
                raise
            failures += 1
            progress.holding(f"{neighbour}: {type(error).__name__}")
            _log.warning("neighbour_away", neighbour=neighbour, errors=[type(error).__name__], failures=failures)
        else:
            progress.made()
            return result
        # Half of it is sure, so that a fault that fails at once is not repeated in a tight loop.
        pause = _BACKOFF.delay(failures, 0.5 + random.random() / 2)  # noqa: S311 - jitter, not a secret
        if await wait(stop, pause):
            raise Stopped
