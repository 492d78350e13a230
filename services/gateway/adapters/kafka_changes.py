"""State changes to other gateways, by Kafka. They are a trigger only: what does not arrive is found by heads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from libs.kafka.producer import acknowledged, create_producer
from libs.runtime.health import Progress
from libs.runtime.lifecycle import close_within
from libs.runtime.logging import get_logger
from libs.schemas.records import MembershipChange, StateChange
from services.gateway import metrics

log = get_logger(__name__)

_QUEUE = 10_000
_RETRY_SECONDS = 2.0
_CLOSE_SECONDS = 2.0


class KafkaStateChanges:
    """See ports.StateChanges. `run` sends what was published, in order."""

    def __init__(self, bootstrap: str, topic: str, progress: Progress) -> None:
        self._bootstrap, self._topic, self._progress = bootstrap, topic, progress
        self._queue: asyncio.Queue[tuple[bytes, Sequence[int]]] = asyncio.Queue(_QUEUE)

    def publish(self, change: StateChange | MembershipChange, slots: Sequence[int]) -> None:
        """See ports.StateChanges."""
        try:
            self._queue.put_nowait((change.model_dump_json(by_alias=True, exclude_none=True).encode(), slots))
        except asyncio.QueueFull:
            metrics.STATE_CHANGES_LOST.inc(len(slots))

    async def run(self) -> None:
        """Sends until cancelled; while the broker is away it tries again and again."""
        while True:
            producer = create_producer(self._bootstrap, client_id="carillon-gateway")
            try:
                await producer.start()
                await self._send(producer)
            except (KafkaError, OSError) as error:
                self._progress.holding(f"Kafka: {type(error).__name__}")
                log.warning("state_changes_held", errors=[type(error).__name__])
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                await close_within(_CLOSE_SECONDS, "state changes", producer.stop())

    async def _send(self, producer: AIOKafkaProducer) -> None:
        while True:
            self._progress.made()
            with contextlib.suppress(TimeoutError):
                value, slots = await asyncio.wait_for(self._queue.get(), _RETRY_SECONDS)
                await self._send_one(producer, value, slots)

    async def _send_one(self, producer: AIOKafkaProducer, value: bytes, slots: Sequence[int]) -> None:
        try:
            await acknowledged([await producer.send(self._topic, value, partition=slot) for slot in slots])
        except (KafkaError, TimeoutError):
            metrics.STATE_CHANGES_LOST.inc(len(slots))
