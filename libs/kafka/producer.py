"""The producer: idempotent, acknowledged by all in-sync replicas, batched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from libs.runtime.lifecycle import close_within

MAX_REQUEST_BYTES = 5 * 1024 * 1024
_CLOSE_SECONDS = 3.0

Acknowledgement = asyncio.Future[RecordMetadata]
#: Key, value and headers of a record.
Keyed = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]


def create_producer(bootstrap: str, *, linger_ms: int = 0, client_id: str = "carillon") -> AIOKafkaProducer:
    """A producer that is not started yet.

    With `linger_ms` 0 a record leaves at once while batches still form behind the one request in flight, which
    suits a producer that sends a whole batch and waits for it.
    """
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=linger_ms,
        max_batch_size=256 * 1024,
        max_request_size=MAX_REQUEST_BYTES,
        request_timeout_ms=10_000,
    )


async def acknowledged(sent: Iterable[Acknowledgement]) -> list[RecordMetadata]:
    """Waits until all records are acknowledged; raises the first KafkaError after all have ended."""
    results = await asyncio.gather(*sent, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def batches(producer: AIOKafkaProducer, records: Iterable[Keyed]) -> Iterator[BatchBuilder]:
    """The records of one partition in as many batches as they fill, for `send_batch`: a future for each batch costs a
    fraction of one for each record. A record that is larger than a batch has one of its own.
    """
    batch = producer.create_batch()
    for key, value, headers in records:
        if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
            yield batch
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None, headers=headers)
    yield batch


class LazyProducer:
    """A producer that its first use starts. One that has failed may fail for ever: discard it, and the next use makes
    another.

    `create` makes one that is not started.
    """

    def __init__(self, create: Callable[[], AIOKafkaProducer]) -> None:
        self._create = create
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def started(self) -> AIOKafkaProducer:
        """The producer, connected. Raises KafkaError."""
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

    async def discard(self) -> None:
        """Lets the producer send what it has, for a moment: a broker that is away cannot take it."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await close_within(_CLOSE_SECONDS, "producer", producer.stop())
