"""Taking work in: claims in the ledger, no more than will soon be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from libs.runtime.health import Progress
from libs.schemas.records import DeliveryReference
from services.delivery.handlers.patience import patiently
from services.delivery.handlers.sending import Sending
from services.delivery.ports import Ledger


class Intake:
    """Both ways in: the ids that Kafka names, and what the ledger says is due."""

    def __init__(self, ledger: Ledger, sending: Sending, stop: asyncio.Event) -> None:
        self._ledger, self._sending, self._stop = ledger, sending, stop

    async def named(self, references: Sequence[DeliveryReference], progress: Progress) -> None:
        """Returns when each is claimed, or found to need nothing now. Raises Stopped."""
        rest = list(references)
        while rest:
            room = await self._sending.until_room(progress, self._stop)
            part, rest = rest[:room], rest[room:]
            self._sending.put(await patiently(partial(self._ledger.claim, part), progress, self._stop, "postgres"))

    async def due(self, progress: Progress) -> None:
        """Returns when nothing is due any more. Raises Stopped."""
        while True:
            room = await self._sending.until_room(progress, self._stop)
            claimed = await patiently(partial(self._ledger.claim_due, room), progress, self._stop, "postgres")
            self._sending.put(claimed)
            if len(claimed) < room:
                return
