"""Does what is due without an event: tells what was scheduled or is for all tenants, sends digests, cancels."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from libs.runtime.clock import Clock, iso, utc_now
from services.router import metrics
from services.router.domain.handover import Handover, Retraction
from services.router.errors import GivenBack
from services.router.handlers.holding import Holding
from services.router.ports import DueWork, Interest, Ledger, Outbox

T = TypeVar("T")

AT_ONCE, PER_TENANT = 500, 50
TIDY_EVERY = 60.0


class DueHandler:
    """Looks every `interval` seconds, and again at once while there is more."""

    def __init__(
        self,
        due: DueWork,
        ledger: Ledger,
        outbox: Outbox,
        holding: Holding,
        *,
        interval: float,
        clock: Clock = utc_now,
    ) -> None:
        self._due, self._ledger, self._outbox, self._holding = due, ledger, outbox, holding
        self._interval, self._clock = interval, clock
        self._after_scheduled = self._after_digests = ""
        self._tidied = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when the process stops. What was not committed is taken again, by anybody."""
        with contextlib.suppress(GivenBack):
            while not stop.is_set():
                if not await self.round():
                    await self._tidy()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), self._interval)

    async def round(self) -> bool:
        """Does some of everything that is due; whether there was any."""
        look = await self._until("due-look", self._due.look)
        if look.cancellations:
            await self._until("cancel", self._cancel)
        if look.scheduled:
            await self._until("tell-scheduled", self._tell)
        if look.broadcasts:
            await self._until("tell-tenants", self._broadcast)
        if look.digests:
            await self._until("close-digests", self._close)
        return look.cancellations or look.scheduled or look.broadcasts or look.digests

    async def _until(self, step: str, work: Callable[[], Awaitable[T]]) -> T:
        done = await self._holding.until_done(step, work)
        self._holding.progress.made()
        return done

    async def _cancel(self) -> None:
        withdrawn = await self._due.cancel(AT_ONCE)
        at = iso(self._clock())
        handover = Handover(retractions=[Retraction(one, places, at) for one, places in withdrawn if places])
        metrics.CANCELLED.inc(len(withdrawn))
        # A gateway that is not told sees that the head of its room moved on.
        rooms = handover.rooms()
        interest = await self._ledger.interest(rooms) if rooms else Interest()
        await self._outbox.hand_on(handover, interest.slots)

    async def _tell(self) -> None:
        async with self._due.scheduled(PER_TENANT, AT_ONCE, self._after_scheduled) as found:
            await self._outbox.hand_on(Handover(publications=[publication for _, publication in found]), {})
        self._after_scheduled = found[-1][0] if len(found) >= AT_ONCE else ""
        metrics.TOLD.inc(len(found))

    async def _broadcast(self) -> None:
        async with self._due.broadcast(PER_TENANT) as publications:
            await self._outbox.hand_on(Handover(publications=list(publications)), {})
        metrics.BROADCAST.inc(len(publications))

    async def _close(self) -> None:
        self._after_digests, due = await self._due.close_digests(PER_TENANT, AT_ONCE, self._after_digests)
        metrics.DIGESTS.inc(len(due))
        # What is not handed on here is found by delivery once its grace is over.
        await self._until("digests-hand-on", partial(self._outbox.hand_on, Handover(deliveries=due), {}))

    async def _tidy(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._tidied >= TIDY_EVERY:
            self._tidied = now
            await self._until("tidy", self._due.tidy)
