"""The inbox in PostgreSQL, as the person who reads it: every transaction runs under row-level security."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.schemas.records import StateChange, StateOperation
from services.gateway.adapters.postgres.database import Database
from services.gateway.domain.inbox import Filters, Place, Reader, Row, Seen, seen_positions

_SQL = load(Path(__file__).with_suffix(".sql"))


class PostgresInbox:
    """See ports.InboxStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, who: Reader, filters: Filters, limit: int, offset: int, after: Place | None) -> Sequence[Row]:
        """Up to `limit` + 1 rows."""
        place = after or (None, None, None)
        narrowed = (filters.since, filters.until, filters.event, filters.name, filters.type, filters.severity)
        more = (filters.tag, filters.org, filters.agent, filters.unread)
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            return await connection.fetch(_SQL["page"], *_who(who), limit, offset, *place, *narrowed, *more)

    async def one(self, who: Reader, notification: UUID) -> Row | None:
        """The row, or None when it is not theirs or was deleted."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            return await _one(connection, who, notification)

    async def unread_count(self, who: Reader) -> int:
        """How many rows of the inbox are unread."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            return int(await connection.fetchval(_SQL["unread_count"], *_who(who)))

    async def mark(
        self, who: Reader, notification: UUID, operation: StateOperation, now: datetime
    ) -> tuple[Row, StateChange | None] | None:
        """Reads, unreads or deletes one. None when it is not theirs; no change when it was so already."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            await _lock(connection, who)
            row = await _one(connection, who, notification)
            if row is None:
                return None
            if row["read"] is (operation == "read") and operation != "deleted":
                return row, None
            read, read_at = (row["read"], row["read_at"]) if operation == "deleted" else (operation == "read", now)
            deleted = now if operation == "deleted" else None
            place = (who.tenant, who.reader, notification, row["room"], row["seq"])
            await connection.execute(_SQL["receipt"], *place, read, read_at if read else None, deleted, now)
            return row, await _append(connection, who, operation, now, notification=notification)

    async def read_all(self, who: Reader, seen: Seen | None, now: datetime) -> tuple[int, StateChange | None]:
        """Marks read up to the positions seen; how many became read, and the change if anything did."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            await _lock(connection, who)
            before = await connection.fetchval(_SQL["unread_count"], *_who(who))
            ends = {row["room"]: row["seq"] for row in await connection.fetch(_SQL["ends"], *_who(who))}
            positions = seen_positions(seen, ends)
            rooms, seqs = list(positions), list(positions.values())
            moved = await connection.fetch(_SQL["move_watermarks"], who.tenant, who.reader, rooms, seqs, now)
            cleared = await connection.fetch(_SQL["clear_unread_marks"], *_who(who), rooms, seqs, now)
            if not moved and not cleared:
                return 0, None
            after = await connection.fetchval(_SQL["unread_count"], *_who(who))
            return before - after, await _append(connection, who, "read_all", now, positions=positions)


def _who(who: Reader) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
    return who.tenant, who.reader, who.own, who.claimed


async def _one(connection: Connection, who: Reader, notification: UUID) -> Row | None:
    row = await connection.fetchrow(_SQL["one"], *_who(who), notification)
    return None if row is None or row["deleted_at"] is not None else row


async def _lock(connection: Connection, who: Reader) -> None:
    """What a person does to their inbox happens one after the other."""
    if await connection.fetchrow(_SQL["lock_state"], who.tenant, who.reader) is None:
        await connection.execute(_SQL["make_state"], who.tenant, who.reader)
        await connection.fetchrow(_SQL["lock_state"], who.tenant, who.reader)


async def _append(
    connection: Connection,
    who: Reader,
    operation: StateOperation,
    now: datetime,
    notification: UUID | None = None,
    positions: Mapping[str, int] | None = None,
) -> StateChange:
    stored = None if positions is None else orjson.dumps(positions).decode()
    [row] = await connection.fetch(_SQL["append_state"], who.tenant, who.reader, operation, notification, stored, now)
    return StateChange(
        tenant=who.tenant,
        user_id=who.reader,
        epoch=row["epoch"],
        seq=row["seq"],
        operation=operation,
        notification_id=notification,
        positions=None if positions is None else dict(positions),
        at=now,
    )
