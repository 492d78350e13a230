"""Suppressions in PostgreSQL; every change stands in the audit trail."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from libs.postgres import queries
from services.ingest.adapters import audit
from services.ingest.adapters.faults import Connection, connected
from services.ingest.domain.suppressions import Reason, SuppressedChannel, masked

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0


async def suppress(
    connection: Connection, tenant: str, channel: SuppressedChannel, address: str, *, reason: Reason, source: str
) -> dict[str, Any] | None:
    """Within the caller's transaction; None where it was suppressed already."""
    row = await connection.fetchrow(_SQL["add"], tenant, channel, address, masked(channel, address), reason, source)
    if row is None:
        return None
    detail = {"channel": channel, "masked": row["masked"], "reason": reason}
    entry = audit.Entry(tenant, "suppression.add", f"suppression:{row['hash'].hex()}", detail)
    await audit.write(connection, source, [entry])
    return _shown(row)


class PostgresSuppressions:
    """services.ingest.ports.Suppressions."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(
        self, tenant: str, channel: SuppressedChannel, address: str, *, reason: Reason, source: str
    ) -> dict[str, Any]:
        """The suppression, also where there was one already."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            added = await suppress(connection, tenant, channel, address, reason=reason, source=source)
            return added or _shown(await connection.fetchrow(_SQL["find"], tenant, channel, address))

    async def find(self, tenant: str, channel: SuppressedChannel, address: str) -> dict[str, Any] | None:
        """The suppression of an address."""
        async with connected(self._pool, _SECONDS) as connection:
            row = await connection.fetchrow(_SQL["find"], tenant, channel, address)
        return None if row is None else _shown(row)

    async def page(
        self, tenant: str, channel: SuppressedChannel | None, after: tuple[datetime, bytes] | None, limit: int
    ) -> list[dict[str, Any]]:
        """The newest first, behind `after`: time and hash of the last one that was seen."""
        at, behind = after or (None, None)
        async with connected(self._pool, _SECONDS) as connection:
            return [_shown(row) for row in await connection.fetch(_SQL["list"], tenant, channel, at, behind, limit)]

    async def remove(self, tenant: str, identifier: bytes, actor: str) -> bool:
        """Whether there was such a suppression."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            row = await connection.fetchrow(_SQL["remove"], tenant, identifier)
            if row is None:
                return False
            detail = {"channel": row["channel"], "masked": row["masked"], "reason": row["reason"]}
            entry = audit.Entry(tenant, "suppression.remove", f"suppression:{identifier.hex()}", detail)
            await audit.write(connection, actor, [entry])
        return True

    async def opted(self, number: str, *, out: bool, source: str) -> int:
        """A person answered STOP (`out`) or START: in every tenant that knows the number. How many were changed."""
        changed = 0
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            for row in await connection.fetch(_SQL["of_number"], number):
                if out:
                    done = await suppress(connection, row["tenant"], "sms", number, reason="opted-out", source=source)
                    changed += done is not None
                elif (kept := await connection.fetchval(_SQL["opted_in"], row["tenant"], number)) is not None:
                    entry = audit.Entry(row["tenant"], "suppression.remove", f"suppression:{kept.hex()}")
                    await audit.write(connection, source, [entry])
                    changed += 1
        return changed


def _shown(row: Any) -> dict[str, Any]:
    return dict(row) | {"id": row["hash"].hex()}
