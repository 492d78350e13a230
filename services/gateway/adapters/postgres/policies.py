"""Policies of resources, read by one tenant at a time."""

from __future__ import annotations

from pathlib import Path

from libs.postgres.queries import load
from services.gateway.adapters.postgres.database import Database
from services.gateway.domain.joining import Policy

_SQL = load(Path(__file__).with_suffix(".sql"))
_NOBODY = ""  # the policies are the tenant's: no reader is needed to see them


class PostgresPolicies:
    """See live_ports.Policies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant: str) -> dict[str, Policy]:
        """See live_ports.Policies."""
        async with self._database.as_reader(tenant, _NOBODY) as connection:
            rows = await connection.fetch(_SQL["policies"], tenant)
        return {
            row["resource_type"]: Policy(
                tuple(row["members"]),
                row["grant_key"],
                row["url"],
                tuple(row["secrets"]),
                float(row["cache_seconds"]),
                row["client_events"],
            )
            for row in rows
        }
