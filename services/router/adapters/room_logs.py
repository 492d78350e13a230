"""Appends to room logs: the last thing that a transaction does, so that a hot room is locked for the shortest time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from services.router.domain.notification import Notification, RoomPlace
from services.router.domain.placing import entries
from services.router.domain.withdrawing import Withdrawn

_SQL = load(Path(__file__).with_name("ledger.sql"))

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
