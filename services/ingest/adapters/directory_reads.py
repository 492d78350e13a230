"""Reads the directory from PostgreSQL, as the interface shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import orjson

from libs.postgres import queries
from libs.runtime.clock import iso
from libs.schemas import rooms
from services.ingest.adapters.faults import connected
from services.ingest.domain.directory import Subject

_SQL = queries.load(Path(__file__).with_name("directory.sql"))
_SECONDS = 3.0


class PostgresDirectoryReads:
    """services.ingest.ports.DirectoryReads."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, subject: Subject) -> dict[str, Any] | None:
        """The entry as it is written, with what follows from it; None when there is none."""
        async with connected(self._pool, _SECONDS) as connection:
            if subject.kind == "user":
                return await _user(connection, subject)
            if subject.kind == "membership":
                return await _membership(connection, subject)
            row = await connection.fetchrow(_SQL[subject.kind], subject.tenant, *subject.id)
            return None if row is None else {"kind": subject.kind} | _fields(row)

    async def devices(self, tenant: str, user: str) -> list[dict[str, Any]]:
        """A person's devices."""
        async with connected(self._pool, _SECONDS) as connection:
            rows = await connection.fetch(_SQL["devices_of_user"], tenant, user)
        return [{"kind": "device"} | _fields(row) for row in rows]


async def _user(connection: Any, subject: Subject) -> dict[str, Any] | None:
    row = await connection.fetchrow(_SQL["user"], subject.tenant, *subject.id)
    if row is None:
        return None
    groups: dict[str, list[Any]] = {"dept": [], "role": [], "org": []}
    for membership in await connection.fetch(_SQL["rooms_of_user"], subject.tenant, *subject.id):
        kind, _, name = membership["room"].partition(":")
        if kind in groups:
            groups[kind].append({"orgId": name, "role": membership["role"]} if kind == "org" else name)
    memberships = {"departments": groups["dept"], "roles": groups["role"], "orgs": groups["org"]}
    return {"kind": "user"} | _fields(row) | _location(row) | memberships


def _location(row: Any) -> dict[str, Any]:
    if row["located_at"] is None:
        return {"location": None}
    place = {"lat": row["latitude"], "lon": row["longitude"], "updatedAt": iso(row["located_at"])}
    return {"location": place | {"radiusMeters": row["radius_meters"]}}


async def _membership(connection: Any, subject: Subject) -> dict[str, Any] | None:
    org, user = subject.id
    row = await connection.fetchrow(_SQL["membership"], subject.tenant, user, rooms.org(org))
    return None if row is None else {"kind": "membership", "orgId": org, "userId": user, "role": row["role"]}


_NAMES = {"display_name": "displayName", "user_id": "userId"}
_OF_THE_LOCATION = frozenset({"latitude", "longitude", "located_at", "radius_meters"})


def _fields(row: Any) -> dict[str, Any]:
    fields = {_NAMES.get(name, name): value for name, value in row.items() if name not in _OF_THE_LOCATION}
    return fields | {name: orjson.loads(fields[name]) for name in ("attributes", "keys") if name in fields}
