"""The ledger in PostgreSQL: the progress rows of libs.postgres.progress."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from libs.postgres.progress import Advance, Progress
from services.ingest.adapters.faults import connected
from services.ingest.domain.accounting import Handled, Partition, count
from services.ingest.errors import PositionLost

CONSUMER = "ingest"
_SECONDS = 10.0


class PostgresLedger:
    """services.ingest.ports.Ledger for one Kafka cluster."""

    def __init__(self, pool: asyncpg.Pool, cluster: str) -> None:
        self._pool, self._progress = pool, Progress(CONSUMER, cluster)

    async def open(self, partition: Partition, *, first: int, end: int) -> int:
        """The offset to read the partition from."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            return await self._progress.open(connection, partition, first=first, end=end)

    async def settle(self, batches: Mapping[Partition, Handled]) -> None:
        """Counts the batches in one transaction."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            next_offsets = await self._progress.lock(connection, batches)
            if missing := batches.keys() - next_offsets.keys():
                raise PositionLost(f"no progress row for {sorted(missing)}: was the database restored?")
            counted = {p: count(batch, next_offsets[p]) for p, batch in batches.items()}
            advances = [
                Advance(*partition, c.next_offset, accepted=c.accepted, dead=c.dead, gaps=c.gaps)
                for partition, c in counted.items()
                if c is not None
            ]
            if advances:
                await self._progress.advance(connection, advances)
