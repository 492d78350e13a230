"""What delivery writes to Kafka: dead letters, and the lifecycle of notifications."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libs.kafka.producer import LazyProducer, acknowledged
from libs.schemas.records import DeadLetter, LifecycleRecord

_TIMEOUT = 15.0  # seconds; without it aiokafka waits for a broker as long as it takes, and nobody hears of it


class KafkaRecords:
    """Implements ports.DeadLetters and ports.LifecycleTopic on the (prefixed) topics of these names."""

    def __init__(self, producer: LazyProducer, dead: str, lifecycle: str) -> None:
        self._producer, self._dead, self._lifecycle = producer, dead, lifecycle

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Keyed by the id, or by the source's position where there is none."""
        await self._send(self._dead, [(letter.key_on_topic, _json(letter)) for letter in letters])

    async def publish(self, records: Sequence[LifecycleRecord]) -> None:
        """Keyed by the notification."""
        await self._send(self._lifecycle, [(str(r.notification_id).encode(), _json(r)) for r in records])

    async def _send(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT):
                producer = await self._producer.started()
                await acknowledged([await producer.send(topic, value, key=key) for key, value in records])
        except BaseException:
            # What it still holds would come after its repetition: out of order.
            await self._producer.discard()
            raise


def _json(record: DeadLetter | LifecycleRecord) -> bytes:
    return record.model_dump_json(by_alias=True).encode()
