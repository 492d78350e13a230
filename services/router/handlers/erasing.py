"""Carries out requests to erase what was said to a person, page by page, and tells the gateways what is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from libs.runtime.clock import Clock, iso, utc_now
from services.router import metrics
from services.router.domain.handover import Handover, Retraction
from services.router.domain.notification import RoomPlace
from services.router.domain.withdrawing import Withdrawn
from services.router.errors import GivenBack
from services.router.handlers.holding import Holding
from services.router.keeping_ports import Erasing
from services.router.ports import Ledger, Outbox


class ErasingHandler:
    """Looks every `interval` seconds, and again at once while there is more."""

    def __init__(
        self,
        erasing: Erasing,
        ledger: Ledger,
        outbox: Outbox,
        holding: Holding,
        *,
        interval: float,
        clock: Clock = utc_now,
    ) -> None:
        self._erasing, self._ledger, self._outbox, self._holding = erasing, ledger, outbox, holding
        self._interval, self._clock = interval, clock

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when the process stops. A page that was not committed is taken again, by anybody."""
        with contextlib.suppress(GivenBack):
            while not stop.is_set():
                more = await self._holding.until_done_or_refused("erase", self.round)
                self._holding.progress.made()
                if not more:
                    await self._holding.pause(self._interval)

    async def round(self) -> bool:
        """One page; whether there was any."""
        page = await self._erasing.page()
        if page is None:
            return False
        metrics.ERASED.inc(page.notifications)
        if page.withdrawn:
            await self._tell(page.withdrawn)
        return True

    async def _tell(self, withdrawn: Sequence[tuple[Withdrawn, tuple[RoomPlace, ...]]]) -> None:
        # A gateway that is not told sees that the head of its room moved on.
        at = iso(self._clock())
        handover = Handover(retractions=[Retraction(one, places, at) for one, places in withdrawn])
        interest = await self._ledger.interest(handover.rooms())
        await self._outbox.hand_on(handover, interest.slots)
