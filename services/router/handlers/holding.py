"""Holds work while a neighbour is away: repeats it with growing pauses, and gives it back when the process stops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from libs.kafka import faults as kafka_faults
from libs.postgres import faults as postgres_faults
from libs.runtime.health import Progress
from libs.runtime.logging import get_logger
from services.router import metrics
from services.router.errors import GivenBack, Missing, Retryable

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0

_log = get_logger(__name__)


class Holding:
    """Repeats one piece of work at a time until it succeeds.

    A fault that passes by itself is reported as holding, which is healthy. Any other is logged and repeated as well,
    because nothing may be lost, but it is not reported: when it lasts, liveness fails and the process is replaced.
    """

    def __init__(self, progress: Progress, stop: asyncio.Event) -> None:
        self.progress = progress
        self._stop = stop
        self._held = False

    @property
    def held(self) -> bool:
        """Whether work is being held right now."""
        return self._held

    async def until_done(self, step: str, work: Callable[[], Awaitable[T]]) -> T:
        """What the work returns. Raises data faults and Missing at once, and GivenBack when the process stops."""
        pause = FIRST_PAUSE
        try:
            while True:
                try:
                    return await self._unless_stopped(work)
                except (GivenBack, Missing):
                    raise
                except Exception as error:
                    if postgres_faults.is_data_fault(error):
                        raise
                    self._note(step, error)
                await self.pause(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            self._held = False

    async def until_done_or_refused(self, step: str, work: Callable[[], Awaitable[T]]) -> T | None:
        """The same for work that no event waits for: a data fault is logged and ends nothing. None then."""
        try:
            return await self.until_done(step, work)
        except Exception as error:
            if not postgres_faults.is_data_fault(error):
                raise
            metrics.HOLDS.labels(step, type(error).__name__).inc()
            _log.error("work_refused", step=step, errors=[type(error).__name__], exc_info=error)
            return None

    async def _unless_stopped(self, work: Callable[[], Awaitable[T]]) -> T:
        # The first attempt may end in its own time; once the work is held, a stop ends the attempt as well.
        if not self._held:
            return await work()
        attempt, stopped = asyncio.ensure_future(work()), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((attempt, stopped), return_when=asyncio.FIRST_COMPLETED)
            if attempt.done():
                return attempt.result()
            raise GivenBack
        finally:
            stopped.cancel()
            attempt.cancel()
            await asyncio.gather(attempt, stopped, return_exceptions=True)

    def _note(self, step: str, error: Exception) -> None:
        self._held = True
        fault = type(error).__name__
        metrics.HOLDS.labels(step, fault).inc()
        if isinstance(error, Retryable) or postgres_faults.is_passing(error) or kafka_faults.is_passing(error):
            self.progress.holding(f"{step}: {fault}")
            _log.warning("work_held", step=step, errors=[fault])
        else:
            _log.error("work_failed", step=step, errors=[fault], exc_info=error)

    async def pause(self, seconds: float) -> None:
        """Waits, unless the process stops: then it raises GivenBack."""
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
        raise GivenBack
