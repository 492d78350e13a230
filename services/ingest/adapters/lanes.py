"""Diversions in PostgreSQL, shared by all ingest processes, and the ends of Kafka's partitions."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from libs.kafka.faults import is_passing
from libs.postgres import queries
from libs.postgres.progress import next_offsets
from libs.runtime.lifecycle import close_within
from services.ingest.adapters.faults import connected
from services.ingest.domain.accounting import Partition
from services.ingest.domain.lanes import CALM, Diversion
from services.ingest.errors import Retryable

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0
_CALM = timedelta(seconds=CALM)


class PostgresDiversions:
    """services.ingest.ports.Diversions."""

    def __init__(self, pool: asyncpg.Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool, self._clock = pool, clock

    async def announce(self, tenants: Collection[str]) -> None:
        """See ports.Diversions."""
        async with connected(self._pool, _SECONDS) as connection:
            await connection.execute(_SQL["announce"], sorted(tenants))

    async def current(self) -> dict[str, Diversion]:
        """See ports.Diversions. Counted from before the question, so that an effect is never late."""
        asked = self._clock()
        async with connected(self._pool, _SECONDS) as connection:
            rows = await connection.fetch(_SQL["diversions"])
        return {
            row["tenant"]: Diversion(
                asked - row["announced"],
                asked - row["over"],
                None if row["ending"] is None else asked - row["ending"],
            )
            for row in rows
        }

    async def end(self, tenant: str) -> None:
        """See ports.Diversions."""
        async with connected(self._pool, _SECONDS) as connection:
            await connection.execute(_SQL["end"], tenant, _CALM)

    async def remove(self, tenant: str) -> None:
        """See ports.Diversions."""
        async with connected(self._pool, _SECONDS) as connection:
            await connection.execute(_SQL["remove"], tenant)

    async def routed(self, topics: Collection[str]) -> dict[Partition, int]:
        """See ports.Diversions."""
        async with connected(self._pool, _SECONDS) as connection:
            return await next_offsets(connection, "router", topics)


class KafkaEnds:
    """services.ingest.ports.Ends, by a consumer in no group that is connected when it is first needed."""

    def __init__(self, create: Callable[[], AIOKafkaConsumer]) -> None:
        self._create = create
        self._consumer: AIOKafkaConsumer | None = None

    async def ends(self, topics: Collection[str]) -> dict[str, dict[int, int]]:
        """See ports.Ends."""
        try:
            consumer = await self._started()
            await consumer.topics()  # metadata of topics that are not subscribed to comes only when it is asked for
            partitions = [
                TopicPartition(topic, number)
                for topic in topics
                for number in consumer.partitions_for_topic(topic) or ()
            ]
            found = await consumer.end_offsets(partitions)
        except Exception as error:
            await self.close()
            if is_passing(error):
                raise Retryable(f"Kafka: {type(error).__name__}") from error
            raise
        ends: dict[str, dict[int, int]] = {topic: {} for topic in topics}
        for partition, end in found.items():
            ends[partition.topic][partition.partition] = end
        return ends

    async def close(self) -> None:
        """Leaves the broker."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await close_within(_SECONDS, "ends", consumer.stop())

    async def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = self._create()
            try:
                await consumer.start()
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        return self._consumer
