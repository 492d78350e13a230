"""Removes what was kept long enough: in small steps with pauses, by one process at a time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

from libs.runtime.clock import Clock, utc_now
from services.router import metrics
from services.router.domain.retention import AGED, Aged, Keeping, TenantAge, bounds, overdue, pause
from services.router.errors import GivenBack
from services.router.handlers.holding import Holding
from services.router.keeping_ports import Purge, Purged, Retention


class RetentionHandler:
    """Looks every `interval` seconds; a step removes about `rows` rows."""

    def __init__(
        self,
        retention: Retention,
        holding: Holding,
        keeping: Keeping,
        *,
        interval: float,
        rows: int,
        clock: Clock = utc_now,
    ) -> None:
        self._retention, self._holding, self._keeping = retention, holding, keeping
        self._interval, self._rows, self._clock = interval, rows, clock

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when the process stops: between two steps, each of which is whole."""
        with contextlib.suppress(GivenBack):
            while not stop.is_set():
                await self._holding.until_done_or_refused("retention", self.round)
                self._holding.progress.made()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._interval)

    async def round(self) -> None:
        """Removes all that is past its time, unless another process is doing so."""
        async with self._retention.turn() as purge:
            if purge is None:
                self._show([])
                return
            ages = await purge.ages()
            self._show(ages)
            for age in ages:
                await self._tenant(purge, age)
            self._show(await purge.ages())

    async def _tenant(self, purge: Purge, age: TenantAge) -> None:
        content, audit = bounds(self._keeping, age.own, self._clock())
        if content is not None and overdue(age.oldest, content):
            while await self._paced(partial(self._notifications, purge, age.tenant, content)):
                pass
        for kind in AGED:
            before = audit if kind == "audit" else content
            while before is not None and await self._paced(partial(self._aged, purge, age.tenant, kind, before)):
                pass

    async def _paced(self, step: Callable[[], Awaitable[bool]]) -> bool:
        """Whether there may be more; raises GivenBack when the process stops."""
        began = time.monotonic()
        more = await step()
        self._holding.progress.made()
        await self._holding.pause(pause(time.monotonic() - began) if more else 0.0)
        return more

    async def _notifications(self, purge: Purge, tenant: str, before: datetime) -> bool:
        gone = await purge.notifications(tenant, before, self._rows)
        metrics.PURGED.labels("notifications").inc(gone.notifications)
        metrics.PURGED.labels("entries").inc(gone.entries)
        metrics.PURGED.labels("deliveries").inc(gone.deliveries)
        return gone != Purged(0, 0, 0)

    async def _aged(self, purge: Purge, tenant: str, kind: Aged, before: datetime) -> bool:
        gone = await purge.aged(tenant, kind, before, self._rows)
        metrics.PURGED.labels(kind).inc(gone)
        return gone >= self._rows

    def _show(self, ages: Sequence[TenantAge]) -> None:
        now = self._clock()
        late = (overdue(age.oldest, bounds(self._keeping, age.own, now)[0]) for age in ages)
        metrics.OVERDUE.set(max(late, default=0.0))
        metrics.OLDEST.set(max(((now - age.oldest).total_seconds() for age in ages if age.oldest), default=0.0))
