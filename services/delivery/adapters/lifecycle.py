"""The lifecycle's outbox in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from libs.postgres.queries import load
from libs.schemas.records import LifecycleRecord

_SQL = load(Path(__file__).with_suffix(".sql"))


class PostgresLifecycle:
    """Implements ports.Lifecycle."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def taken(self, limit: int) -> AsyncIterator[Sequence[LifecycleRecord]]:
        """One transaction: it stays open while they are published."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(_SQL["lock"]):
                yield []
                return
            rows = await connection.fetch(_SQL["next"], limit)
            yield [_record(row) for row in rows]
            if told := {(row["tenant"], row["first"]) for row in rows}:
                await connection.execute(_SQL["remove"], *map(list, zip(*told, strict=True)))


def _record(row: asyncpg.Record) -> LifecycleRecord:
    return LifecycleRecord(
        tenant=row["tenant"],
        sequence=row["seq"],
        notification_id=row["notification"],
        delivery_id=row["delivery"],
        channel=row["channel"],
        user_id=row["user_id"],
        state=row["state"],
        reason=row["reason"],
        at=row["at"],
    )
