"""The embedded broker: real records, and nothing lost by a crash."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from devstack.kafka import EmbeddedKafka

_TWO_MEGABYTES = 2 * 1024 * 1024


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    kafka = EmbeddedKafka(tmp_path / "kafka", heap="256m")
    kafka.start()
    yield kafka
    kafka.kill()


async def test_large_records_pass(kafka_bootstrap: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}large"
    await _make_topic(kafka_bootstrap, topic)
    await _produce(kafka_bootstrap, topic, b"x" * _TWO_MEGABYTES)
    assert [len(value) for value in await _consume(kafka_bootstrap, topic, 1)] == [_TWO_MEGABYTES]


async def test_unknown_topics_are_not_made(kafka_bootstrap: str, topic_prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.describe_topics([f"{topic_prefix}misspelt"])
        assert f"{topic_prefix}misspelt" not in await admin.list_topics()
    finally:
        await admin.close()


async def test_acknowledged_records_and_committed_offsets_survive_a_crash(own_kafka: EmbeddedKafka) -> None:
    await _make_topic(own_kafka.bootstrap, "kept")
    await _produce(own_kafka.bootstrap, "kept", b"before")
    assert await _consume(own_kafka.bootstrap, "kept", 1, group="readers") == [b"before"]
    own_kafka.kill()
    assert not own_kafka.running
    await asyncio.to_thread(own_kafka.start)
    await _produce(own_kafka.bootstrap, "kept", b"after")
    assert await _consume(own_kafka.bootstrap, "kept", 1, group="readers") == [b"after"]
    assert await _consume(own_kafka.bootstrap, "kept", 2) == [b"before", b"after"]


async def _make_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()


async def _produce(bootstrap: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", max_request_size=_TWO_MEGABYTES * 2
    ) as producer:
        await producer.send_and_wait(topic, value)


async def _consume(bootstrap: str, topic: str, count: int, group: str | None = None) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group or uuid.uuid4().hex,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with consumer, asyncio.timeout(30):
        values = [(await consumer.getone()).value for _ in range(count)]
        await consumer.commit()
        return values
