"""Dead letters on Kafka."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from libs.kafka.producer import acknowledged
from libs.schemas.records import DeadLetter


class KafkaDeadLetters:
    """Implements ports.DeadLetters on the topic of that (prefixed) name."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer, self._topic = producer, topic

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Keyed by the id, or by the source's position where there is none."""
        sent = [await self._producer.send(self._topic, _value(letter), key=_key(letter)) for letter in letters]
        await acknowledged(sent)


def _value(letter: DeadLetter) -> bytes:
    return letter.model_dump_json(by_alias=True).encode()


def _key(letter: DeadLetter) -> bytes:
    source = letter.source
    return (str(letter.id) if letter.id else f"{source.topic}:{source.partition}:{source.offset}").encode()
