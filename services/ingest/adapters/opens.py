"""Mails that were opened, in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from libs.auth.links import Opened
from libs.postgres import queries
from services.ingest.adapters.faults import connected

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 2.0


class PostgresOpens:
    """services.ingest.ports.Opens."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def record(self, opened: Opened) -> bool:
        """One statement."""
        async with connected(self._pool, _SECONDS) as connection:
            return await connection.fetchrow(_SQL["record"], opened.tenant, opened.delivery) is not None
