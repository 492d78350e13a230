"""The inbox in PostgreSQL, as the person who reads it: every transaction runs under row-level security."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import orjson

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.schemas.records import StateChange
from libs.sealing.vault import Closed, Vault
from services.gateway.adapters.postgres.database import Database
from services.gateway.adapters.postgres.state_log import Subject, append, append_positions, lock
from services.gateway.domain.inbox import Count, Filters, Place, PositionOperation, Reader, Row, Seen, seen_positions
from services.gateway.domain.marks import Action, Marks, Standing, marked

_SQL = load(Path(__file__).with_suffix(".sql"))
_TOLD_AT_ONCE = 1_000  # what is marked read together is told one by one, but not without end
_MOVE = {"read_all": "move_read", "seen": "move_seen", "cleared": "move_cleared"}


class PostgresInbox:
    """See ports.InboxStore."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def page(
        self, who: Reader, filters: Filters, limit: int, offset: int, after: Place | None, now: datetime
    ) -> Sequence[Row]:
        """See ports.InboxStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            rows = await _page(connection, who, filters, limit, offset, after, now)
            return await self._opened(connection, who, rows)

    async def one(self, who: Reader, notification: UUID, now: datetime) -> Row | None:
        """See ports.InboxStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            rows = await connection.fetch(_SQL["some"], *_who(who), now, [notification])
            found = await self._opened(connection, who, rows)
        return found[0] if found else None

    async def unread_count(self, who: Reader, now: datetime) -> int:
        """See ports.InboxStore."""
        async with self._database.as_reader(who.tenant, who.reader, replan=False) as connection:
            return await _unread(connection, who, now)

    async def counts(self, who: Reader, now: datetime) -> list[Count]:
        """See ports.InboxStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            rows = await connection.fetch(_SQL["counts"], *_who(who), now)
        return [Count(row["type"], row["unread"], row["unseen"]) for row in rows]

    async def mark(
        self, who: Reader, notifications: Sequence[UUID], action: Action, now: datetime
    ) -> tuple[set[UUID], list[StateChange]]:
        """See ports.InboxStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            await lock(connection, who)
            return await _mark(connection, who, notifications, action, now)

    async def mark_matching(
        self, who: Reader, filters: Filters, seen: Seen | None, action: Action, limit: int, now: datetime
    ) -> tuple[list[StateChange], bool]:
        """See ports.InboxStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            await lock(connection, who)
            rows = await _page(connection, who, filters, limit, 0, None, now)
            ends = None if seen is None else seen_positions(seen, await _ends(connection, who))
            ids = [row["id"] for row in rows[:limit] if ends is None or row["seq"] <= ends.get(row["room"], 0)]
            _, changes = await _mark(connection, who, ids, action, now)
            return changes, len(rows) > limit

    async def move(
        self, who: Reader, operation: PositionOperation, seen: Seen | None, now: datetime
    ) -> tuple[int, StateChange | None]:
        """See ports.InboxStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            await lock(connection, who)
            before = await _unread(connection, who, now)
            positions = seen_positions(seen, await _ends(connection, who))
            told = await _to_be_told(connection, who, positions, now) if operation == "read_all" and before else []
            if not await _moved(connection, who, operation, positions, now):
                return 0, None
            if told:
                await connection.execute(_SQL["tell_read"], told)
            after = await _unread(connection, who, now)
            count = before - after
            return count, await append_positions(connection, who, Action(operation), positions, count, now)

    async def wake(self, limit: int, now: datetime) -> list[StateChange]:
        """See ports.InboxStore."""
        return [
            StateChange(
                tenant=row["tenant"],
                user_id=row["reader"],
                epoch=row["epoch"],
                seq=row["seq"],
                operation="unsnoozed",
                notification_id=row["notification"],
                at=now,
            )
            for row in await self._database.fetch(_SQL["wake"], now, limit)
        ]

    async def _opened(self, connection: Connection, who: Reader, rows: Sequence[asyncpg.Record]) -> Sequence[Row]:
        """The rows with the sensitive parts of their data."""
        closed = [
            Closed(who.tenant, row["id"], row["data"], row["sealed"]) for row in rows if row["sealed"] is not None
        ]
        if not closed:
            return rows
        opened = await self._vault.open(connection.fetch, closed)
        data = {id_: orjson.dumps(values).decode() for (_, id_), values in opened.items()}
        return [dict(row) | {"data": data[row["id"]]} if row["id"] in data else row for row in rows]


def _who(who: Reader) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
    return who.tenant, who.reader, who.own, who.claimed


async def _page(
    connection: Connection, who: Reader, filters: Filters, limit: int, offset: int, after: Place | None, now: datetime
) -> Sequence[asyncpg.Record]:
    f, place = filters, after or (None, None, None)
    narrowed = (f.since, f.until, f.event, f.name, f.types, f.severity, f.tag, f.org, f.agent, f.unread)
    more = (f.archived, f.snoozed, f.text)
    return await connection.fetch(_SQL["page"], *_who(who), now, limit, offset, *place, *narrowed, *more)


async def _unread(connection: Connection, who: Reader, now: datetime) -> int:
    return int(await connection.fetchval(_SQL["unread_count"], *_who(who), now))


async def _ends(connection: Connection, who: Reader) -> dict[str, int]:
    return {row["room"]: row["seq"] for row in await connection.fetch(_SQL["ends"], *_who(who))}


async def _mark(
    connection: Connection, who: Reader, notifications: Iterable[UUID], action: Action, now: datetime
) -> tuple[set[UUID], list[StateChange]]:
    found = await connection.fetch(_SQL["some"], *_who(who), now, list(dict.fromkeys(notifications)))
    changed = [(row, marks) for row in found if (marks := marked(_standing(row), action, now)) is not None]
    if changed:
        places = [[row[column] for row, _ in changed] for column in ("id", "room", "seq")]
        columns = [list(column) for column in zip(*(astuple(marks) for _, marks in changed), strict=True)]
        await connection.execute(_SQL["put_receipts"], who.tenant, who.reader, *places, *columns, now)
    subjects = [Subject(row["id"], row["room"], row["seq"]) for row, _ in changed]
    changes = await append(connection, who, action, subjects, now) if changed else []
    return {row["id"] for row in found}, changes


def _standing(row: Row) -> Standing:
    marks = Marks(row["marked"], row["read_mark"], row["seen_mark"], row["archived_at"], row["snooze_mark"])
    return Standing(marks, row["read"], row["seen"])


async def _to_be_told(connection: Connection, who: Reader, positions: dict[str, int], now: datetime) -> list[UUID]:
    """What is unread up to the positions, the newest of it: customers learn of each that it was read."""
    rows = await _page(connection, who, Filters(unread=True), _TOLD_AT_ONCE, 0, None, now)
    return [row["id"] for row in rows if row["seq"] <= positions.get(row["room"], 0)]


async def _moved(
    connection: Connection, who: Reader, operation: PositionOperation, positions: dict[str, int], now: datetime
) -> bool:
    rooms, seqs = list(positions), list(positions.values())
    at = () if operation == "cleared" else (now,)
    moved = await connection.fetch(_SQL[_MOVE[operation]], who.tenant, who.reader, rooms, seqs, *at)
    if operation == "read_all":
        moved += await connection.fetch(_SQL["clear_unread_marks"], *_who(who), now, rooms, seqs)
    return bool(moved)
