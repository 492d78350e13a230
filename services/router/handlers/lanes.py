"""The two lanes: the fast one goes first; the bulk one has what tenants published over their share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from services.router import metrics
from services.router.domain.following import followed, is_behind
from services.router.domain.incoming import Record
from services.router.domain.offsets import Partition
from services.router.handlers.batch import BatchHandler
from services.router.handlers.holding import Holding
from services.router.ports import Positions

_LOOK = 0.02  # seconds between looks at a fast lane that has to come further first
_BUSY = 0.1  # seconds since its last batch for which the fast lane counts as busy


class FastLane:
    """Deals with batches at once, and notes when."""

    def __init__(self, batches: BatchHandler) -> None:
        self._batches, self._began = batches, 0.0

    @property
    def is_busy(self) -> bool:
        """Whether there was a batch a moment ago."""
        return time.monotonic() - self._began < _BUSY

    async def handle(self, records: Sequence[Record]) -> None:
        """See BatchHandler."""
        self._began = time.monotonic()
        await self._batches.handle(records)


class BulkLane:
    """Deals with a batch when everything that it follows has been dealt with, whichever process does that.

    While the fast lane is busy, half of the time is left to it.
    """

    def __init__(
        self, batches: BatchHandler, fast: FastLane, positions: Positions, holding: Holding, prefix: str
    ) -> None:
        self._batches, self._fast, self._positions = batches, fast, positions
        self._holding, self._prefix = holding, prefix
        self._reached: Mapping[Partition, int] = {}

    async def handle(self, records: Sequence[Record]) -> None:
        """See BatchHandler."""
        wanted = followed(records, self._prefix)
        if is_behind(wanted, self._reached):
            await self._holding.until_done("follow", lambda: self._caught_up(wanted))
        began = time.monotonic()
        await self._batches.handle(records)
        metrics.BULK_EVENTS.inc(len(records))
        if self._fast.is_busy:
            await asyncio.sleep(time.monotonic() - began)

    async def _caught_up(self, wanted: Mapping[Partition, int]) -> None:
        while True:
            self._reached = await self._positions.stored({topic for topic, _ in wanted})
            if not is_behind(wanted, self._reached):
                return
            self._holding.progress.holding("follow: the fast lane is behind")
            await self._holding.pause(_LOOK)
