"""Dead letters on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer

from libs.kafka.producer import acknowledged
from libs.schemas.records import DeadLetter

_TIMEOUT = 15.0  # seconds; without it aiokafka waits for a broker as long as it takes, and nobody hears of it


class KafkaDeadLetters:
    """Implements ports.DeadLetters on the topic of that (prefixed) name.

    The producer is started by the first dead letter: mail needs no broker.
    """

    def __init__(self, create: Callable[[], AIOKafkaProducer], topic: str) -> None:
        self._create, self._topic = create, topic
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Keyed by the id, or by the source's position where there is none."""
        async with asyncio.timeout(_TIMEOUT):
            producer = await self._started()
            sent = [await producer.send(self._topic, _value(letter), key=_key(letter)) for letter in letters]
            await acknowledged(sent)

    async def close(self) -> None:
        """Ends the producer, if there is one."""
        if self._producer is not None:
            await self._producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = self._create()
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer


def _value(letter: DeadLetter) -> bytes:
    return letter.model_dump_json(by_alias=True).encode()


def _key(letter: DeadLetter) -> bytes:
    source = letter.source
    return (str(letter.id) if letter.id else f"{source.topic}:{source.partition}:{source.offset}").encode()
