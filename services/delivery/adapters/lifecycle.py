"""The lifecycle's outbox in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from libs.postgres.queries import load
from services.delivery.ports import LifecyclePart

_SQL = load(Path(__file__).with_suffix(".sql"))


class PostgresLifecycle:
    """Implements ports.Lifecycle."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def taken(self, limit: int, partitions: int) -> AsyncIterator[Sequence[LifecyclePart]]:
        """One transaction: it stays open while they are published."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(_SQL["lock"]):
                yield []
                return
            rows = await connection.fetch(_SQL["take"], limit, partitions)
            yield [LifecyclePart(row["partition"], row["keys"], row["values"]) for row in rows]
