"""Preferences in PostgreSQL: every change is a new version, so that a decision can be explained as of its time."""

from __future__ import annotations

from pathlib import Path

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.schemas.preferences import Preferences
from services.gateway.adapters.postgres.database import Database
from services.gateway.adapters.postgres.state_log import lock
from services.gateway.domain.inbox import Reader
from services.gateway.store_ports import PreferencesVersion

_SQL = load(Path(__file__).with_suffix(".sql"))


class PostgresPreferences:
    """See store_ports.PreferenceStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, tenant: str, reader: str) -> PreferencesVersion:
        """See store_ports.PreferenceStore."""
        async with self._database.as_reader(tenant, reader) as connection:
            return await _in_force(connection, tenant, reader)

    async def replace(
        self, who: Reader, document: Preferences, muted: frozenset[str], expected: int
    ) -> tuple[PreferencesVersion, int | None] | None:
        """See store_ports.PreferenceStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            await lock(connection, who)
            version = await _in_force(connection, who.tenant, who.reader)
            if version.number != expected:
                return None
            stored = document.model_dump_json(by_alias=True, exclude_defaults=True)
            row = await connection.fetchrow(_SQL["put"], who.tenant, who.reader, expected + 1, stored)
            changed = await connection.fetchval(_SQL["mute"], who.tenant, who.reader, list(muted))
            memberships = await connection.fetchval(_SQL["raise_version"]) if changed else None
            assert row is not None
            return PreferencesVersion(expected + 1, document, row["valid_from"]), memberships


async def _in_force(connection: Connection, tenant: str, reader: str) -> PreferencesVersion:
    row = await connection.fetchrow(_SQL["in_force"], tenant, reader)
    if row is None:
        return PreferencesVersion(0, Preferences(), None)
    document = Preferences.model_validate_json(row["document"], extra="ignore")
    return PreferencesVersion(row["version"], document, row["valid_from"])
