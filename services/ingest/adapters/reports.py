"""Providers' words on deliveries, in PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg

from libs.postgres import queries
from services.ingest.adapters.faults import Connection, connected
from services.ingest.adapters.suppressions import suppress
from services.ingest.domain.reports import EFFECTS, REASONS, Report

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 5.0


class PostgresReports:
    """services.ingest.ports.Reports."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def apply(self, report: Report) -> bool:
        """Whether the delivery is known; a word that was heard before changes nothing."""
        effect = EFFECTS[report.event]
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            found = await _find(connection, report)
            if found is None:
                return False
            if effect.state is not None and found["state"] in effect.before:
                key = found["tenant"], found["id"]
                await connection.execute(_SQL["change"], *key, effect.state, REASONS[report.event], effect.failed)
            address = report.address or (found["email"] if found["channel"] == "email" else found["phone"])
            if effect.reason is not None and address and found["channel"] in ("email", "sms"):
                await suppress(
                    connection,
                    found["tenant"],
                    found["channel"],
                    address,
                    reason=effect.reason,
                    source=report.provider,
                )
        return True


async def _find(connection: Connection, report: Report) -> Any:
    if report.delivery is not None:
        return await connection.fetchrow(_SQL["find"], *report.delivery)
    if report.message_id is not None:
        return await connection.fetchrow(_SQL["find_by_message"], report.message_id, report.provider)
    return None
