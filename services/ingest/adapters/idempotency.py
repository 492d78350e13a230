"""Idempotency keys in PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.postgres import queries
from libs.schemas import topics
from services.ingest.adapters.faults import connected
from services.ingest.errors import Retryable

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0
_PURGE_SECONDS = 30.0
_PURGE_EVERY = 3600.0


class PostgresIdempotency:
    """services.ingest.ports.Idempotency."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def reserve(self, tenant: str, key: str, body_hash: bytes, candidate: UUID) -> UUID | None:
        """Inserts, else reads back: of two requests at once, one inserts and both get its id."""
        async with connected(self._pool, _SECONDS) as connection:
            while True:
                row = await connection.fetchrow(_SQL["reserve"], tenant, key, body_hash, candidate, topics.IDS_KEPT)
                row = row or await connection.fetchrow(_SQL["find"], tenant, key)
                if row is not None:  # else it was purged between the two statements
                    return UUID(int=row["id"].int) if row["body_hash"] == body_hash else None

    async def keep_purged(self) -> None:
        """Runs for ever: removes keys whose time is over."""
        while True:
            with contextlib.suppress(Retryable):
                async with connected(self._pool, _PURGE_SECONDS) as connection:
                    await connection.execute(_SQL["purge"])
            await asyncio.sleep(_PURGE_EVERY)
