"""The dialect of namespace `/events`: collaboration's, whole rows in camelCase (F3-3).

Additive: `position` everywhere, `notification:unread`, `:deleted`, `:archived`, `:unarchived`, `:snoozed`,
`:unsnoozed`, `:withdrawn`, `notification:all-seen`, `notification:all-cleared`, `connected`, `error`, `resync`,
`server:closing`; in `notification:new` also `severity`, `data` and `tags`.
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

_ALL = {"read_all": "all-read", "seen": "all-seen", "cleared": "all-cleared"}


class Collaboration(Dialect):
    """Document 003."""

    namespace = "/events"
    explains = False

    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    def notification(self, room: str, entry: Entry, record: Notification) -> Emission:
        """`notification:new`, the whole row; `userId` is each reader's own."""
        look, related, actor = self._looks(record.tenant, record.type), record.related or {}, record.actor or {}
        data = record.data or {}
        row: dict[str, Any] = {
            "id": record.id,
            "tenantId": record.tenant,
            "type": look.constant,
            "title": record.title or look.name,
            "message": record.message or "",
            "icon": look.icon,
            "actionUrl": record.action_url,
            "actionLabel": data.get("actionLabel"),
            "relatedType": related.get("type"),
            "relatedId": related.get("id"),
            "metadata": record.metadata,
            "actorId": actor.get("id") or actor.get("userId"),
            "isRead": False,
            "readAt": None,
            "deliveredVia": [],
            "createdAt": iso(record.created_at),
            "severity": record.severity,
        }
        row |= {name: value for name, value in (("data", record.data), ("tags", list(record.tags))) if value}
        row["position"] = {"room": room, "epoch": entry.epoch, "seq": entry.seq}
        return Emission("notification:new", row, personal="userId")

    def withdrawal(self, record: Withdrawal) -> Emission:
        """`notification:withdrawn`"""
        at = {"reason": record.reason, "withdrawnAt": iso(record.at)}
        return Emission("notification:withdrawn", {"notificationId": str(record.notification_id)} | at)

    def state(self, change: StateChange) -> Emission:
        """`notification:{operation}` for one, `notification:all-…` for all."""
        if change.notification_id is None:
            positions = {} if change.positions is None else {"positions": change.positions}
            return Emission(f"notification:{_ALL[change.operation]}", positions)
        payload = {"notificationId": str(change.notification_id)}
        if change.until is not None:
            payload["snoozedUntil"] = iso(change.until)
        return Emission(f"notification:{change.operation}", payload)

    def connected(
        self, identity: Identity, rooms: Sequence[str], position: Mapping[str, Head], now: datetime
    ) -> Emission:
        """`connected`: the document has no name for it."""
        payload = {"userId": identity.user_id, "tenantId": identity.tenant, "rooms": list(rooms), "timestamp": iso(now)}
        return Emission("connected", payload | {"position": on_the_wire(position)})

    def closing(self, reconnect_ms: int, now: datetime) -> Emission:
        """`server:closing`"""
        return Emission("server:closing", {"reconnectInMs": reconnect_ms, "timestamp": iso(now)})

    def came(self, user: str) -> Emission:
        """`user:online`"""
        return Emission("user:online", {"userId": user})

    def went(self, user: str) -> Emission:
        """`user:offline`"""
        return Emission("user:offline", {"userId": user})

    def presence(self, user: str, status: str, custom_status: str | None) -> Emission:
        """`presence:updated`"""
        return Emission("presence:updated", {"userId": user, "status": status, "customStatus": custom_status})
