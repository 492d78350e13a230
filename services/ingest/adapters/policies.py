"""Who may join the resources of a tenant, in PostgreSQL; every change stands in the audit trail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg

from libs.postgres import queries
from services.ingest.adapters import audit
from services.ingest.adapters.faults import connected
from services.ingest.domain.endpoints import rotated
from services.ingest.live_ports import PolicyChange

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0
_MOST = 200  # policies of a tenant: a gateway holds them all


class PostgresResourcePolicies:
    """services.ingest.live_ports.ResourcePolicies."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def list(self, tenant: str) -> list[dict[str, Any]]:
        """All of them, without keys and secrets."""
        async with connected(self._pool, _SECONDS) as connection:
            return [dict(row) for row in await connection.fetch(_SQL["list"], tenant)]

    async def find(self, tenant: str, kind: str) -> dict[str, Any] | None:
        """One of them."""
        async with connected(self._pool, _SECONDS) as connection:
            row = await connection.fetchrow(_SQL["find"], tenant, kind)
        return None if row is None else dict(row)

    async def put(self, tenant: str, kind: str, change: PolicyChange, actor: str) -> str | None:
        """The secret that was made, if one was. Raises LookupError when the tenant has as many as it may."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            old = await connection.fetchrow(_SQL["lock"], tenant, kind)
            if old is None and await connection.fetchval(_SQL["count"], tenant) >= _MOST:
                raise LookupError(f"a tenant may have {_MOST} policies")
            secrets: list[str] = [] if old is None or change.url is None else list(old["secrets"])
            made = change.new_secret if change.url is not None and (change.rotate or not secrets) else None
            kept = secrets if made is None else rotated(secrets, made)
            key = old["grant_key"] if change.keeps_grant_key and old is not None else change.grant_key
            values = (change.members, key, change.url, kept, change.cache_seconds, change.client_events)
            await connection.execute(_SQL["upsert"], tenant, kind, *values)
            detail = {"members": change.members, "url": change.url is not None, "grantKey": key is not None}
            await audit.write(connection, actor, [audit.Entry(tenant, "policy.upsert", f"policy:{kind}", detail)])
        return made

    async def remove(self, tenant: str, kind: str, actor: str) -> bool:
        """Whether there was one: from now on nobody joins resources of the type."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            if await connection.fetchrow(_SQL["remove"], tenant, kind) is None:
                return False
            await audit.write(connection, actor, [audit.Entry(tenant, "policy.remove", f"policy:{kind}")])
        return True
