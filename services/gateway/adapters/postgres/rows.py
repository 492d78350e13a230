"""Rows of the feed's functions as entries: the same records that the router and the inbox hand on by Kafka."""

from __future__ import annotations

import asyncpg
import orjson

from libs.schemas import rooms
from libs.schemas.records import NotificationEmission, RoomEntry, StateChange, Withdrawal
from services.gateway.domain.logs import Entry

_COLUMNS = ("tenant", "id", "event", "type", "name", "title", "message", "severity", "priority", "traceparent")
_EXTRAS = ("actor", "related", "actionUrl", "tags", "excluded")


def room_entry(row: asyncpg.Record) -> Entry:
    """An entry of a room's log. Its record is None when the notification is not there, or is over."""
    if row["withdrawn"] is not None:
        return Entry(row["epoch"], row["seq"], _withdrawal(row))
    if row["id"] is None or row["rooms"] is None:
        return Entry(row["epoch"], row["seq"], None)
    extras = orjson.loads(row["extras"])
    record = NotificationEmission.model_validate(
        {column: row[column] for column in _COLUMNS}
        | {name: extras[name] for name in _EXTRAS if extras.get(name) is not None}
        | {
            "metadata": orjson.loads(row["metadata"]),
            "data": orjson.loads(row["data"]) if row["data"] is not None else None,
            "created_at": row["accepted_at"],
            "expires_at": row["expires_at"],
            "collapse_key": row["collapse_key"],
            "rooms": _places(row),
        }
    )
    return Entry(row["epoch"], row["seq"], record)


def _withdrawal(row: asyncpg.Record) -> Withdrawal:
    return Withdrawal(
        tenant=row["tenant"],
        notification_id=row["withdrawn"],
        reason=row["withdrawn_because"],
        at=row["at"],
        rooms=tuple(_places(row)),
    )


def _places(row: asyncpg.Record) -> list[RoomEntry]:
    at = {p.room: p for p in map(_place, row["rooms"], row["epochs"], row["seqs"])}
    return [at[room] for room in rooms.ordered(at)]


def _place(room: str, epoch: int, seq: int) -> RoomEntry:
    return RoomEntry(room=room, epoch=epoch, seq=seq)


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
