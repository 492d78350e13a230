"""Reads what happened to a notification."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from libs.postgres import queries
from services.ingest.adapters.faults import connected

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0


class PostgresTimelines:
    """services.ingest.ports.Timelines, each page as of one snapshot."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def page(
        self, tenant: str, notification: UUID, after: UUID | None, user: str | None, limit: int
    ) -> dict[str, Any] | None:
        """Fields of entrypoints.http.timeline.Timeline; None when the notification is not planned."""
        async with (
            connected(self._pool, _SECONDS) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            row = await connection.fetchrow(_SQL["notification"], tenant, notification)
            if row is None:
                return None
            deliveries = await connection.fetch(_SQL["deliveries"], tenant, notification, after, user, limit)
            attempts: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
            for found in await connection.fetch(_SQL["attempts"], tenant, [d["id"] for d in deliveries]):
                attempts[found["delivery"]].append(dict(found))
        following = deliveries[-1]["id"] if len(deliveries) == limit else None
        shown = [dict(d) | {"attempts": attempts[d["id"]], "attempts_counted": d["attempts"]} for d in deliveries]
        return {"id": notification, "tenant": tenant, "deliveries": shown, "next": following} | dict(row)
