"""Which gateways listen to which rooms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import asyncpg

from libs.postgres import queries
from services.ingest.adapters.faults import connected
from services.ingest.live_ports import Room

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0


class PostgresListeners:
    """services.ingest.live_ports.Listeners."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def of(self, rooms: Sequence[Room]) -> dict[Room, list[int]]:
        """By (tenant, room) the slots; a room that nobody listens to is missing."""
        async with connected(self._pool, _SECONDS) as connection:
            found = await connection.fetch(_SQL["of"], [tenant for tenant, _ in rooms], [room for _, room in rooms])
        slots: dict[Room, list[int]] = {}
        for row in found:
            slots.setdefault((row["tenant"], row["room"]), []).append(row["slot"])
        return slots
