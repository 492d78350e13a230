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
    """A control entry in every room that the notification stands in."""

    tenant: str
    id: UUID
    reason: Why
    rooms: tuple[str, ...]

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

    An older one is withdrawn right before the newer when that stands in all of its rooms: nobody loses what nobody
    shows them anew. `holders` are the newest as yet, `rooms` where those stand that were written before.
    """
    newest, known = dict(holders), dict(rooms) | {n.key: n.rooms for n in notifications}
    appended: list[Notification | Withdrawn] = []
    gone: set[Key] = set()
    for notification in notifications:
        keys = holder_keys(notification)
        for old in dict.fromkeys((notification.tenant, newest[key]) for key in keys if key in newest):
            theirs = known.get(old, ())
            if old != notification.key and old not in gone and theirs and set(theirs) <= set(notification.rooms):
                gone.add(old)
                appended.append(Withdrawn(*old, "replaced", tuple(theirs)))
        appended.append(notification)
        newest |= dict.fromkeys(keys, notification.id)
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
