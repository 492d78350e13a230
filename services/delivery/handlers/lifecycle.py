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

_BATCH = 500
_IDLE = 0.2  # seconds: how long nothing is looked for where there was nothing


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
        async with self._lifecycle.taken(_BATCH) as records:
            if records:
                await self._topic.publish(records)
        metrics.LIFECYCLE.inc(len(records))
        return len(records)
