"""The directory in PostgreSQL, as the router asks it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

import asyncpg

from libs.postgres.queries import load
from libs.rules.person import person_of, tenant_preferences
from services.router.domain.endpoints import Endpoint
from services.router.domain.handover import RoomKey
from services.router.domain.nearness import Search
from services.router.domain.planning import PersonKey
from services.router.ports import Admins, Endpoints, Nearby, People

_SQL = load(Path(__file__).with_name("directory.sql"))
#: People whose distance is computed for one search, at most: a search of a whole country must not stop a batch.
CANDIDATES = 50_000


class PostgresDirectory:
    """Implements services.router.ports.Directory."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def admins(self, rooms: Collection[RoomKey], roles: Collection[str], limit: int) -> Admins:
        tenants, names = [tenant for tenant, _ in rooms], [room for _, room in rooms]
        rows = await self._pool.fetch(_SQL["admins"], tenants, names, sorted(roles), limit + 1)
        found: dict[RoomKey, list[str]] = defaultdict(list)
        for row in rows:
            found[row["tenant"], row["room"]].append(row["user_id"])
        return Admins({key: tuple(users) for key, users in found.items()}, rows[0]["as_of"] if rows else None)

    async def nearby(self, searches: Sequence[Search], limit: int) -> Nearby:
        whole = [(n, s.tenant, s.room, s.latitude, s.longitude, s.radius, s.default_radius, s.since)
                 for n, s in enumerate(searches)]  # fmt: skip
        parts = [(n, *s.strips, *stretch) for n, s in enumerate(searches) for stretch in s.stretches]
        rows = await self._pool.fetch(
            _SQL["nearby"], *zip(*whole, strict=True), *zip(*parts, strict=True), CANDIDATES, limit + 1
        )
        found: dict[Search, list[str]] = defaultdict(list)
        for row in rows:
            found[searches[row["n"]]].append(row["user_id"])
        return Nearby({near: tuple(users) for near, users in found.items()}, rows[0]["as_of"] if rows else None)

    async def people(self, keys: Collection[PersonKey]) -> People:
        tenants, users = [tenant for tenant, _ in keys], [user for _, user in keys]
        rows = await self._pool.fetch(_SQL["people"], tenants, users)
        known = {(row["tenant"], row["user_id"]): person_of(row) for row in rows if row["known"]}
        of_tenants = {row["tenant"]: tenant_preferences(row["of_tenant"]) for row in rows if row["of_tenant"]}
        return People(known, rows[0]["as_of"] if rows else None, of_tenants)

    async def endpoints(self, tenants: Collection[str]) -> Endpoints:
        found: dict[str, list[Endpoint]] = defaultdict(list)
        for row in await self._pool.fetch(_SQL["endpoints"], sorted(tenants)):
            wants = frozenset(row["events"]), frozenset(row["types"])
            found[row["tenant"]].append(Endpoint(row["endpoint_id"], row["channel"], *wants))
        return found
