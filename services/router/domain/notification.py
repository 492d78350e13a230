"""A notification as it is stored, and as the gateways are sent it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from libs.runtime.clock import iso

#: What of `extras` is not emitted beside the main fields.
_STORED_ONLY = frozenset({"channels", "recipients"})

Key = tuple[str, UUID]  # tenant, notification id


@dataclass(frozen=True, slots=True)
class RoomPlace:
    """Where a notification stands in a room: `seq` is gap-free within (tenant, room, epoch)."""

    room: str
    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class Notification:
    """A row of `notifications`. `metadata`, `data`, `audience` and `source` are JSON texts."""

    tenant: str
    id: UUID
    event: str
    type: str
    name: str | None
    title: str | None
    message: str | None
    severity: str
    priority: str | None
    metadata: str
    data: str | None
    extras: Mapping[str, Any]
    audience: str
    rooms: tuple[str, ...]
    catalogue_version: str
    decisions_planned: int
    traceparent: str
    source: str
    accepted_at: datetime
    expires_at: datetime | None = None
    collapse_key: str | None = None
    urgency: int = 2
    sensitive: tuple[str, ...] = ()  # paths into the data

    @property
    def excluded(self) -> tuple[str, ...]:
        """The users who are not meant although they may be in one of its groups."""
        return tuple(self.extras.get("excluded", ()))

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.tenant, self.id


def emission(notification: Notification, places: Sequence[RoomPlace], silent: Sequence[str] = ()) -> bytes:
    """The record of libs.schemas.records.NotificationEmission. `places` are all its rooms in their fixed order."""
    record: dict[str, Any] = {key: value for key, value in notification.extras.items() if key not in _STORED_ONLY}
    record |= {
        "schemaVersion": 1,
        "kind": "notification",
        "tenant": notification.tenant,
        "id": str(notification.id),  # a driver may have read it as a type of its own
        "event": notification.event,
        "type": notification.type,
        "name": notification.name,
        "title": notification.title,
        "message": notification.message,
        "severity": notification.severity,
        "priority": notification.priority,
        "metadata": orjson.Fragment(notification.metadata),
        "data": None if notification.data is None else orjson.Fragment(notification.data),
        "createdAt": iso(notification.accepted_at),
        "expiresAt": None if notification.expires_at is None else iso(notification.expires_at),
        "collapseKey": notification.collapse_key,
        "rooms": places,
        "traceparent": notification.traceparent,
    }
    if silent:
        record["silent"] = silent
    return orjson.dumps(record)
