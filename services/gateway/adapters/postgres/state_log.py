"""A person's state log: what they do to their inbox happens one after the other, and takes a number each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.schemas.records import StateChange
from services.gateway.domain.inbox import Reader
from services.gateway.domain.marks import Action

_SQL = load(Path(__file__).with_name("inbox.sql"))


class Subject(NamedTuple):
    """A notification, and where it exists for the reader."""

    notification: UUID
    room: str
    seq: int


async def lock(connection: Connection, who: Reader) -> None:
    """Waits for the reader's turn; it lasts until the transaction ends."""
    if await connection.fetchrow(_SQL["lock_state"], who.tenant, who.reader) is None:
        await connection.execute(_SQL["make_state"], who.tenant, who.reader)
        await connection.fetchrow(_SQL["lock_state"], who.tenant, who.reader)


async def append(
    connection: Connection, who: Reader, action: Action, subjects: Sequence[Subject], now: datetime
) -> list[StateChange]:
    """An entry for each notification, in their order."""
    ids = [subject.notification for subject in subjects]
    head = await _append(connection, who, action, ids, None, None, now)
    return [
        _change(head, who, action, now, number, notification_id=s.notification, room=s.room, room_seq=s.seq)
        for number, s in enumerate(subjects, 1)
    ]


async def append_positions(
    connection: Connection, who: Reader, action: Action, positions: Mapping[str, int], count: int, now: datetime
) -> StateChange:
    """An entry about everything up to these positions; `count` notifications became read by it."""
    stored = orjson.dumps(positions).decode()
    head = await _append(connection, who, action, [None], stored, count, now)
    return _change(head, who, action, now, 1, positions=dict(positions), count=count)


async def _append(
    connection: Connection,
    who: Reader,
    action: Action,
    notifications: list[UUID] | list[None],
    positions: str | None,
    count: int | None,
    now: datetime,
) -> Any:
    given = (action.operation, notifications, positions, count, action.until, now)
    return await connection.fetchrow(_SQL["append_states"], who.tenant, who.reader, *given)


def _change(head: Any, who: Reader, action: Action, now: datetime, number: int, **about: Any) -> StateChange:
    return StateChange(
        tenant=who.tenant,
        user_id=who.reader,
        epoch=head["epoch"],
        seq=head["before"] + number,
        operation=action.operation,
        until=action.until,
        at=now,
        **about,
    )
