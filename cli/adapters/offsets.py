"""First and end offsets of topics, as the brokers have them now."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from cli.adapters.kafka import reading
from cli.domain.accounting import Ends, Partition


async def read(bootstrap: str, topics: Iterable[str]) -> dict[Partition, Ends]:
    """The offsets of every partition; topics that do not exist are left out. Raises aiokafka.errors.KafkaError."""
    partitions = await _partitions(bootstrap, topics)
    if not partitions:
        return {}
    async with reading(bootstrap) as consumer:
        first = await consumer.beginning_offsets(partitions)
        end = await consumer.end_offsets(partitions)
    return {(p.topic, p.partition): Ends(first[p], end[p]) for p in partitions}


async def _partitions(bootstrap: str, topics: Iterable[str]) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        known = set(await admin.list_topics())
        wanted = [topic for topic in topics if topic in known]
        described = await admin.describe_topics(wanted) if wanted else []
    finally:
        await admin.close()
    return [TopicPartition(topic["topic"], part["partition"]) for topic in described for part in topic["partitions"]]
