"""Tenants and API keys as an administrator changes them; every change stands in the audit trail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import orjson

from libs.auth.api_keys import NewKey
from libs.postgres import queries
from services.ingest.adapters import audit
from services.ingest.adapters.faults import connected
from services.ingest.ports.administering import KeyGrant

_KEYS = queries.load(Path(__file__).with_name("keys.sql"))
_TENANTS = queries.load(Path(__file__).with_name("tenants.sql"))
_SECONDS = 3.0


class PostgresAdministration:
    """services.ingest.ports.administering.Administration."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def create_key(self, tenant: str, key: NewKey, grant: KeyGrant, actor: str) -> dict[str, Any]:
        """Stores a key; only its hash is kept."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            values = (grant.name, sorted(grant.scopes), sorted(grant.tenants), grant.expires_at)
            row = await connection.fetchrow(_KEYS["insert"], tenant, key.key_id, key.hash, *values)
            detail = {"scopes": sorted(grant.scopes), "tenants": sorted(grant.tenants)}
            entry = audit.Entry(tenant, "key.create", f"key:{key.key_id}", detail)
            await audit.write(connection, actor, [entry])
        return dict(row)

    async def keys(self, tenant: str) -> list[dict[str, Any]]:
        """The keys of a tenant, also those that have ended."""
        async with connected(self._pool, _SECONDS) as connection:
            return [dict(row) for row in await connection.fetch(_KEYS["list"], tenant)]

    async def revoke_key(self, tenant: str, key_id: str, actor: str) -> bool:
        """Whether there was such a key in force."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            if await connection.fetchrow(_KEYS["revoke"], tenant, key_id) is None:
                return False
            await audit.write(connection, actor, [audit.Entry(tenant, "key.revoke", f"key:{key_id}")])
        return True

    async def put_tenant(self, tenant: str, name: str | None, settings: dict[str, Any], actor: str) -> dict[str, Any]:
        """Makes a tenant, or changes it; a disabled one is enabled again."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            row = await connection.fetchrow(_TENANTS["upsert"], tenant, name, orjson.dumps(settings).decode())
            await audit.write(connection, actor, [audit.Entry(tenant, "tenant.upsert", f"tenant:{tenant}")])
        return _tenant(row)

    async def tenant(self, tenant: str) -> dict[str, Any] | None:
        """The tenant, also a disabled one."""
        async with connected(self._pool, _SECONDS) as connection:
            row = await connection.fetchrow(_TENANTS["find"], tenant)
        return None if row is None else _tenant(row)

    async def disable_tenant(self, tenant: str, actor: str) -> bool:
        """Whether it was enabled. Its data stays; its events are refused from now on."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            if await connection.fetchrow(_TENANTS["disable"], tenant) is None:
                return False
            await audit.write(connection, actor, [audit.Entry(tenant, "tenant.disable", f"tenant:{tenant}")])
        return True


def _tenant(row: Any) -> dict[str, Any]:
    return dict(row) | {"settings": orjson.loads(row["settings"])}
