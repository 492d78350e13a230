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
from libs.schemas.records import NotificationEmission, StateChange, Withdrawal
from services.gateway.domain.logs import STATE, Entry, Head
from services.gateway.domain.resume import on_the_wire

Emission = tuple[str, dict[str, Any]]

UNAUTHORIZED = "UNAUTHORIZED"
SERVER_ERROR = "SERVER_ERROR"
# Which fields of the documents each event has; the rest of a notification is for the inbox.
_FIELDS = {
    "system.notification": ("title", "message", "severity"),
    "service.event": ("name",),
    "service.alert": ("title", "message", "severity"),
    "agent.event": ("name", "title", "message", "severity"),
}


def emission(room: str, entry: Entry) -> Emission | None:
    """(event, payload) of a log entry; None for an entry that shows nothing."""
    if isinstance(entry.record, NotificationEmission):
        return _notification(room, entry, entry.record)
    if isinstance(entry.record, Withdrawal):
        return _withdrawn(room, entry, entry.record)
    return None if entry.record is None else _state(entry, entry.record)


def _notification(room: str, entry: Entry, record: NotificationEmission) -> Emission:
    payload: dict[str, Any] = {field: getattr(record, field) for field in _FIELDS[record.event]}
    payload["metadata"] = record.metadata | {"notificationId": str(record.id)}
    if record.data is not None:
        payload["data"] = record.data
    payload |= {"readByUserIds": [], "createdAt": iso(record.created_at)}
    if record.event == "service.event" and record.title is not None:
        payload["display"] = {"title": record.title, "message": record.message}
    payload |= {key: value for key, value in _additions(record).items() if value}
    payload["position"] = {"room": room, "epoch": entry.epoch, "seq": entry.seq}
    return record.event, payload


def _additions(record: NotificationEmission) -> dict[str, Any]:
    return {
        "type": record.type,
        "priority": record.priority,
        "actor": record.actor,
        "related": record.related,
        "actionUrl": record.action_url,
        "tags": list(record.tags),
        "traceparent": record.traceparent,
    }


def _withdrawn(room: str, entry: Entry, record: Withdrawal) -> Emission:
    payload = {"notificationId": str(record.notification_id), "reason": record.reason, "withdrawnAt": iso(record.at)}
    return "notification.withdrawn", payload | {"position": {"room": room, "epoch": entry.epoch, "seq": entry.seq}}


def _state(entry: Entry, change: StateChange) -> Emission:
    at = iso(change.at)
    position = {STATE: [entry.epoch, entry.seq]}
    subject = {"notificationId": str(change.notification_id)}
    match change.operation:
        case "read":
            return "notification.read", subject | {"userId": change.user_id, "readAt": at, "position": position}
        case "unread":
            return "notification.unread", subject | {"userId": change.user_id, "unreadAt": at, "position": position}
        case "deleted":
            return "notification.deleted", subject | {"deletedAt": at, "position": position}
        case "snoozed":
            until = None if change.until is None else iso(change.until)
            return "notification.snoozed", subject | {"snoozedUntil": until, "snoozedAt": at, "position": position}
        case "archived" | "unarchived" | "unsnoozed":
            return f"notification.{change.operation}", subject | {f"{change.operation}At": at, "position": position}
        case "read_all" | "seen" | "cleared":
            name = "read" if change.operation == "read_all" else change.operation
            payload = {"userId": change.user_id, "positions": change.positions or {}, f"{name}At": at}
            return f"notifications.{change.operation}", payload | {"position": position}


def connected(identity: Identity, rooms: Sequence[str], position: Mapping[str, Head], now: datetime) -> Emission:
    """The session stands; `position` is where the client's logs go on from here."""
    payload: dict[str, Any] = {"userId": identity.user_id, "rooms": list(rooms), "timestamp": iso(now)}
    if identity.agent_id is not None:
        payload["agentId"] = identity.agent_id
    return "connected", payload | {"position": on_the_wire(position)}


def resync(reason: str, position: Mapping[str, Head], now: datetime) -> Emission:
    """The client must fetch again what it shows of the rooms in `position`, which is where they go on."""
    return "resync", {"reason": reason, "position": on_the_wire(position), "timestamp": iso(now)}


def unauthorized(now: datetime) -> Emission:
    """The token is missing, not valid or over (S9)."""
    return error(UNAUTHORIZED, "Invalid or expired JWT token", now)


def unavailable(now: datetime, retry_ms: int) -> Emission:
    """The gateway cannot serve the client now; it may come back after `retry_ms` milliseconds."""
    event, payload = error(SERVER_ERROR, "The service is not available now, please try again", now)
    return event, payload | {"retryInMs": retry_ms}


def error(code: str, message: str, now: datetime) -> Emission:
    """Something that the client asked for was refused."""
    return "error", {"code": code, "message": message, "timestamp": iso(now)}


def closing(reconnect_ms: int, now: datetime) -> Emission:
    """The gateway stops; the client should connect again after `reconnect_ms` milliseconds, each after its own."""
    return "server.closing", {"reconnectInMs": reconnect_ms, "timestamp": iso(now)}
