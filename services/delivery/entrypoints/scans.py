"""The loops over the ledger: what is due, whose lease ran out, what has no dead letter yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from libs.runtime.health import Progress
from services.delivery import metrics
from services.delivery.handlers.burial import Burial
from services.delivery.handlers.intake import Intake
from services.delivery.handlers.patience import Stopped, patiently, wait
from services.delivery.ports import Ledger

_REAPED_AT_ONCE = 500
_COUNTED = 10_000


async def every(seconds: float, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Does the work again and again until `stop`, with a pause of `seconds` in between."""
    try:
        while not stop.is_set():
            await work()
            await wait(stop, seconds)
    except Stopped:
        return


class DueScan:
    """The safety net under Kafka, and the clock of retries: planned work that is due is found here."""

    def __init__(self, channel: str, ledger: Ledger, intake: Intake, progress: Progress, stop: asyncio.Event) -> None:
        self._channel, self._ledger, self._intake = channel, ledger, intake
        self._progress, self._stop = progress, stop

    async def once(self) -> None:
        """Ends expired leases, counts what is due, and takes it in."""
        reaped = await patiently(lambda: self._ledger.reap(_REAPED_AT_ONCE), self._progress, self._stop, "postgres")
        metrics.REAPED.labels(self._channel, "claimed").inc(reaped.planned)
        metrics.REAPED.labels(self._channel, "sending").inc(reaped.unknown)
        due = await patiently(lambda: self._ledger.due(_COUNTED), self._progress, self._stop, "postgres")
        metrics.DUE.labels(self._channel).set(due)
        if due:
            await self._intake.due(self._progress)


class BurialScan:
    """Writes missing dead letters."""

    def __init__(self, burial: Burial, progress: Progress, stop: asyncio.Event) -> None:
        self._burial, self._progress, self._stop = burial, progress, stop

    async def once(self) -> None:
        """Writes all that are missing now."""
        await self._burial.all(self._progress, self._stop)
