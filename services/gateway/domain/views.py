"""How a notification of the inbox looks over HTTP: the canonical shape, and the field names of 000 §4 (S20)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson

from libs.runtime.clock import iso
from services.gateway.domain.inbox import Reader, Row

#: JSON members of a row, for this reader. Text columns that hold JSON are passed on as they are.
View = Callable[[Row, Reader], dict[str, Any]]


PENDING, DELIVERED, PERMANENT_FAILURE = "pending", "delivered", "permanent_failure"


def canonical(row: Row, _who: Reader, *, failed_after: timedelta) -> dict[str, Any]:
    """`/api/v1`: everything about the notification that concerns its reader."""
    extras = orjson.loads(row["extras"])
    return {
        "id": str(row["id"]),
        "event": row["event"],
        "type": row["type"],
        "name": row["name"],
        "title": row["title"],
        "message": row["message"],
        "severity": row["severity"],
        "priority": row["priority"],
        "metadata": orjson.Fragment(row["metadata"]),
        "data": _json(row["data"]),
        "actor": extras.get("actor"),
        "related": extras.get("related"),
        "actionUrl": extras.get("actionUrl"),
        "tags": extras.get("tags", []),
        "deliveryStatus": _status(row, failed_after),
        "read": row["read"],
        "readAt": _read_at(row),
        "seen": row["seen"],
        "archivedAt": _time(row["archived_at"]),
        "snoozedUntil": _time(row["snoozed_until"]),
        "expiresAt": _time(row["expires_at"]),
        "createdAt": iso(row["accepted_at"]),
        "position": {"room": row["room"], "epoch": row["epoch"], "seq": row["seq"]},
    }


def document(row: Row, who: Reader, *, failed_after: timedelta) -> dict[str, Any]:
    """`/api/notifications`: the stored fields of 000 §4. Of readers and recipients it names only the caller's own."""
    read_at, status = _read_at(row), _status(row, failed_after)
    delivered, failed = status == DELIVERED, status == PERMANENT_FAILURE
    return {
        "_id": str(row["id"]),
        "event": row["event"],
        "title": row["title"],
        "message": row["message"],
        "severity": row["severity"],
        "name": row["name"],
        "metadata": orjson.Fragment(row["metadata"]),
        "data": _json(row["data"]),
        "recipients": _recipients(row, who),
        "deliveryStatus": "failed" if failed else status,
        "deliveredAt": (read_at or _time(row["delivered_at"])) if delivered else None,
        "failureReason": PERMANENT_FAILURE if failed else None,
        "readByUserIds": [who.reader] if row["read"] else [],
        "createdAt": iso(row["accepted_at"]),
        "updatedAt": read_at or iso(row["at"]),
    }


def _status(row: Row, failed_after: timedelta) -> str:
    """In the app. What nobody confirmed for too long has failed, until somebody is caught up on it after all (S8)."""
    if row["read"] or row["delivered"]:
        return DELIVERED
    return PERMANENT_FAILURE if row["age"] >= failed_after else PENDING


def _recipients(row: Row, who: Reader) -> dict[str, list[str]]:
    theirs = {*who.own, *who.claimed, row["room"]}
    kinds = {"user": "userIds", "agent": "agentIds", "org": "orgIds"}
    recipients: dict[str, list[str]] = {name: [] for name in kinds.values()}
    for room in row["rooms"]:
        kind, _, name = room.partition(":")
        if room in theirs and kind in kinds:
            recipients[kinds[kind]].append(name)
    return recipients


def _read_at(row: Row) -> str | None:
    return _time(row["read_at"]) if row["read"] else None


def _time(value: datetime | None) -> str | None:
    return None if value is None else iso(value)


def _json(text: str | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)
