"""The dialect of namespace `/notifications`: the internal module's, in snake_case (F1-1, F1-2, F1-3).

Additive: `position` everywhere, `notifications:seen`, `notifications:cleared`, `notification:deleted`, `:archived`,
`:unarchived`, `:snoozed`, `:unsnoozed`, `:withdrawn`, `resync`, `server:closing`, `presence:updated`, `user:online`,
`user:offline`; in `notification:new` also `severity`, `data`, `action_url`, `tags`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any
from uuid import UUID

from libs.auth.tokens import Identity
from libs.markup.safe_html import safe_html
from libs.runtime.clock import iso
from libs.schemas.records import StateChange, Withdrawal
from services.gateway.domain.commands import COMMON, Acknowledge, Fault, Malformed, Reading, text
from services.gateway.domain.dialects.dialect import UNAVAILABLE, Dialect, Emission
from services.gateway.domain.dialects.look import Looks
from services.gateway.domain.logs import Entry, Head
from services.gateway.domain.notification import Notification
from services.gateway.domain.recipients import Recipient, RecipientIds
from services.gateway.domain.resume import on_the_wire


class Internal(Dialect):
    """Document 001."""

    namespace = "/notifications"
    refused = "Authentication failed"
    unserved = "Server error"
    batches = True

    def __init__(self, looks: Looks, recipients: RecipientIds) -> None:
        self._looks, self._recipients = looks, recipients
        self.commands: Mapping[str, Reading] = {**COMMON, "notification:acknowledge": self._acknowledge}

    def notification(self, room: str, entry: Entry, record: Notification) -> Emission:
        """`notification:new`"""
        position = {"position": {"room": room, "epoch": entry.epoch, "seq": entry.seq}}
        return Emission("notification:new", self._new(room, entry.seq, record) | position)

    def batch(self, entries: Sequence[tuple[str, Entry]], unread: int) -> Emission:
        """`notification:batch`"""
        notifications = [
            self.notification(room, entry, entry.record).payload
            for room, entry in entries
            if isinstance(entry.record, Notification)
        ]
        return Emission("notification:batch", {"notifications": notifications, "unread_count": unread})

    def withdrawal(self, record: Withdrawal) -> Emission:
        """`notification:withdrawn`"""
        at = {"reason": record.reason, "withdrawn_at": iso(record.at)}
        return Emission("notification:withdrawn", {"notification_id": str(record.notification_id)} | at)

    def state(self, change: StateChange) -> Emission:
        """`notification:{operation}` for one, `notifications:{operation}` for all."""
        at, name = iso(change.at), change.operation
        if change.notification_id is None:
            stamp = "read" if name == "read_all" else name
            counted = {"marked_count": change.count or 0, f"{stamp}_at": at}
            return Emission(f"notifications:{name}", counted | {"positions": change.positions or {}})
        subject = {"notification_id": str(change.notification_id), f"{name}_at": at}
        if change.room is not None and change.room_seq is not None:
            recipient = Recipient(change.notification_id, change.room, change.room_seq)
            subject["recipient_id"] = self._recipients.write(recipient)
        if change.until is not None:
            subject["snoozed_until"] = iso(change.until)
        return Emission(f"notification:{name}", subject)

    def connected(
        self, identity: Identity, rooms: Sequence[str], position: Mapping[str, Head], now: datetime
    ) -> Emission:
        """`authenticated`"""
        payload = {"user_id": identity.user_id, "connected_at": iso(now), "rooms": list(rooms)}
        return Emission("authenticated", payload | {"position": on_the_wire(position)})

    def unauthorized(self, now: datetime, *, expired: bool) -> Emission:
        """`auth_error`"""
        del now
        if expired:
            return Emission("auth_error", {"message": "The token has expired", "code": "EXPIRED_TOKEN"})
        return Emission("auth_error", {"message": "Invalid token", "code": "INVALID_TOKEN"})

    def expiring(self, at: datetime, now: datetime) -> Emission:
        """`token:expiring`"""
        return Emission("token:expiring", {"expires_at": iso(at), "timestamp": iso(now)})

    def unavailable(self, now: datetime, retry_ms: int) -> Emission:
        """`auth_error` as well: whether the client may come in is not known."""
        del now
        return Emission("auth_error", {"message": UNAVAILABLE, "code": "SERVER_ERROR", "retry_in_ms": retry_ms})

    def error(self, fault: Fault, now: datetime) -> Emission:
        """`error {message, code, details?}`"""
        details: dict[str, Any] = {} if fault.field is None else {"field": fault.field}
        if fault.retry_after is not None:
            details["retry_after"] = ceil(fault.retry_after)
        more = {"details": details} if details else {}
        return Emission("error", {"message": fault.message, "code": fault.code, "timestamp": iso(now)} | more)

    def closing(self, reconnect_ms: int, now: datetime) -> Emission:
        """`server:closing`"""
        return Emission("server:closing", {"reconnect_in_ms": reconnect_ms, "timestamp": iso(now)})

    def acknowledged(self, notification: str) -> Emission:
        """`notification:acknowledged`"""
        return Emission("notification:acknowledged", {"notification_id": notification})

    def came(self, user: str) -> Emission:
        """`user:online`"""
        return Emission("user:online", {"user_id": user})

    def went(self, user: str) -> Emission:
        """`user:offline`"""
        return Emission("user:offline", {"user_id": user})

    def presence(self, user: str, status: str, custom_status: str | None) -> Emission:
        """`presence:updated`"""
        return Emission("presence:updated", {"user_id": user, "status": status, "custom_status": custom_status})

    def _new(self, room: str, seq: int, record: Notification) -> dict[str, Any]:
        look, message = self._looks(record.tenant, record.type), record.message or ""
        payload = {
            "id": record.id,
            "title": record.title or look.name,
            "content": message,
            "content_html": safe_html(message),
            "type": {"id": record.type, "name": look.name, "icon": look.icon, "color": look.color},
            "sender": _sender(record),
            "created_at": iso(record.created_at),
            "recipient_id": self._recipients.write(Recipient(UUID(record.id), room, seq)),
            "severity": record.severity,
        }
        more = {"data": record.data, "action_url": record.action_url, "tags": list(record.tags)}
        return payload | {name: value for name, value in more.items() if value}

    def _acknowledge(self, data: Any) -> Acknowledge:
        recipient = self._recipients.read(text(data, "recipient_id", longest=1_000))
        if recipient is None:
            raise Malformed("recipient_id", "this is not the id of a recipient")
        return Acknowledge(recipient.notification, (recipient.room, recipient.seq))


def _sender(record: Notification) -> dict[str, str]:
    """The actor; without one, the service that the event is from."""
    actor = record.actor or {}
    service = (record.name or record.event).partition(".")[0]
    identifier = str(actor.get("id") or actor.get("userId") or service)
    username = str(actor.get("username") or identifier)
    shown = actor.get("displayName") or actor.get("display_name") or actor.get("name")
    if shown is None:
        shown = username if actor else service.replace("_", " ").replace("-", " ").capitalize()
    return {"id": identifier, "username": username, "display_name": str(shown)}
