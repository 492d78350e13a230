"""Kafka's partitions read by offset, beside the consumer group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.router.domain.incoming import Record
from services.router.domain.offsets import Partition, Stretch

READ_TIMEOUT = 10.0  # for a page


class KafkaPartitions:
    """Implements services.router.ports.KafkaLog on a started consumer without a group."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._lock = asyncio.Lock()

    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, tuple[int, int]]:
        asked = [TopicPartition(*partition) for partition in partitions]
        first = await self._consumer.beginning_offsets(asked)
        end = await self._consumer.end_offsets(asked)
        return {(tp.topic, tp.partition): (first[tp], end[tp]) for tp in asked}

    async def read(self, stretch: Stretch, limit: int) -> tuple[list[Record], int]:
        partition = TopicPartition(*stretch.partition)
        async with self._lock:
            (first, end) = (await self.bounds([stretch.partition]))[stretch.partition]
            start, stop = max(stretch.start, first), min(stretch.stop, end)
            self._consumer.assign([partition])
            self._consumer.seek(partition, start)
            records: list[Record] = []
            reached = start
            deadline = time.monotonic() + READ_TIMEOUT
            while reached < stop and len(records) < limit:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{partition} cannot be read at {reached}")
                fetched = await self._consumer.getmany(partition, timeout_ms=1_000, max_records=limit - len(records))
                found = [message for message in fetched.get(partition, ()) if message.offset < stop]
                records += [_record(message) for message in found]
                reached = await self._consumer.position(partition)
            # Behind the last record there is nothing more of the stretch: the rest of it holds no records.
            return records, stretch.stop if reached >= stop else reached


async def started_consumer(bootstrap: str) -> AIOKafkaConsumer:
    """A consumer that is in no group. Raises aiokafka.errors.KafkaError when no broker answers."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, client_id="carillon-router-log", enable_auto_commit=False, auto_offset_reset="none"
    )
    try:
        await consumer.start()
    except BaseException:
        await consumer.stop()
        raise
    return consumer


def _record(message: object) -> Record:
    return Record(
        message.topic,  # type: ignore[attr-defined]  # aiokafka ships no types
        message.partition,  # type: ignore[attr-defined]
        message.offset,  # type: ignore[attr-defined]
        message.key,  # type: ignore[attr-defined]
        message.value,  # type: ignore[attr-defined]
        message.headers,  # type: ignore[attr-defined]
        message.timestamp / 1000,  # type: ignore[attr-defined]
    )
