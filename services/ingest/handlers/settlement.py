"""Counts what was handed on, a little later and for many batches at once, so that producing never waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from libs.runtime.health import Progress
from libs.runtime.logging import get_logger
from services.ingest.domain.accounting import Handled, Partition, merged, positions
from services.ingest.errors import Retryable
from services.ingest.metrics import SETTLE_FAULTS, UNSETTLED
from services.ingest.ports.publishing import Ledger

_log = get_logger(__name__)

#: A transaction at most this often. What lies in between is repeated after a crash, and found to be a duplicate.
_PAUSE = 0.05
_RETRY_AFTER = 1.0
_MAX_UNSETTLED = 20_000  # offsets; then reading waits for the ledger

Commit = Callable[[Mapping[Partition, int]], Awaitable[None]]


class Settlement:
    """Batches wait here until the ledger has them; then their offsets are committed."""

    def __init__(self, ledger: Ledger, commit: Commit, progress: Progress) -> None:
        self._ledger, self._commit, self._progress = ledger, commit, progress
        self._waiting: list[Handled] = []
        self._unsettled = 0
        self._added, self._settled = asyncio.Event(), asyncio.Event()
        self._settled.set()

    def add(self, batches: Iterable[Handled]) -> None:
        """Takes batches whose records are all acknowledged."""
        for batch in batches:
            self._waiting.append(batch)
            self._unsettled += len(batch.offsets)
        UNSETTLED.set(self._unsettled)
        self._settled.clear()
        self._added.set()

    @property
    def is_full(self) -> bool:
        """Whether reading should wait."""
        return self._unsettled > _MAX_UNSETTLED

    async def done(self) -> None:
        """Returns when nothing waits any more."""
        await self._settled.wait()

    async def run(self) -> None:
        """Settles for ever; raises PositionLost when there is nothing to count on."""
        while True:
            await self._added.wait()
            self._added.clear()
            batches, self._waiting = merged(self._waiting), []
            await self._settle(batches)
            self._unsettled = sum(len(batch.offsets) for batch in self._waiting)
            UNSETTLED.set(self._unsettled)
            if not self._waiting:
                self._settled.set()
            await asyncio.sleep(_PAUSE)

    async def _settle(self, batches: Mapping[Partition, Handled]) -> None:
        while True:
            try:
                await self._ledger.settle(batches)
            except Retryable as fault:
                SETTLE_FAULTS.inc()
                _log.warning("ledger_away", errors=str(fault))
                self._progress.holding(str(fault))
                await asyncio.sleep(_RETRY_AFTER)
            else:
                await self._commit(positions(batches))
                return
