"""Appends to room logs: the last thing that a transaction does, so that a hot room is locked for the shortest time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.schemas.rooms import is_personal
from services.router.domain.notification import Notification, RoomPlace
from services.router.domain.placing import entries
from services.router.domain.withdrawing import Withdrawn

_SQL = load(Path(__file__).with_name("ledger.sql"))

_HIDE = """
insert into receipts (tenant, user_id, notification, room, seq, deleted_at)
select t, u, n, r, s, clock_timestamp() from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bigint[])
  as k (t, u, n, r, s)
on conflict (tenant, user_id, notification) do nothing"""

Appended = list[tuple[Notification | Withdrawn, tuple[RoomPlace, ...]]]


async def append(connection: Connection, items: Sequence[Notification | Withdrawn]) -> Appended:
    """Where each stands now in its rooms."""
    added = entries(items)
    rows = iter(
        await connection.fetch(
            _SQL["append"],
            [tenant for (tenant, _), _ in added.heads],
            [room for (_, room), _ in added.heads],
            [count for _, count in added.heads],
            added.tenants,
            added.rooms,
            added.left_after,
            added.notifications,
            added.types,
            added.priors,
            added.kinds,
            added.expiries,
        )
        if added.rooms
        else ()
    )
    return [(one, tuple(RoomPlace(room, *next(rows)) for room in one.rooms)) for one in items]


async def hide(connection: Connection, appended: Appended) -> None:
    """Hides what stands in a group's room from who is excluded: to them it is as if they had deleted it."""
    rows = sorted(
        (one.tenant, user, one.id, place.room, place.seq)
        for one, places in appended
        if isinstance(one, Notification) and one.excluded
        for place in [next((place for place in places if not is_personal(place.room)), None)]
        if place is not None
        for user in one.excluded
    )
    if rows:
        await connection.execute(_HIDE, *zip(*rows, strict=True))
