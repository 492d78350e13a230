"""Watches that offsets move on while there is work: a consumer that died quietly looks idle from the inside."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping

from libs.kafka import faults as kafka_faults
from libs.postgres import faults as postgres_faults
from libs.runtime.health import Progress
from libs.runtime.logging import get_logger
from services.router import metrics
from services.router.domain.offsets import Partition
from services.router.ports import KafkaLog, Positions

LOOKS = 12  # within the time that offsets may stand still
ANSWER_TIMEOUT = 2.0

_log = get_logger(__name__)


class Watch:
    """What the process reads, and whether it gets anywhere. Readiness and liveness ask it."""

    def __init__(self, lane: str, log: KafkaLog, positions: Positions, progress: Progress) -> None:
        self._lane = lane
        self._kafka_log, self._positions, self.progress = log, positions, progress
        self._assigned: set[Partition] | None = None
        self._seen: Mapping[Partition, int] = {}

    def assigned(self, partitions: Collection[Partition]) -> None:
        """The group has given this process these partitions, and no others."""
        self._assigned = set(partitions)
        self._positions.assigned_anew(partitions)
        metrics.PARTITIONS.labels(self._lane).set(len(partitions))
        _log.info("partitions_assigned", lane=self._lane, status=len(partitions))

    def unassigned(self) -> None:
        """The process is in no group (yet)."""
        self._assigned = None
        metrics.PARTITIONS.labels(self._lane).set(0)

    async def ready(self) -> str | None:
        """What is wrong, for readiness. A process that the group gave nothing is ready to take over."""
        return "no partitions assigned yet" if self._assigned is None else None

    async def run(self, stop: asyncio.Event) -> None:
        """Looks every few seconds until the process stops."""
        while not stop.is_set():
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT):  # clients wait much longer for a broker that is away
                    await self._look()
            except Exception as error:  # noqa: BLE001 - what cannot be asked is reported, and asked again
                if kafka_faults.is_passing(error) or postgres_faults.is_passing(error):
                    self.progress.holding(f"watch: {type(error).__name__}")
                else:
                    _log.error("watch_failed", errors=[f"{type(error).__name__}: {error}"])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.progress.limit / LOOKS)

    async def _look(self) -> None:
        if self._assigned is None:
            await self._kafka_log.bounds(())  # a broker that is away explains it
            return
        assigned = sorted(self._assigned)
        await self._positions.open(assigned)
        at = {partition: self._positions.next_offsets()[partition] for partition in assigned}
        bounds = await self._kafka_log.bounds(assigned)
        # Where progress stands past the end, the topic was made anew: its offsets begin a new generation.
        self._positions.assigned_anew([partition for partition in assigned if at[partition] > bounds[partition][1]])
        if at != self._seen or all(at[partition] >= bounds[partition][1] for partition in assigned):
            self.progress.made()
        self._seen = at
