"""Presence in PostgreSQL: who is here at any gateway, reported in batches, read by one tenant at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import orjson

from libs.postgres.queries import load
from libs.runtime.clock import iso
from libs.schemas.records import PresenceChange, PresenceStatus
from services.gateway.adapters.postgres.database import Database
from services.gateway.domain.presence import Present
from services.gateway.live_ports import Connected, GatewaySwept, Stats
from services.gateway.ports import Person

_SQL = load(Path(__file__).with_suffix(".sql"))
_TIMEOUT = 5.0  # seconds: a heartbeat that hangs is worth nothing


class PostgresPresence:
    """See live_ports.Presences. `lease` is how many seconds a gateway counts as alive after a heartbeat."""

    def __init__(self, database: Database, lease: float) -> None:
        self._database, self._lease = database, timedelta(seconds=lease)

    async def beat(self, gateway: str, *, new: bool, lease: float | None = None) -> bool:
        """See live_ports.Presences."""
        period = self._lease if lease is None else timedelta(seconds=lease)
        rows = await self._database.fetch(_SQL["beat"], gateway, period, new, timeout=_TIMEOUT)
        return bool(rows[0]["alive"])

    async def report(self, gateway: str, people: Sequence[Present]) -> list[PresenceChange]:
        """See live_ports.Presences."""
        document = [
            {"tenant": p.tenant, "user": p.user_id, "sockets": p.sockets, "roles": p.roles, "sessions": p.sessions}
            for p in people
        ]
        try:
            rows = await self._database.fetch(_SQL["report"], gateway, orjson.dumps(document).decode())
        except asyncpg.NoDataFoundError as error:
            raise GatewaySwept(gateway) from error
        return _changes(rows)

    async def sweep(self, limit: int) -> list[PresenceChange]:
        """See live_ports.Presences."""
        return _changes(await self._database.fetch(_SQL["sweep"], self._lease, limit))

    async def choose(
        self, person: Person, status: PresenceStatus, custom: str | None, *, keep: bool
    ) -> list[PresenceChange]:
        """See live_ports.Presences."""
        return _changes(await self._database.fetch(_SQL["choose"], *person, status, custom, keep))

    async def since(self, moments: Mapping[str, datetime], limit: int) -> list[tuple[PresenceChange, datetime]]:
        """See live_ports.Presences."""
        rows = await self._database.fetch(_SQL["since"], list(moments), list(moments.values()), limit)
        return [(_change(row), row["changed_at"]) for row in rows]

    async def sizes(self, tenants: Iterable[str], limit: int) -> dict[str, int]:
        """See live_ports.Presences."""
        rows = await self._database.fetch(_SQL["sizes"], list(tenants), limit)
        return {row["tenant"]: row["members"] for row in rows}

    async def stats(self, person: Person, users: Sequence[str] | None, limit: int) -> Stats:
        """See live_ports.Presences."""
        tenant = person[0]
        async with self._database.as_reader(*person) as connection:
            total = await connection.fetchval(_SQL["total"], tenant)
            roles = await connection.fetch(_SQL["by_role"], tenant)
            people = await connection.fetch(_SQL["people"], tenant, users, limit)
        by_role = {row["role"]: row["people"] for row in roles}
        return Stats(total, by_role, [_shown(row) for row in people])

    async def sockets(self, person: Person, users: Sequence[str] | None, limit: int) -> list[Connected]:
        """See live_ports.Presences."""
        async with self._database.as_reader(*person) as connection:
            rows = await connection.fetch(_SQL["sockets"], person[0], users, limit)
        return [Connected(row["user_id"], row["sockets"], tuple(row["sessions"])) for row in rows]


def _changes(rows: Iterable[asyncpg.Record]) -> list[PresenceChange]:
    return [_change(row) for row in rows]


def _change(row: asyncpg.Record) -> PresenceChange:
    return PresenceChange(
        tenant=row["tenant"],
        user_id=row["user_id"],
        status=row["status"],
        custom_status=row["custom_status"],
        last_seen=row["last_seen"],
        version=row["version"],
        previous=row["previous"],
        chosen=row["by_choice"],
    )


def _shown(row: asyncpg.Record) -> dict[str, object]:
    seen: datetime | None = row["last_seen"]
    status = {"userId": row["user_id"], "status": row["status"], "customStatus": row["custom_status"]}
    return status | {"lastSeen": None if seen is None else iso(seen)}
