"""The dialect of namespace `/`: the four event names, and the state events of the inbox (F0-5).

What the documents do not name is additive: `position`, `display`, `traceparent`, `resync`, `server.closing`,
`notification.withdrawn`, and what the inbox knows beyond reading and deleting (`notification.archived` and the like).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from libs.auth.tokens import Identity
from libs.runtime.clock import iso
from libs.schemas.records import StateChange, Withdrawal
from services.gateway.domain.dialects.dialect import Dialect, Emission
from services.gateway.domain.logs import Entry, Head
from services.gateway.domain.notification import Notification
from services.gateway.domain.resume import on_the_wire

# Which fields of the documents each event has; the rest of a notification is for the inbox.
_FIELDS = {
    "system.notification": ("title", "message", "severity"),
    "service.event": ("name",),
    "service.alert": ("title", "message", "severity"),
    "agent.event": ("name", "title", "message", "severity"),
}

# What else is told where it is not empty, by its name on the wire.
_ADDITIONS = (
    ("type", "type"),
    ("priority", "priority"),
    ("actor", "actor"),
    ("related", "related"),
    ("actionUrl", "action_url"),
    ("tags", "tags"),
    ("traceparent", "traceparent"),
)


class Root(Dialect):
    """Document 000, with the subscriptions and acknowledgements of 002."""

    namespace = "/"

    def notification(self, room: str, entry: Entry, record: Notification) -> Emission:
        """Under the name of its event."""
        payload: dict[str, Any] = {field: getattr(record, field) for field in _FIELDS[record.event]}
        payload["metadata"] = {**record.metadata, "notificationId": record.id}
        if record.data is not None:
            payload["data"] = record.data
        payload["readByUserIds"], payload["createdAt"] = [], iso(record.created_at)
        if record.event == "service.event" and record.title is not None:
            payload["display"] = {"title": record.title, "message": record.message}
        payload |= {name: value for name, field in _ADDITIONS if (value := getattr(record, field))}
        payload["position"] = {"room": room, "epoch": entry.epoch, "seq": entry.seq}
        return Emission(record.event, payload)

    def withdrawal(self, record: Withdrawal) -> Emission:
        """`notification.withdrawn`"""
        at = {"reason": record.reason, "withdrawnAt": iso(record.at)}
        return Emission("notification.withdrawn", {"notificationId": str(record.notification_id)} | at)

    def state(self, change: StateChange) -> Emission:
        """`notification.{operation}` for one, `notifications.{operation}` for all."""
        at = iso(change.at)
        if change.notification_id is None:
            name = "read" if change.operation == "read_all" else change.operation
            payload = {"userId": change.user_id, "positions": change.positions or {}, f"{name}At": at}
            return Emission(f"notifications.{change.operation}", payload)
        subject = {"notificationId": str(change.notification_id)}
        match change.operation:
            case "read" | "unread":
                whose = {"userId": change.user_id, f"{change.operation}At": at}
                return Emission(f"notification.{change.operation}", subject | whose)
            case "snoozed":
                until = None if change.until is None else iso(change.until)
                return Emission("notification.snoozed", subject | {"snoozedUntil": until, "snoozedAt": at})
            case operation:
                return Emission(f"notification.{operation}", subject | {f"{operation}At": at})

    def connected(
        self, identity: Identity, rooms: Sequence[str], position: Mapping[str, Head], now: datetime
    ) -> Emission:
        """`connected`, and whose agent it is."""
        payload: dict[str, Any] = {"userId": identity.user_id, "rooms": list(rooms), "timestamp": iso(now)}
        if identity.agent_id is not None:
            payload["agentId"] = identity.agent_id
        return Emission("connected", payload | {"position": on_the_wire(position)})
