"""What delivery writes to Kafka: dead letters, and the lifecycle of notifications."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from itertools import repeat

from aiokafka import AIOKafkaProducer

from libs.kafka.producer import Acknowledgement, LazyProducer, acknowledged, batches
from libs.schemas.records import DeadLetter
from services.delivery.ports import LifecyclePart

_TIMEOUT = 15.0  # seconds; without it aiokafka waits for a broker as long as it takes, and nobody hears of it
_NO_HEADERS: list[tuple[str, bytes]] = []


class KafkaRecords:
    """Implements ports.DeadLetters and ports.LifecycleTopic on the (prefixed) topics of these names."""

    def __init__(self, producer: LazyProducer, dead: str, lifecycle: str) -> None:
        self._producer, self._dead, self._lifecycle = producer, dead, lifecycle

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Keyed by the id, or by the source's position where there is none."""
        await self._through(partial(self._write, letters))

    async def partitions(self) -> int:
        """Of the lifecycle's topic."""
        async with asyncio.timeout(_TIMEOUT):
            return len(await (await self._producer.started()).partitions_for(self._lifecycle))

    async def publish(self, parts: Sequence[LifecyclePart]) -> None:
        """Each part to its partition: nobody else writes to this topic."""
        await self._through(partial(self._publish, parts))

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

    async def _publish(self, parts: Sequence[LifecyclePart], producer: AIOKafkaProducer) -> list[Acknowledgement]:
        return [
            await producer.send_batch(batch, self._lifecycle, partition=part.partition)
            for part in parts
            for batch in batches(producer, zip(part.keys, part.values, repeat(_NO_HEADERS), strict=False))
        ]


def _json(record: DeadLetter) -> bytes:
    return record.model_dump_json(by_alias=True).encode()
