"""Unsubscribing, in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import orjson

from libs.auth.links import Unsubscribe
from libs.postgres import queries
from services.ingest.adapters import audit
from services.ingest.adapters.faults import Connection, connected
from services.ingest.domain.unsubscribing import without

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 5.0


class PostgresUnsubscribes:
    """services.ingest.ports.Unsubscribes."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def apply(self, asked: Unsubscribe, *, everything: bool) -> None:
        """Who is not in the directory any more has no preferences: their address is suppressed instead."""
        who = asked.tenant, asked.user_id
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            if await connection.fetchrow(_SQL["known"], *who) is None:
                await _suppress(connection, asked)
                return
            row = await connection.fetchrow(_SQL["in_force"], *who)
            before = orjson.loads(row["document"]) if row else {}
            after = without(before, asked.channel, asked.type, everything=everything)
            if after == before:
                return
            await connection.execute(_SQL["close"], *who)
            version = row["version"] + 1 if row else 1
            await connection.execute(_SQL["open"], *who, version, orjson.dumps(after).decode())
            detail = {"channel": asked.channel, "type": None if everything else asked.type, "version": version}
            entry = audit.Entry(asked.tenant, "preferences.unsubscribe", f"user:{asked.user_id}", detail)
            await audit.write(connection, f"user:{asked.user_id}", [entry])


async def _suppress(connection: Connection, asked: Unsubscribe) -> None:
    actor = f"user:{asked.user_id}"
    if asked.address is None:
        return
    if await connection.fetchrow(_SQL["suppress"], asked.tenant, asked.channel, asked.address, actor) is None:
        return
    detail = {"channel": asked.channel, "reason": "unsubscribed"}
    entry = audit.Entry(asked.tenant, "suppression.add", f"suppression:{asked.address.hex()}", detail)
    await audit.write(connection, actor, [entry])
