"""The tenants that exist, remembered for seconds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from pathlib import Path

import asyncpg

from libs.postgres import queries
from services.ingest.adapters.faults import connected
from services.ingest.errors import Retryable

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0
_EVERY = 5.0


class PostgresTenants:
    """services.ingest.ports.Tenants. A disabled one is forgotten within seconds."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._known: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """As of the last look."""
        return self._known

    async def learn(self, tenants: Collection[str]) -> bool:
        """Looks for single ones: a tenant that was just made is found at once."""
        if not tenants:
            return False
        async with connected(self._pool, _SECONDS) as connection:
            found = frozenset(row["tenant"] for row in await connection.fetch(_SQL["enabled_among"], list(tenants)))
        is_new = not found <= self._known
        self._known |= found
        return is_new

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
                async with connected(self._pool, _SECONDS) as connection:
                    self._known = frozenset(row["tenant"] for row in await connection.fetch(_SQL["enabled"]))
            await asyncio.sleep(_EVERY)
