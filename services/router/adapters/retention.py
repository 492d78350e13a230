"""What is kept too long, in PostgreSQL: removed by functions that can remove nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import asyncpg
import orjson

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.schemas.retention import TENANT_SETTING
from services.router.domain.retention import Aged, TenantAge
from services.router.keeping_ports import Purged

_SQL = load(Path(__file__).with_suffix(".sql"))


class PostgresRetention:
    """Implements services.router.keeping_ports.Retention."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[PostgresPurge | None]:
        async with self._pool.acquire() as connection:
            if not await connection.fetchval(_SQL["take_turn"]):
                yield None
                return
            try:
                yield PostgresPurge(connection)
                await connection.execute(_SQL["end_turn"])
            except BaseException:
                connection.terminate()  # and the lock with it: a pool's connection is given back as it is
                raise


class PostgresPurge:
    """Implements services.router.keeping_ports.Purge, on the connection that has the turn."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ages(self) -> list[TenantAge]:
        rows = await self._connection.fetch(_SQL["ages"], TENANT_SETTING)
        return [TenantAge(row["tenant"], _value(row["own"]), row["oldest"]) for row in rows]

    async def notifications(self, tenant: str, before: datetime, rows: int) -> Purged:
        row = await self._connection.fetchrow(_SQL["notifications"], tenant, before, rows)
        assert row is not None  # the function always returns one
        return Purged(**row)

    async def aged(self, tenant: str, kind: Aged, before: datetime, rows: int) -> int:
        return int(await self._connection.fetchval(_SQL["aged"], tenant, kind, before, rows))


def _value(text: str | None) -> object:
    try:
        return None if text is None else orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
