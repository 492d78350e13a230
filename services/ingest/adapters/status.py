"""Reads how far a notification has come."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from libs.postgres import queries
from services.ingest.adapters.faults import connected

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0


class PostgresStatuses:
    """services.ingest.ports.Statuses, each as of one snapshot."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, tenant: str, notification: UUID) -> dict[str, Any] | None:
        """Fields of entrypoints.http.schemas.NotificationStatus.

        An id without a notification is `accepted` when an Idempotency-Key stands for it, else unknown.
        """
        async with (
            connected(self._pool, _SECONDS) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            named = {"id": notification, "tenant": tenant}
            row = await connection.fetchrow(_SQL["notification"], tenant, notification)
            if row is None:
                reserved = await connection.fetchrow(_SQL["reserved"], tenant, notification)
                return None if reserved is None else named | {"status": "accepted"}
            parts = {
                part: [dict(found) for found in await connection.fetch(_SQL[name], tenant, notification)]
                for part, name in (
                    ("rooms", "rooms"),
                    ("expansions", "expansions"),
                    ("delivery_counts", "counts"),
                    ("deliveries", "deliveries"),
                )
            }
        return named | {"status": "planned"} | dict(row) | parts
