"""Writes requests to cancel, and reads how far what is cancelled had got."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from libs.postgres import queries
from services.ingest.adapters import audit
from services.ingest.adapters.faults import connected

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0


class PostgresCancellations:
    """Implements services.ingest.ports.Cancellations."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def request(self, tenant: str, notification: UUID, actor: str) -> None:
        """One transaction with its line in the audit trail; a repeated request changes nothing."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            made = await connection.fetchval(_SQL["request"], tenant, notification, actor)
            if made is not None:
                await audit.write(connection, actor, [audit.Entry(tenant, "notification.cancel", str(notification))])

    async def find(self, tenant: str, notification: UUID) -> dict[str, Any]:
        """Two statements: the request is never older than the channels."""
        async with connected(self._pool, _SECONDS) as connection:
            found = await connection.fetchrow(_SQL["found"], tenant, notification)
            channels = await connection.fetch(_SQL["channels"], tenant, notification)
        return dict(found) | {"channels": [dict(row) for row in channels]}
