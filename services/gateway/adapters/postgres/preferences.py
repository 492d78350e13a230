"""Preferences in PostgreSQL: every change is a new version, so that a decision can be explained as of its time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from libs.postgres.queries import load
from services.gateway.adapters.postgres.database import Database
from services.gateway.ports import Preferences

_SQL = load(Path(__file__).with_suffix(".sql"))
_INBOX = load(Path(__file__).with_name("inbox.sql"))


class PostgresPreferences:
    """See ports.PreferenceStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, tenant: str, reader: str) -> Preferences:
        """See ports.PreferenceStore."""
        async with self._database.as_reader(tenant, reader) as connection:
            row = await connection.fetchrow(_SQL["in_force"], tenant, reader)
        if row is None:
            return Preferences(0, {}, None)
        return Preferences(row["version"], orjson.loads(row["document"]), row["valid_from"])

    async def replace(
        self, tenant: str, reader: str, document: dict[str, Any], expected: int | None, now: datetime
    ) -> Preferences | None:
        """See ports.PreferenceStore."""
        async with self._database.as_reader(tenant, reader) as connection:
            await connection.execute(_INBOX["make_state"], tenant, reader)
            await connection.fetchrow(_INBOX["lock_state"], tenant, reader)
            row = await connection.fetchrow(_SQL["in_force"], tenant, reader)
            version = 0 if row is None else row["version"]
            if expected is not None and expected != version:
                return None
            await connection.execute(_SQL["close"], tenant, reader, now)
            await connection.execute(_SQL["open"], tenant, reader, version + 1, orjson.dumps(document).decode(), now)
        return Preferences(version + 1, document, now)
