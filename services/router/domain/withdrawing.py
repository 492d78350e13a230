"""Notifications that are not to be shown any more: cancelled, or replaced by a newer one of their collapse key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson

from services.router.domain.notification import Key, Notification, RoomPlace

Why = Literal["cancelled", "replaced"]
HolderKey = tuple[str, str, str]  # tenant, room, collapse key


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A control entry in each of these rooms of the notification. `partial`: it stands in others."""

    tenant: str
    id: UUID
    reason: Why
    rooms: tuple[str, ...]
    partial: bool = False

    @property
    def key(self) -> Key:
        """What the notification is known by."""
        return self.tenant, self.id


def holder_keys(notification: Notification) -> list[HolderKey]:
    """Where a notification is the newest of its key once it is written."""
    if notification.collapse_key is None:
        return []
    return [(notification.tenant, room, notification.collapse_key) for room in notification.rooms]


def collapse(
    notifications: Sequence[Notification], holders: Mapping[HolderKey, UUID], rooms: Mapping[Key, Sequence[str]]
) -> tuple[list[Notification | Withdrawn], dict[HolderKey, UUID]]:
    """What is appended for notifications in their order, and the newest of each room and key afterwards.

    Right before the newer, the older is withdrawn in every room in which both stand; where nobody is shown the newer,
    it stays. `holders` are the newest as yet, `rooms` where those stand that were written before.
    """
    newest, known = dict(holders), dict(rooms) | {n.key: n.rooms for n in notifications}
    appended: list[Notification | Withdrawn] = []
    for notification in notifications:
        replaced: dict[Key, list[str]] = {}
        for key in holder_keys(notification):
            old = notification.tenant, newest.get(key, notification.id)
            if old != notification.key and known.get(old):
                replaced.setdefault(old, []).append(key[1])
            newest[key] = notification.id
        for old, there in replaced.items():
            appended.append(Withdrawn(*old, "replaced", tuple(there), partial=len(there) < len(known[old])))
        appended.append(notification)
    return appended, newest


def withdrawal(withdrawn: Withdrawn, places: Sequence[RoomPlace], at: str) -> bytes:
    """The record of libs.schemas.records.Withdrawal."""
    record: dict[str, Any] = {
        "schemaVersion": 1,
        "kind": "withdrawal",
        "tenant": withdrawn.tenant,
        "notificationId": str(withdrawn.id),
        "reason": withdrawn.reason,
        "at": at,
        "rooms": places,
    }
    return orjson.dumps(record)
