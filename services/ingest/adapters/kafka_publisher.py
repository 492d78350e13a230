"""Produces records in whole batches: aiokafka's own way, a future and a partitioner call per record, costs twice."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from aiokafka.structs import RecordMetadata

from libs.kafka.faults import RECORD_FAULTS
from libs.kafka.producer import acknowledged, batches
from libs.runtime.lifecycle import close_within
from libs.runtime.tracing import HEADER
from libs.schemas.topics import FOLLOWS_HEADER
from services.ingest.errors import Permanent, Retryable
from services.ingest.ports.publishing import Outgoing

#: Fewer records than this join what other callers send: for them, batches of their own would queue one by one.
_OWN_BATCHES_FROM = 32
_CLOSE_SECONDS = 3.0
_PROBE_SECONDS = 2.0

Sent = asyncio.Future[RecordMetadata]


class KafkaPublisher:
    """services.ingest.ports.publishing.Publisher.

    A producer that failed is replaced: its sequence numbers may have a hole.
    """

    def __init__(self, create: Callable[[], AIOKafkaProducer], prefix: str) -> None:
        self._create, self._prefix = create, prefix
        self._producer: AIOKafkaProducer | None = None
        self._starting: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._turn = itertools.count()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Returns when all are acknowledged. While brokers are away it waits, for as long as the caller lets it."""
        producer = await self._current()
        try:
            await acknowledged(await self._send(producer, records))
        except (KafkaError, OSError) as error:
            self._discard(producer)
            if isinstance(error, RECORD_FAULTS):
                raise Permanent(str(error)) from error
            raise Retryable(f"Kafka did not take the records: {error}") from error

    async def fault(self) -> str | None:
        """What is wrong with the brokers, or None."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                answered = await (await self._current()).client.force_metadata_update()
        except (Retryable, TimeoutError) as error:
            return f"no broker answers: {error}"
        return None if answered else "no broker answers"

    async def close(self) -> None:
        """Stops the producer; does not wait long for brokers that are away."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._producer is not None:
            self._discard(self._producer)
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _current(self) -> AIOKafkaProducer:
        while self._producer is None:
            if self._starting is None or self._starting.done():
                self._starting = asyncio.create_task(self._start())
            await asyncio.shield(self._starting)  # the start goes on for others when this caller gives up
        return self._producer

    async def _start(self) -> None:
        producer = self._create()
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            await self._stop(producer)
            raise Retryable(f"no broker answers: {error}") from error
        except BaseException:
            await self._stop(producer)
            raise
        self._producer = producer

    def _discard(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
            task = asyncio.create_task(self._stop(producer))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _stop(self, producer: AIOKafkaProducer) -> None:
        await close_within(_CLOSE_SECONDS, "producer", producer.stop())

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[Outgoing]) -> list[Sent]:
        if len(records) < _OWN_BATCHES_FROM:
            return [await self._send_one(producer, record) for record in records]
        groups: defaultdict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        spread = next(self._turn)
        counts = {topic: len(await self._partitions(producer, topic)) for topic in {r.topic for r in records}}
        for record in records:
            groups[record.topic, _partition(record, counts[record.topic], spread)].append(record)
        sent: list[Sent] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                for (topic, partition), group in groups.items():
                    tasks.create_task(self._send_group(producer, topic, partition, group, sent))
        except ExceptionGroup as errors:
            for future in sent:
                future.cancel()  # nobody waits for them any more
            raise errors.exceptions[0] from None
        return sent

    async def _send_one(self, producer: AIOKafkaProducer, record: Outgoing) -> Sent:
        count = len(await self._partitions(producer, record.topic))
        future: Sent = await producer.send(
            self._prefix + record.topic,
            record.value,
            record.key,
            partition=_partition(record, count, next(self._turn)),
            headers=_headers(record),
        )
        return future

    async def _send_group(
        self, producer: AIOKafkaProducer, topic: str, partition: int, records: list[Outgoing], sent: list[Sent]
    ) -> None:
        """One partition's records in their order, in as many batches as they fill."""
        for batch in batches(producer, ((r.key, r.value, _headers(r)) for r in records)):
            future = await producer.send_batch(batch, self._prefix + topic, partition=partition)
            sent.append(future)  # at once: it must be known when the next one fails

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> set[int]:
        partitions: set[int] = await producer.partitions_for(self._prefix + topic)
        return partitions


def _partition(record: Outgoing, count: int, spread: int) -> int:
    if record.partition is not None:
        return record.partition
    # Without a key, the records of a batch stay together: fewer, fuller batches; the next ones go elsewhere.
    return spread % count if record.key is None else _hash(record.key) % count


@lru_cache(maxsize=50_000)
def _hash(key: bytes) -> int:
    """As Kafka's own clients place keys, so that whatever else writes a key writes it to the same partition."""
    return int(murmur2(key)) & 0x7FFFFFFF


def _headers(record: Outgoing) -> list[tuple[str, bytes]]:
    headers = [] if record.traceparent is None else [(HEADER, record.traceparent.encode())]
    return headers if record.follows is None else [*headers, (FOLLOWS_HEADER, record.follows)]
