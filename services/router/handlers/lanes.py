"""The two lanes: the fast one goes first; the bulk one has what tenants published over their share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from services.router import metrics
from services.router.domain.following import followed, is_behind
from services.router.domain.incoming import Record
from services.router.domain.offsets import Partition
from services.router.handlers.batch import BatchHandler, Follow
from services.router.handlers.holding import Holding
from services.router.ports import Reached

_LOOK = 0.02  # seconds between looks at a fast lane that has to come further first
_FEW = 10  # records that the bulk lane deals with in one go while the fast lane is busy
_REST = 3  # and for how many times as long it rests afterwards
_BUSY = 0.1  # seconds since its last batch for which the fast lane counts as busy


class FastLane:
    """Deals with batches at once, and notes when."""

    def __init__(self, batches: BatchHandler) -> None:
        self._batches, self._began = batches, 0.0

    @property
    def is_busy(self) -> bool:
        """Whether there was a batch a moment ago."""
        return _now() - self._began < _BUSY

    async def handle(self, records: Sequence[Record]) -> None:
        """See BatchHandler."""
        self._began = _now()
        await self._batches.handle(records)


class Following:
    """Waits until everything that records of the bulk lane follow has been dealt with, whichever process does that."""

    def __init__(self, positions: Reached, holding: Holding, prefix: str) -> None:
        self._positions, self._holding, self._prefix = positions, holding, prefix
        self._reached: Mapping[Partition, int] = {}

    async def __call__(self, records: Sequence[Record]) -> None:
        """Raises GivenBack when the process stops."""
        wanted = followed(records, self._prefix)
        if is_behind(wanted, self._reached):
            await self._holding.until_done("follow", lambda: self._caught_up(wanted))

    async def _caught_up(self, wanted: Mapping[Partition, int]) -> None:
        while True:
            self._reached = await self._positions.stored({topic for topic, _ in wanted})
            if not is_behind(wanted, self._reached):
                return
            self._holding.progress.holding("follow: the fast lane is behind")
            await self._holding.pause(_LOOK)


class BulkLane:
    """Deals with a batch when it may, and leaves most of the time to the fast lane while that is busy."""

    def __init__(self, batches: BatchHandler, fast: FastLane, follow: Follow) -> None:
        self._batches, self._fast, self._follow = batches, fast, follow

    async def handle(self, records: Sequence[Record]) -> None:
        """See BatchHandler."""
        await self._follow(records)
        while records:
            records = await self._some(records)

    async def _some(self, records: Sequence[Record]) -> Sequence[Record]:
        """Deals with all of them, or with a few while the fast lane is busy and must not wait for long; the rest."""
        part = records[:_FEW] if self._fast.is_busy else records
        began = _now()
        await self._batches.handle(part)
        metrics.BULK_EVENTS.inc(len(part))
        if self._fast.is_busy:
            await asyncio.sleep(_REST * (_now() - began))
        return records[len(part) :]


def _now() -> float:
    return asyncio.get_running_loop().time()
