"""The fast trigger: records of `delivery.*` name what is to be sent now.

Offsets are committed once the named deliveries are claimed in the ledger. From there the ledger answers for them: what
this process does not finish returns to planned with its lease and is found by the due-scan.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, RebalanceInProgressError

from libs.kafka import faults
from libs.runtime.health import Progress
from libs.runtime.logging import get_logger
from services.delivery.entrypoints.records import read
from services.delivery.handlers.intake import Intake
from services.delivery.handlers.patience import Stopped, patiently
from services.delivery.ports import DeadLetters

_POLL_MS = 500
_DAY_MS = 86_400_000  # a batch may be held while a neighbour is away; the heartbeat goes on by itself
_PATIENCE = 10.0  # seconds; aiokafka itself waits for a broker as long as it takes, and nobody hears of it
_log = get_logger(__name__)


class Assigned(ConsumerRebalanceListener):
    """Whether the group has given this process its partitions (which may be none)."""

    def __init__(self) -> None:
        self.yes = False

    async def on_partitions_revoked(self, _revoked: Any) -> None:
        """Until the next assignment."""
        self.yes = False

    async def on_partitions_assigned(self, _assigned: Any) -> None:
        """The process takes part."""
        self.yes = True


def create_consumer(bootstrap: str, group: str) -> AIOKafkaConsumer:
    """A consumer that is neither started nor subscribed yet."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        client_id="carillon-delivery",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=3_000,
        max_poll_interval_ms=_DAY_MS,
    )


class Trigger:
    """Reads one channel's topic (its prefixed name) and hands the ids to the intake."""

    def __init__(
        self,
        channel: str,
        topic: str,
        create: Callable[[], AIOKafkaConsumer],
        intake: Intake,
        letters: DeadLetters,
        clock: Callable[[], datetime],
    ) -> None:
        self._channel, self._topic, self._create = channel, topic, create
        self._intake, self._letters, self._clock = intake, letters, clock
        self.assigned = Assigned()

    async def run(self, progress: Progress, stop: asyncio.Event) -> None:
        """Consumes until `stop`; waits for a broker that is away."""
        consumer = None
        try:
            consumer = await patiently(self._started, progress, stop, "kafka")
            consumer.subscribe([self._topic], listener=self.assigned)
            while not stop.is_set():
                await self._batch(consumer, progress, stop)
        except Stopped:
            pass
        finally:
            self.assigned.yes = False
            if consumer is not None:
                await _stop(consumer)

    async def _started(self) -> AIOKafkaConsumer:
        consumer = self._create()
        try:
            async with asyncio.timeout(_PATIENCE):
                await consumer.start()
        except BaseException:
            await _stop(consumer)
            raise
        return consumer

    async def _batch(self, consumer: AIOKafkaConsumer, progress: Progress, stop: asyncio.Event) -> None:
        poll = partial(consumer.getmany, timeout_ms=_POLL_MS, max_records=500)
        batches = await patiently(poll, progress, stop, "kafka")
        if not batches:
            return
        found = read((record for records in batches.values() for record in records), self._channel, self._clock())
        if found.refused:
            _log.error("record_unreadable", channels=[self._channel], errors=[f.reason for f in found.refused])
            await patiently(partial(self._letters.write, found.refused), progress, stop, "kafka")
        await self._intake.named(found.references, progress)
        await self._commit(consumer, {partition: records[-1].offset + 1 for partition, records in batches.items()})

    async def _commit(self, consumer: AIOKafkaConsumer, offsets: dict[Any, int]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError, RebalanceInProgressError):
            # The partitions went to another process, which reads the records again and finds them claimed.
            _log.info("commit_not_taken", channels=[self._channel])
        except Exception as error:
            if not faults.is_passing(error):
                raise
            _log.warning("commit_failed", channels=[self._channel], errors=[type(error).__name__])


async def _stop(consumer: AIOKafkaConsumer) -> None:
    with contextlib.suppress(TimeoutError):  # the broker ends the session of a member that is silent
        async with asyncio.timeout(_PATIENCE / 2):
            await consumer.stop()
