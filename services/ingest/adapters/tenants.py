"""The tenants that exist, remembered for seconds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import asyncpg

from libs.postgres import queries
from services.ingest.adapters.faults import connected
from services.ingest.errors import Retryable

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0
_EVERY = 5.0
_AT_MOST_EVERY = 1.0  # a flood of unknown names must not become a flood of queries


class PostgresTenants:
    """services.ingest.ports.Tenants. A tenant that was just made is found at once, a disabled one left in seconds."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._known: frozenset[str] = frozenset()
        self._looked_at = -_AT_MOST_EVERY
        self._lock = asyncio.Lock()

    @property
    def known(self) -> frozenset[str]:
        """As of the last look."""
        return self._known

    async def refresh(self) -> None:
        """Looks again, unless somebody has within the last second."""
        async with self._lock:
            if self._known and time.monotonic() - self._looked_at < _AT_MOST_EVERY:
                return
            async with connected(self._pool, _SECONDS) as connection:
                rows = await connection.fetch(_SQL["enabled"])
            self._known = frozenset(row["tenant"] for row in rows)
            self._looked_at = time.monotonic()

    async def fault(self) -> str | None:
        """Why tenants cannot be looked up now, or None."""
        try:
            async with connected(self._pool, _SECONDS) as connection:
                await connection.fetchval("select 1")
        except Retryable as error:
            return str(error)
        return None

    async def keep_fresh(self) -> None:
        """Runs for ever. While PostgreSQL is away, what was known stays."""
        while True:
            with contextlib.suppress(Retryable):
                await self.refresh()
            await asyncio.sleep(_EVERY)
