"""A tenant's endpoints in PostgreSQL; every change stands in the audit trail."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from libs.postgres import queries
from libs.runtime.ids import endpoint_recipient
from services.ingest.adapters import audit
from services.ingest.adapters.faults import Connection, connected
from services.ingest.domain.endpoints import rotated, shown_url
from services.ingest.ports.administering import EndpointChange, NewEndpoint

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0


class PostgresEndpoints:
    """services.ingest.ports.administering.Endpoints."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def list(self, tenant: str) -> list[dict[str, Any]]:
        """All of them."""
        async with connected(self._pool, _SECONDS) as connection:
            return [_shown(row) for row in await connection.fetch(_SQL["list"], tenant)]

    async def find(self, tenant: str, endpoint: str) -> dict[str, Any] | None:
        """One of them."""
        async with connected(self._pool, _SECONDS) as connection:
            row = await connection.fetchrow(_SQL["find"], tenant, endpoint)
        return None if row is None else _shown(row)

    async def add(self, tenant: str, new: NewEndpoint, actor: str) -> bool:
        """Whether the id was free."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            if await connection.fetchrow(_SQL["insert"], tenant, *new) is None:
                return False
            await _audit(connection, actor, tenant, "endpoint.create", new.id, {"channel": new.channel})
        return True

    async def change(self, tenant: str, endpoint: str, change: EndpointChange, actor: str) -> bool:
        """Whether there is such an endpoint."""
        return await self._changed("change", "endpoint.change", tenant, endpoint, actor, *change)

    async def remove(self, tenant: str, endpoint: str, actor: str) -> bool:
        """Whether there was such an endpoint."""
        return await self._changed("remove", "endpoint.remove", tenant, endpoint, actor)

    async def rotate(self, tenant: str, endpoint: str, secret: str | None, actor: str) -> bool:
        """Puts a secret before the others, or (None) takes all but the newest out; whether there is such a webhook."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            row = await connection.fetchrow(_SQL["lock_secrets"], tenant, endpoint)
            if row is None or row["channel"] != "webhook":
                return False
            kept = row["secrets"][:1] if secret is None else rotated(row["secrets"], secret)
            await connection.execute(_SQL["set_secrets"], tenant, endpoint, kept)
            action = "endpoint.retire-secrets" if secret is None else "endpoint.rotate"
            await _audit(connection, actor, tenant, action, endpoint, {"secrets": len(kept)})
        return True

    async def ping(self, tenant: str, endpoint: str, delivery: UUID) -> bool:
        """Whether there is such an endpoint, enabled."""
        async with connected(self._pool, _SECONDS) as connection:
            to = endpoint_recipient(endpoint)
            return await connection.fetchval(_SQL["ping"], tenant, endpoint, delivery, to) is not None

    async def pinged(self, tenant: str, delivery: UUID) -> dict[str, Any]:
        """State, reason, and the code and milliseconds of the last attempt."""
        async with connected(self._pool, _SECONDS) as connection:
            return dict(await connection.fetchrow(_SQL["pinged"], tenant, delivery))

    async def _changed(self, statement: str, action: str, tenant: str, endpoint: str, actor: str, *values: Any) -> bool:
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            if await connection.fetchrow(_SQL[statement], tenant, endpoint, *values) is None:
                return False
            await _audit(connection, actor, tenant, action, endpoint, {})
        return True


async def _audit(
    connection: Connection, actor: str, tenant: str, action: str, endpoint: str, detail: dict[str, Any]
) -> None:
    await audit.write(connection, actor, [audit.Entry(tenant, action, f"endpoint:{endpoint}", detail)])


def _shown(row: Any) -> dict[str, Any]:
    return dict(row) | {"id": row["endpoint_id"], "url": shown_url(row["channel"], row["url"])}
