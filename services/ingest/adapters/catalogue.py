"""What tenants say of notification types, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from libs.catalogue.feed import Catalogues
from libs.postgres import queries
from services.ingest.adapters import audit
from services.ingest.adapters.faults import connected
from services.ingest.ports.administering import Said

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0


def catalogues(pool: asyncpg.Pool) -> Catalogues:
    """services.ingest.ports.publishing.Catalogues."""

    async def fetch(statement: str, since: datetime) -> Sequence[Any]:
        async with connected(pool, _SECONDS) as connection:
            return list(await connection.fetch(statement, since))

    return Catalogues(fetch)


class PostgresTypes:
    """services.ingest.ports.administering.TypeStore."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def said(self, tenant: str, number: int | None = None) -> Said:
        """What is in force, or was in the `number`th state."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction(isolation="repeatable_read"):
            head = await connection.fetchval(_SQL["head"], tenant) or 0
            rows = await connection.fetch(_SQL["said"], tenant, number)
        return Said(head if number is None else number, {row["key"]: orjson.loads(row["document"]) for row in rows})

    async def say(self, tenant: str, key: str, document: dict[str, Any] | None, after: int, actor: str) -> int | None:
        """Says it (None: takes it back) and returns the new number; None when `after` is not the last one any more."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            number: int | None = await connection.fetchval(_SQL["raise_head"], tenant, after)
            if number is None:
                return None
            await connection.execute(_SQL["end"], tenant, key, number)
            if document is not None:
                await connection.execute(_SQL["begin"], tenant, key, number, orjson.dumps(document).decode(), actor)
            action = "catalogue.delete" if document is None else "catalogue.put"
            await audit.write(connection, actor, [audit.Entry(tenant, action, f"type:{key}", {"version": number})])
            return number

    async def versions(self, tenant: str, key: str) -> list[dict[str, Any]]:
        """Everything that was said of one key, the newest first."""
        async with connected(self._pool, _SECONDS) as connection:
            rows = await connection.fetch(_SQL["versions"], tenant, key)
        return [dict(row) | {"document": orjson.loads(row["document"])} for row in rows]
