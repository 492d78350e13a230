"""What administrators see of their tenant, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from libs.postgres.queries import load
from services.gateway.adapters.postgres.database import Database
from services.gateway.domain.admin import LogFilters, LogPlace
from services.gateway.domain.inbox import Reader, Row

_SQL = load(Path(__file__).with_suffix(".sql"))


class PostgresAdmin:
    """See store_ports.AdminStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def log(self, who: Reader, filters: LogFilters, after: LogPlace | None, limit: int) -> Sequence[Row]:
        """See store_ports.AdminStore."""
        place, f = after or (None, None, None), filters
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            return await connection.fetch(_SQL["log"], *place, limit, f.user, f.event, f.type, f.since, f.until)

    async def stats(self, who: Reader, since: datetime, until: datetime) -> dict[str, Any]:
        """See store_ports.AdminStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            found: dict[str, Any] = orjson.loads(await connection.fetchval(_SQL["stats"], since, until))
            return found

    async def readers(self, who: Reader, notification: UUID, after: str, limit: int) -> Sequence[Row]:
        """See store_ports.AdminStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            return await connection.fetch(_SQL["readers"], notification, after, limit)
