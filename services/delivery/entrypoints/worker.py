"""One channel's worker: its loops, and the order in which they stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass

from libs.runtime.health import Health
from libs.runtime.logging import get_logger
from services.delivery.entrypoints.consumer import Trigger
from services.delivery.entrypoints.scans import BurialScan, DueScan, every
from services.delivery.handlers.sending import Sending

_STUCK = 60.0  # seconds without a sign from a loop: every loop gives one each second
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """The parts of one channel, made by the composition root."""

    channel: str
    scan_interval: float
    trigger: Trigger
    due: DueScan
    burials: BurialScan
    sending: Sending

    async def assigned(self) -> str | None:
        """Readiness: whether Kafka has let this process take part."""
        return None if self.trigger.assigned.yes else "no partitions have been assigned yet"

    async def run(self, health: Health, stop: asyncio.Event, timeout: float) -> None:
        """Works until `stop`, then ends within `timeout` seconds: takes no more in, ends the calls that run and
        records them, gives back what was claimed.

        Raises what a loop raised, after an orderly end of the others.
        """
        consuming = health.watch(f"{self.channel}-consumer", _STUCK)
        loops = [
            asyncio.create_task(ending(loop, stop))
            for loop in (
                self.trigger.run(consuming, stop),
                every(self.scan_interval, self.due.once, stop),
                every(self.scan_interval, self.burials.once, stop),
                self.sending.run(stop),
            )
        ]
        await stop.wait()
        try:
            async with asyncio.timeout(timeout):
                await asyncio.gather(*loops, return_exceptions=True)
        except TimeoutError:
            _log.warning("stop_timed_out", channels=[self.channel])  # leases end what could not be ended here
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        for task in loops:
            if not task.cancelled():
                task.result()  # raises what ended it: the process says so as it ends


async def ending(loop: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """A loop whose end is the end of the process."""
    try:
        await loop
    finally:
        stop.set()
