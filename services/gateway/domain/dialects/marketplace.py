"""The dialect of namespace `/ws/notifications`: the marketplace's, every type by its own name (F4-1, F4-2).

Additive: `position` everywhere, `notificationUnread`, `…Deleted`, `…Archived`, `…Unarchived`, `…Snoozed`,
`…Unsnoozed`, `…Withdrawn`, `notificationsRead`, `notificationsSeen`, `notificationsCleared`, `resync`,
`serverClosing`, `userOnline`, `userOffline`, `presenceUpdated`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from libs.auth.tokens import Identity
from libs.runtime.clock import iso
from libs.schemas.records import StateChange, Withdrawal
from services.gateway.domain.dialects.dialect import Dialect, Emission
from services.gateway.domain.dialects.look import Looks
from services.gateway.domain.logs import Entry, Head
from services.gateway.domain.notification import Notification
from services.gateway.domain.resume import on_the_wire


class Marketplace(Dialect):
    """Document 004."""

    namespace = "/ws/notifications"

    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    def notification(self, room: str, entry: Entry, record: Notification) -> Emission:
        """Under the wire name of its type, else under that of its event."""
        payload: dict[str, Any] = {
            "id": record.id,
            "event": record.event,
            "type": record.type,
            "name": record.name,
            "title": record.title,
            "message": record.message,
            "severity": record.severity,
            "data": record.data or {},
            "metadata": record.metadata,
            "actionUrl": record.action_url,
            "tags": list(record.tags),
            "createdAt": iso(record.created_at),
            "position": {"room": room, "epoch": entry.epoch, "seq": entry.seq},
        }
        return Emission(self._looks(record.tenant, record.type).wire or record.event, payload)

    def withdrawal(self, record: Withdrawal) -> Emission:
        """`notificationWithdrawn`"""
        at = {"reason": record.reason, "withdrawnAt": iso(record.at)}
        return Emission("notificationWithdrawn", {"notificationId": str(record.notification_id)} | at)

    def state(self, change: StateChange) -> Emission:
        """`notification{Operation}` for one, `notifications{Operation}` for all."""
        name = "read" if change.operation == "read_all" else change.operation
        payload: dict[str, Any] = {f"{name}At": iso(change.at)}
        if change.notification_id is None:
            return Emission(f"notifications{name.capitalize()}", {"positions": change.positions or {}} | payload)
        if change.until is not None:
            payload["snoozedUntil"] = iso(change.until)
        return Emission(f"notification{name.capitalize()}", {"notificationId": str(change.notification_id)} | payload)

    def connected(
        self, identity: Identity, rooms: Sequence[str], position: Mapping[str, Head], now: datetime
    ) -> Emission:
        """`connected`, with roles and session."""
        payload: dict[str, Any] = {"userId": identity.user_id, "roles": list(identity.roles), "rooms": list(rooms)}
        if identity.session_id is not None:
            payload["sessionId"] = identity.session_id
        return Emission("connected", payload | {"timestamp": iso(now), "position": on_the_wire(position)})

    def heartbeat(self, now: datetime) -> Emission:
        """`heartbeat`"""
        return Emission("heartbeat", {"timestamp": iso(now)})

    def closing(self, reconnect_ms: int, now: datetime) -> Emission:
        """`serverClosing`"""
        return Emission("serverClosing", {"reconnectInMs": reconnect_ms, "timestamp": iso(now)})

    def came(self, user: str) -> Emission:
        """`userOnline`"""
        return Emission("userOnline", {"userId": user})

    def went(self, user: str) -> Emission:
        """`userOffline`"""
        return Emission("userOffline", {"userId": user})

    def presence(self, user: str, status: str, custom_status: str | None) -> Emission:
        """`presenceUpdated`"""
        return Emission("presenceUpdated", {"userId": user, "status": status, "customStatus": custom_status})
