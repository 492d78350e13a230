"""How far the router has come in each partition: the progress rows, and what is known of them in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import asyncpg

from libs.postgres.pool import Connection
from libs.postgres.progress import Advance, Progress, next_offsets
from services.router.domain.offsets import Partition
from services.router.errors import Retryable
from services.router.ports import KafkaLog


class PostgresPositions:
    """Implements services.router.ports.Positions.

    Partitions are opened when they are first needed after an assignment.
    """

    def __init__(self, pool: asyncpg.Pool, progress: Progress, log: KafkaLog) -> None:
        self._pool, self._progress, self._log = pool, progress, log
        self._open: set[Partition] = set()
        self._next: dict[Partition, int] = {}

    async def open(self, partitions: Collection[Partition]) -> None:
        """Makes sure that the partitions have a row of the generation in force.

        A partition without progress begins at the first offset that Kafka still has: the database decides what has
        been done, not the consumer group.
        """
        missing = [partition for partition in partitions if partition not in self._open]
        if not missing:
            return
        bounds = await self._log.bounds(missing)
        async with self._pool.acquire() as connection:
            for partition in sorted(missing):
                first, end = bounds[partition]
                self._next[partition] = await self._progress.open(connection, partition, first=first, end=end)
                self._open.add(partition)

    def assigned_anew(self, partitions: Collection[Partition]) -> None:
        """What was known of these partitions may be old: another router may have had them."""
        self._open.difference_update(partitions)

    async def lock(self, connection: Connection, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """The next offsets, locked until the transaction ends. Raises Retryable when a row is gone."""
        at = await self._progress.lock(connection, partitions)
        if gone := set(partitions) - set(at):
            self.assigned_anew(gone)
            raise Retryable(f"no progress rows of {sorted(gone)}")
        return at

    async def advance(self, connection: Connection, advances: Sequence[Advance]) -> None:
        """Moves the partitions on, in the transaction that holds their lock."""
        await self._progress.advance(connection, advances)

    def reached(self, offsets: Mapping[Partition, int]) -> None:
        """Remembers what a committed transaction reached."""
        self._next |= offsets

    async def stored(self, topics: Collection[str]) -> dict[Partition, int]:
        """As of now, whichever process reads them."""
        async with self._pool.acquire() as connection:
            return await next_offsets(connection, self._progress.consumer, topics)

    def next_offsets(self) -> Mapping[Partition, int]:
        """As far as this process knows."""
        return self._next
