"""Reads how far notifications have come, many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.postgres import queries
from libs.schemas.events import Channel
from services.ingest.adapters.faults import connected
from services.ingest.domain.results import ChannelState, Progress

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0
_CHANNELS = frozenset(Channel.__args__)  # type: ignore[attr-defined]

Key = tuple[str, UUID]


class PostgresResults:
    """services.ingest.ports.Results."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def progress(self, keys: Collection[Key]) -> dict[Key, Progress]:
        """Of those that are planned, in one snapshot."""
        asked = [tenant for tenant, _ in keys], [id_ for _, id_ in keys]
        async with (
            connected(self._pool, _SECONDS) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            planned = await connection.fetch(_SQL["notifications"], *asked)
            states: dict[Key, list[ChannelState]] = defaultdict(list)
            for row in await connection.fetch(_SQL["states"], *asked):
                state = ChannelState(row["channel"], row["state"], row["reason"], row["waits"])
                states[row["tenant"], row["notification"]].append(state)
        return {
            (key := (row["tenant"], row["id"])): Progress(
                row["in_app"],
                tuple(note for note in row["notes"] if note.rpartition(":")[2] in _CHANNELS),
                row["expanding"],
                tuple(states[key]),
            )
            for row in planned
        }
