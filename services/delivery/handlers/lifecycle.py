"""Tells customers what became of notifications: from the outbox to `notification.lifecycle`.

Records are removed once Kafka has them, so that a process that dies in between leaves them to the next: a record may be
written twice, and its `sequence` tells.
"""

from __future__ import annotations

import asyncio

from libs.runtime.health import Progress
from services.delivery import metrics
from services.delivery.handlers.patience import Stopped, patiently, wait
from services.delivery.ports import Lifecycle, LifecycleTopic

_BATCH = 5_000  # a transaction, and a batch for each partition, cost more than the records in them
_IDLE = 0.2  # seconds: how long changes gather, unless they fill a batch


class Relay:
    """One of all processes does it at a time."""

    def __init__(self, lifecycle: Lifecycle, topic: LifecycleTopic, progress: Progress) -> None:
        self._lifecycle, self._topic, self._progress = lifecycle, topic, progress

    async def run(self, stop: asyncio.Event) -> None:
        """Relays until `stop`; holds while the database or the broker is away."""
        try:
            while not stop.is_set():
                if await patiently(self._some, self._progress, stop, "lifecycle") < _BATCH:
                    await wait(stop, _IDLE)
        except Stopped:
            return

    async def _some(self) -> int:
        partitions = await self._topic.partitions()
        async with self._lifecycle.taken(_BATCH, partitions) as parts:
            if parts:
                await self._topic.publish(parts)
        count = sum(len(part.keys) for part in parts)
        metrics.LIFECYCLE.inc(count)
        return count
