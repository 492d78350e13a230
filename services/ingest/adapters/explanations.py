"""Reads why somebody was or was not told."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import asyncpg

from libs.explaining import records
from libs.explaining.story import Story, Waiting
from services.ingest.adapters.faults import connected

_SECONDS = 5.0


class PostgresExplanations:
    """services.ingest.ports.Explanations, each as of one snapshot that cannot write."""

    def __init__(self, pool: asyncpg.Pool, deliverable: Collection[str]) -> None:
        self._pool, self._deliverable = pool, frozenset(deliverable)

    async def find(self, tenant: str, notification: UUID, user: str | None, limit: int) -> Story | Waiting | None:
        """The story; for an event that waits for its time what it waits for."""
        async with (
            connected(self._pool, _SECONDS) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await records.read(connection, tenant, notification, user, limit, self._deliverable)
