"""Kafka clients that are closed whatever happens, also when they never reached a broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from libs.kafka.producer import create_producer


@contextlib.asynccontextmanager
async def reading(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group: it commits nothing and is told where to read. Raises aiokafka.errors.KafkaError."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none", fetch_max_wait_ms=100
    )
    try:
        await consumer.start()
        await asyncio.sleep(0)  # its own task must have begun: stopping raises CancelledError otherwise
        yield consumer
    finally:
        await consumer.stop()


@contextlib.asynccontextmanager
async def producing(bootstrap: str, linger_ms: int = 0) -> AsyncIterator[AIOKafkaProducer]:
    """A started producer. Raises aiokafka.errors.KafkaError."""
    producer = create_producer(bootstrap, linger_ms=linger_ms, client_id="carillon-cli")
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()
