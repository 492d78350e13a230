"""Writes requests to erase, and reads how far they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg

from libs.postgres import queries
from services.ingest.adapters import audit
from services.ingest.adapters.faults import connected

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0


class PostgresErasures:
    """Implements services.ingest.ports.Erasures."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def request(self, tenant: str, user: str, actor: str) -> None:
        """One transaction with its line in the audit trail."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            await connection.execute(_SQL["request"], tenant, user, actor)
            await audit.write(connection, actor, [audit.Entry(tenant, "content.erase", f"user:{user}")])

    async def find(self, tenant: str, user: str) -> dict[str, Any] | None:
        async with connected(self._pool, _SECONDS) as connection:
            row = await connection.fetchrow(_SQL["find"], tenant, user)
        return dict(row) if row is not None else None
