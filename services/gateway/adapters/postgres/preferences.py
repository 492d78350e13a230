"""Preferences in PostgreSQL: every change is a new version, so that a decision can be explained as of its time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.schemas.preferences import Preferences, TenantPreferences
from services.gateway.adapters.postgres.database import Database
from services.gateway.adapters.postgres.state_log import lock
from services.gateway.domain.inbox import Reader
from services.gateway.store_ports import Version

_SQL = load(Path(__file__).with_suffix(".sql"))
_EVERYBODY = ""  # under this user id stands what a tenant says


class PostgresPreferences:
    """See store_ports.PreferenceStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, tenant: str, reader: str) -> Version[Preferences]:
        """See store_ports.PreferenceStore."""
        async with self._database.as_reader(tenant, reader) as connection:
            return await _in_force(connection, tenant, reader)

    async def replace(
        self, who: Reader, document: Preferences, said: Mapping[str, bool], expected: int
    ) -> tuple[Version[Preferences], int | None] | None:
        """See store_ports.PreferenceStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            await lock(connection, who)
            version = await _in_force(connection, who.tenant, who.reader)
            if version.number != expected:
                return None
            row = await connection.fetchrow(_SQL["put"], who.tenant, who.reader, expected + 1, _stored(document))
            changed = await _mute(connection, who.tenant, who.reader, said)
            memberships = await connection.fetchval(_SQL["raise_version"]) if changed else None
            assert row is not None
            return Version(expected + 1, document, row["valid_from"]), memberships

    async def of_tenant(self, tenant: str) -> Version[TenantPreferences]:
        """See store_ports.PreferenceStore."""
        async with self._database.as_reader(tenant, _EVERYBODY) as connection:
            return await _of_tenant(connection, tenant)

    async def replace_of_tenant(
        self, tenant: str, document: TenantPreferences, said: Mapping[str, bool], expected: int
    ) -> Version[TenantPreferences] | None:
        """See store_ports.PreferenceStore."""
        async with self._database.as_reader(tenant, _EVERYBODY) as connection:
            await connection.execute(_SQL["lock_tenant"], tenant)
            if (await _of_tenant(connection, tenant)).number != expected:
                return None
            row = await connection.fetchrow(_SQL["put_of_tenant"], tenant, expected + 1, _stored(document))
            await _mute(connection, tenant, _EVERYBODY, said)
            assert row is not None
            return Version(expected + 1, document, row["valid_from"])


async def _in_force(connection: Connection, tenant: str, reader: str) -> Version[Preferences]:
    row = await connection.fetchrow(_SQL["in_force"], tenant, reader)
    if row is None:
        return Version(0, Preferences(), None)
    document = Preferences.model_validate_json(row["document"], extra="ignore")
    return Version(row["version"], document, row["valid_from"])


async def _of_tenant(connection: Connection, tenant: str) -> Version[TenantPreferences]:
    row = await connection.fetchrow(_SQL["of_tenant"], tenant)
    if row is None:
        return Version(0, TenantPreferences(), None)
    document = TenantPreferences.model_validate_json(row["document"], extra="ignore")
    return Version(row["version"], document, row["valid_from"])


async def _mute(connection: Connection, tenant: str, reader: str, said: Mapping[str, bool]) -> bool:
    """Whether anything changed."""
    changed: bool = await connection.fetchval(_SQL["mute"], tenant, reader, list(said), list(said.values()))
    return changed


def _stored(document: BaseModel) -> str:
    return document.model_dump_json(by_alias=True, exclude_defaults=True)
