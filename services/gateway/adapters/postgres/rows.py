"""Rows of the feed's functions as entries: the same records that the router and the inbox hand on by Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg
import orjson

from libs.schemas import rooms
from libs.schemas.records import RoomEntry, StateChange, Withdrawal
from libs.sealing.values import About
from services.gateway.domain.logs import Entry
from services.gateway.domain.notification import Notification, Place

_COLUMNS = ("tenant", "event", "type", "name", "title", "message", "severity", "priority", "traceparent")


def room_entry(row: asyncpg.Record, opened: Mapping[About, dict[str, Any]]) -> Entry:
    """An entry of a room's log. Its record is None when the notification is not there, or is over.

    `opened` is the data of those that have sealed values.
    """
    if row["withdrawn"] is not None:
        return Entry(row["epoch"], row["seq"], _withdrawal(row))
    if row["id"] is None or row["rooms"] is None:
        return Entry(row["epoch"], row["seq"], None)
    extras = orjson.loads(row["extras"])
    record = Notification(
        **{column: row[column] for column in _COLUMNS},
        id=str(row["id"]),
        metadata=orjson.loads(row["metadata"]),
        data=_data(row) if row["sealed"] is None else opened[row["tenant"], row["id"]],
        actor=extras.get("actor"),
        related=extras.get("related"),
        action_url=extras.get("actionUrl"),
        tags=tuple(extras.get("tags") or ()),
        excluded=tuple(extras.get("excluded") or ()),
        created_at=row["accepted_at"],
        rooms=tuple(Place(*place) for place in _places(row)),
    )
    return Entry(row["epoch"], row["seq"], record)


def _data(row: asyncpg.Record) -> dict[str, Any] | None:
    return orjson.loads(row["data"]) if row["data"] is not None else None


def _withdrawal(row: asyncpg.Record) -> Withdrawal:
    return Withdrawal(
        tenant=row["tenant"],
        notification_id=row["withdrawn"],
        reason=row["withdrawn_because"],
        at=row["at"],
        rooms=tuple(RoomEntry(room=room, epoch=epoch, seq=seq) for room, epoch, seq in _places(row)),
    )


def _places(row: asyncpg.Record) -> list[tuple[str, int, int]]:
    """(room, epoch, seq) in the fixed order of rooms."""
    at = {place[0]: place for place in zip(row["rooms"], row["epochs"], row["seqs"], strict=True)}
    return [at[room] for room in rooms.ordered(at)]


def state_entry(row: asyncpg.Record) -> Entry:
    """An entry of a reader's state log."""
    change = StateChange(
        tenant=row["tenant"],
        user_id=row["reader"],
        epoch=row["epoch"],
        seq=row["seq"],
        operation=row["operation"],
        notification_id=row["notification"],
        room=row["room"],
        room_seq=row["room_seq"],
        positions=orjson.loads(row["positions"]) if row["positions"] is not None else None,
        count=row["count"],
        until=row["until"],
        at=row["at"],
    )
    return Entry(row["epoch"], row["seq"], change)
