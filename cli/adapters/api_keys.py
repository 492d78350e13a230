"""API keys, directly in PostgreSQL: the way to the first key of a system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg

from cli.adapters.database import operator
from libs.auth import api_keys
from libs.postgres.queries import load

_SQL = load(Path(__file__).with_name("api_keys.sql"))
_ACTOR = "operator:cli"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key may do. `tenants` are further tenants that it may name; `*` makes it a platform key."""

    tenant: str
    name: str
    scopes: Sequence[str]
    tenants: Sequence[str]
    expires_at: datetime | None


async def create(dsn: str, grant: Grant) -> api_keys.NewKey:
    """Stores a new key; its text is in the result and nowhere else. Raises asyncpg.PostgresError."""
    key = api_keys.create()
    async with operator(dsn) as connection, connection.transaction():
        await connection.execute(_SQL["register_tenant"], grant.tenant)
        stored = (grant.tenant, key.key_id, key.hash, grant.name)
        await connection.execute(_SQL["create"], *stored, list(grant.scopes), list(grant.tenants), grant.expires_at)
        await _record(connection, grant.tenant, "key.created", key.key_id)
    return key


async def listed(dsn: str, tenant: str | None) -> list[asyncpg.Record]:
    """The keys of a tenant, or of all; no secrets."""
    async with operator(dsn) as connection:
        return list(await connection.fetch(_SQL["list"], tenant))


async def revoke(dsn: str, key_id: str) -> bool:
    """Whether there was such a key; it opens nothing from now on."""
    async with operator(dsn) as connection, connection.transaction():
        tenant = await connection.fetchval(_SQL["revoke"], key_id)
        if tenant is not None:
            await _record(connection, tenant, "key.revoked", key_id)
    return tenant is not None


async def _record(connection: asyncpg.Connection, tenant: str, action: str, key_id: str) -> None:
    await connection.execute(_SQL["audit"], tenant, _ACTOR, action, f"key:{key_id}")
