"""The producer: idempotent, acknowledged by all in-sync replicas, batched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

MAX_REQUEST_BYTES = 5 * 1024 * 1024


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


async def acknowledged(sent: Iterable[asyncio.Future[RecordMetadata]]) -> list[RecordMetadata]:
    """Waits until all records are acknowledged; raises the first KafkaError after all have ended."""
    results = await asyncio.gather(*sent, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
