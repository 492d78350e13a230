"""Records to gateways, by Kafka. They are a trigger only: what counts is found by comparing heads and versions."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Iterator, Sequence
from time import monotonic

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from libs.kafka.producer import acknowledged, create_producer
from libs.runtime.health import Progress
from libs.runtime.lifecycle import close_within
from libs.runtime.logging import get_logger
from libs.schemas.records import Ephemeral, GatewayRecord
from services.gateway import metrics

log = get_logger(__name__)

_QUEUE = 10_000
_LINGER_MS = 5  # when thousands connect, each tells of a presence: a request for each took a fifth of the process
_RETRY_SECONDS = 2.0
_CLOSE_SECONDS = 2.0
_MOMENT = 5.0  # seconds after which nobody wants to hear an ephemeral event any more


class KafkaRecords:
    """See ports.Records. `run` sends what was published, in order."""

    def __init__(self, bootstrap: str, topic: str, progress: Progress) -> None:
        self._bootstrap, self._topic, self._progress = bootstrap, topic, progress
        self._queue: asyncio.Queue[tuple[bytes, Sequence[int], float]] = asyncio.Queue(_QUEUE)
        self._connected = False

    def publish(self, record: GatewayRecord, slots: Sequence[int]) -> None:
        """See ports.Records."""
        if isinstance(record, Ephemeral) and not self._connected:
            metrics.RECORDS_UNSENT.inc(len(slots))  # when the broker is back, its moment is over
            return
        until = monotonic() + _MOMENT if isinstance(record, Ephemeral) else math.inf
        try:
            self._queue.put_nowait((record.model_dump_json(by_alias=True, exclude_none=True).encode(), slots, until))
        except asyncio.QueueFull:
            metrics.RECORDS_UNSENT.inc(len(slots))

    async def run(self) -> None:
        """Sends until cancelled; while the broker is away it tries again and again."""
        while True:
            producer = create_producer(self._bootstrap, linger_ms=_LINGER_MS, client_id="carillon-gateway")
            try:
                await producer.start()
                self._connected = True
                await self._send(producer)
            except (KafkaError, OSError) as error:
                self._progress.holding(f"Kafka: {type(error).__name__}")
                log.warning("records_held", errors=[type(error).__name__])
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                self._connected = False
                await close_within(_CLOSE_SECONDS, "records", producer.stop())

    async def _send(self, producer: AIOKafkaProducer) -> None:
        while True:
            self._progress.made()
            with contextlib.suppress(TimeoutError):
                first = await asyncio.wait_for(self._queue.get(), _RETRY_SECONDS)
                await self._send_together(producer, [first, *self._waiting()])

    def _waiting(self) -> Iterator[tuple[bytes, Sequence[int], float]]:
        while not self._queue.empty():
            yield self._queue.get_nowait()

    async def _send_together(
        self, producer: AIOKafkaProducer, records: list[tuple[bytes, Sequence[int], float]]
    ) -> None:
        """In their order within each slot, and with one wait for all. What waited too long is dropped."""
        now = monotonic()
        fresh = [(value, slot) for value, slots, until in records if now <= until for slot in slots]
        metrics.RECORDS_UNSENT.inc(sum(len(slots) for _, slots, until in records if now > until))
        try:
            await acknowledged([await producer.send(self._topic, value, partition=slot) for value, slot in fresh])
        except (KafkaError, TimeoutError):
            metrics.RECORDS_UNSENT.inc(len(fresh))
