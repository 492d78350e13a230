"""What delivery writes to Kafka: dead letters, and the lifecycle of notifications."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

from aiokafka import AIOKafkaProducer

from libs.kafka.producer import Acknowledgement, Keyed, LazyProducer, acknowledged, batches
from libs.schemas.records import DeadLetter, LifecycleRecord

_TIMEOUT = 15.0  # seconds; without it aiokafka waits for a broker as long as it takes, and nobody hears of it


class KafkaRecords:
    """Implements ports.DeadLetters and ports.LifecycleTopic on the (prefixed) topics of these names."""

    def __init__(self, producer: LazyProducer, dead: str, lifecycle: str) -> None:
        self._producer, self._dead, self._lifecycle = producer, dead, lifecycle

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Keyed by the id, or by the source's position where there is none."""
        await self._through(partial(self._write, letters))

    async def publish(self, records: Sequence[LifecycleRecord]) -> None:
        """Keyed by the notification, whose id alone says which partition: nobody else writes to this topic."""
        await self._through(partial(self._publish, records))

    async def _through(self, send: Callable[[AIOKafkaProducer], Awaitable[Iterable[Acknowledgement]]]) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT):
                await acknowledged(await send(await self._producer.started()))
        except BaseException:
            # What it still holds would come after its repetition: out of order.
            await self._producer.discard()
            raise

    async def _write(self, letters: Sequence[DeadLetter], producer: AIOKafkaProducer) -> list[Acknowledgement]:
        return [await producer.send(self._dead, _json(letter), key=letter.key_on_topic) for letter in letters]

    async def _publish(self, records: Sequence[LifecycleRecord], producer: AIOKafkaProducer) -> list[Acknowledgement]:
        count = len(await producer.partitions_for(self._lifecycle))
        parts = defaultdict[int, list[Keyed]](list)
        for record in records:
            key = str(record.notification_id).encode()
            parts[record.notification_id.int % count].append((key, _json(record), []))
        return [
            await producer.send_batch(batch, self._lifecycle, partition=partition)
            for partition, part in parts.items()
            for batch in batches(producer, part)
        ]


def _json(record: DeadLetter | LifecycleRecord) -> bytes:
    return record.model_dump_json(by_alias=True).encode()
