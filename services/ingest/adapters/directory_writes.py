"""Writes the directory to PostgreSQL: entries and the memberships that follow from them, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from libs.postgres import queries
from libs.schemas.directory import Device, Org, User
from services.ingest.adapters import audit
from services.ingest.adapters.faults import connected
from services.ingest.domain import directory
from services.ingest.domain.directory import Change, Interval, Subject, attributes_of
from services.ingest.ports.administering import Changed

_SQL = queries.load(Path(__file__).with_name("directory.sql"))
_SECONDS = 20.0
_PAGE = 500


class PostgresDirectory:
    """services.ingest.ports.administering.Directory."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def apply(self, changes: Sequence[Change], actor: str | None) -> list[Changed]:
        """Writes the changes; those of an `actor` stand in the audit trail. Returns whose memberships changed."""
        ordered = directory.in_order(changes)
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            await _write_entries(connection, ordered)
            current = await _open_intervals(connection, sorted(directory.people(ordered)))
            changed = await _follow(connection, directory.memberships(ordered, current))
            if actor is not None:
                await audit.write(connection, actor, [_audited(change) for change in ordered])
            return changed

    async def leave_room(self, tenant: str, room: str) -> list[Changed]:
        """Closes the memberships of a page of a room's people; call it until nobody is returned."""
        async with connected(self._pool, _SECONDS) as connection, connection.transaction():
            members = await connection.fetch(_SQL["members"], tenant, room, _PAGE)
            left = [Interval(tenant, row["user_id"], room, None) for row in members]
            return await _follow(connection, directory.Memberships([], left))


def _audited(change: Change) -> audit.Entry:
    action = "directory.delete" if change.entry is None else "directory.upsert"
    return audit.Entry(change.subject.tenant, action, str(change.subject))


async def _write_entries(connection: Any, changes: Sequence[Change]) -> None:
    await _delete(connection, [change.subject for change in changes if change.entry is None])
    written = [(change.subject.tenant, change.entry) for change in changes if change.entry is not None]
    if users := [(tenant, entry) for tenant, entry in written if isinstance(entry, User)]:
        rows = [
            (t, u.id, u.email, u.phone, u.display_name, u.locale, u.timezone, _json(attributes_of(u))) for t, u in users
        ]
        await connection.execute(_SQL["upsert_users"], *_columns(rows))
        if places := [_place(t, u) for t, u in users if "location" in u.model_fields_set]:
            await connection.execute(_SQL["locate_users"], *_columns(places))
    if orgs := [(tenant, entry) for tenant, entry in written if isinstance(entry, Org)]:
        await connection.execute(
            _SQL["upsert_orgs"], *_columns([(t, o.id, o.name, _json(attributes_of(o))) for t, o in orgs])
        )
    if devices := [(tenant, entry) for tenant, entry in written if isinstance(entry, Device)]:
        device_rows = [(t, d.user_id, d.id, d.platform, d.token, _json(d.keys)) for t, d in devices]
        await connection.execute(_SQL["upsert_devices"], *_columns(device_rows))


def _place(tenant: str, user: User) -> tuple[Any, ...]:
    at = user.location
    return (tenant, user.id, *((at.lat, at.lon, at.updated_at, at.radius_meters) if at is not None else (None,) * 4))


async def _delete(connection: Any, subjects: Sequence[Subject]) -> None:
    statements = {
        "user": ("delete_users", "delete_devices_of_users", "forget_people"),
        "org": ("delete_orgs",),
        "device": ("delete_devices",),
    }
    for kind, names in statements.items():
        if rows := [(subject.tenant, *subject.id) for subject in subjects if subject.kind == kind]:
            for name in names:
                await connection.execute(_SQL[name], *_columns(rows))


async def _open_intervals(connection: Any, people: Sequence[tuple[str, str]]) -> list[Interval]:
    if not people:
        return []
    found = await connection.fetch(_SQL["open_intervals"], *_columns(people))
    return [Interval(row["tenant"], row["user_id"], row["room"], row["role"], row["source"]) for row in found]


async def _follow(connection: Any, plan: directory.Memberships) -> list[Changed]:
    """Closes and opens, after locking all heads of both in one order."""
    if heads := sorted({(interval.tenant, interval.room) for interval in (*plan.opened, *plan.closed)}):
        await connection.execute(_SQL["lock_heads"], *_columns(heads))
    versions: dict[tuple[str, str], int] = {}
    if plan.closed:
        closed = _columns([(i.tenant, i.user, i.room) for i in sorted(set(plan.closed), key=_key)])
        _keep(versions, await connection.fetch(_SQL["close"], *closed))
    if plan.opened:
        opened = _columns([(i.tenant, i.user, i.room, i.role) for i in sorted(set(plan.opened), key=_key)])
        _keep(versions, await connection.fetch(_SQL["open"], *opened))
    return [Changed(tenant, user, version) for (tenant, user), version in versions.items()]


def _key(interval: Interval) -> tuple[str, str, str]:
    return interval.tenant, interval.user, interval.room


def _keep(versions: dict[tuple[str, str], int], rows: Iterable[Any]) -> None:
    versions.update(((row["tenant"], row["user_id"]), row["version"]) for row in rows)


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
