"""A person's state log: what they do to their inbox happens one after the other, and takes a number each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.schemas.records import StateChange
from services.gateway.domain.inbox import Reader
from services.gateway.domain.marks import Action

_SQL = load(Path(__file__).with_name("inbox.sql"))


async def lock(connection: Connection, who: Reader) -> None:
    """Waits for the reader's turn; it lasts until the transaction ends."""
    if await connection.fetchrow(_SQL["lock_state"], who.tenant, who.reader) is None:
        await connection.execute(_SQL["make_state"], who.tenant, who.reader)
        await connection.fetchrow(_SQL["lock_state"], who.tenant, who.reader)


async def append(
    connection: Connection,
    who: Reader,
    action: Action,
    notifications: Sequence[UUID | None],
    now: datetime,
    positions: Mapping[str, int] | None = None,
) -> list[StateChange]:
    """An entry for each notification, in their order; one of None is about positions."""
    stored = None if positions is None else orjson.dumps(positions).decode()
    given = (action.operation, list(notifications), stored, action.until, now)
    [head] = await connection.fetch(_SQL["append_states"], who.tenant, who.reader, *given)
    return [
        StateChange(
            tenant=who.tenant,
            user_id=who.reader,
            epoch=head["epoch"],
            seq=head["before"] + number,
            operation=action.operation,
            notification_id=notification,
            positions=None if positions is None else dict(positions),
            until=action.until,
            at=now,
        )
        for number, notification in enumerate(notifications, 1)
    ]
