"""Erases what was said to a person, in PostgreSQL: a page in a transaction, so that it may end between any two."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.schemas import rooms
from libs.schemas.topics import IDS_KEPT
from services.router.adapters import withdrawals
from services.router.adapters.room_logs import append
from services.router.domain.notification import RoomPlace
from services.router.domain.withdrawing import Withdrawn
from services.router.keeping_ports import Erased

_SQL = load(Path(__file__).with_suffix(".sql"))
_PAGE, _DELIVERIES = 200, 2_000


class PostgresErasing:
    """Implements services.router.keeping_ports.Erasing."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def page(self) -> Erased | None:
        async with self._pool.acquire() as connection, connection.transaction():
            due = await connection.fetchrow(_SQL["next"])
            return await _page(connection, due) if due is not None else None


async def _page(connection: Connection, due: asyncpg.Record) -> Erased:
    tenant, user, room = due["tenant"], due["user_id"], rooms.user(due["user_id"])
    await connection.execute(_SQL["keys"], tenant, user, due["requested_at"])  # with the first page, and nothing later
    found = await connection.fetch(_SQL["in_room"], tenant, room, due["requested_at"], due["seq"], user, _PAGE)
    if found:
        theirs, shown = ([row["id"] for row in found if row["theirs"]], {row["id"] for row in found if row["shown"]})
        withdrawn = await _erase(connection, tenant, theirs, room, shown)
        await connection.execute(_SQL["went_on"], tenant, user, found[-1]["seq"], due["delivery"], len(theirs))
        return Erased(len(theirs), withdrawn)
    walked = await connection.fetch(_SQL["deliveries"], tenant, due["delivery"], _DELIVERIES)
    if not walked:
        await connection.execute(_SQL["of_person"], tenant, user, [], True)
        await connection.execute(_SQL["ended"], tenant, user, IDS_KEPT)
        return Erased(0, ())
    own = [row for row in walked if row["user_id"] == user]
    about = sorted({row["notification"] for row in own})
    rows = await connection.fetch(_SQL["not_in_rooms"], tenant, about, due["requested_at"], user) if about else []
    await _erase(connection, tenant, [row["id"] for row in rows], room, ())
    await connection.execute(_SQL["of_person"], tenant, user, [row["id"] for row in own], False)
    await connection.execute(_SQL["went_on"], tenant, user, due["seq"], walked[-1]["id"], len(rows))
    return Erased(len(rows), ())


async def _erase(
    connection: Connection, tenant: str, ids: Sequence[UUID], room: str, shown: Collection[UUID]
) -> tuple[tuple[Withdrawn, tuple[RoomPlace, ...]], ...]:
    """Withdraws what is shown and blanks all; the places of the control entries. Heads come last, as everywhere."""
    if not ids:
        return ()
    keys = [(tenant, id_) for id_ in ids]
    await withdrawals.stop(connection, keys, "erased")
    await withdrawals.mark(connection, keys)
    await connection.execute(_SQL["erase"], tenant, sorted(ids))
    gone = [Withdrawn(tenant, id_, "cancelled", (room,)) for id_ in ids if id_ in shown]
    places = [place for _, place in await append(connection, gone)]
    return tuple(zip(gone, places, strict=True))
