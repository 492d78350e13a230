"""What a person may do to a notification of their inbox, and what is known of it afterwards (B12)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from libs.schemas.records import StateOperation


@dataclass(frozen=True, slots=True)
class Marks:
    """What somebody did to one notification. `read` and `seen_at` of None leave it to the watermark of its room."""

    read: bool | None = None
    read_at: datetime | None = None
    seen_at: datetime | None = None
    archived_at: datetime | None = None
    snoozed_until: datetime | None = None
    deleted_at: datetime | None = None


class Action(NamedTuple):
    """What is to be done. `until` is when something snoozed comes back."""

    operation: StateOperation
    until: datetime | None = None


class Standing(NamedTuple):
    """A notification as it stands: its marks, and whether it counts as read and as seen by mark or watermark."""

    marks: Marks
    read: bool
    seen: bool


def marked(standing: Standing, action: Action, now: datetime) -> Marks | None:
    """The marks after the action, or None when it changes nothing.

    What is read has been seen. What is snoozed comes back unread and out of the archive; what is archived does not
    come back by itself.
    """
    marks, is_snoozed = standing.marks, _is_snoozed(standing.marks, now)
    match action.operation:
        case "read":
            return None if standing.read else replace(marks, read=True, read_at=now, seen_at=marks.seen_at or now)
        case "unread":
            return replace(marks, read=False, read_at=None) if standing.read else None
        case "seen":
            return None if standing.seen else replace(marks, seen_at=now)
        case "archived":
            return replace(marks, archived_at=now, snoozed_until=None) if marks.archived_at is None else None
        case "unarchived":
            return None if marks.archived_at is None else replace(marks, archived_at=None)
        case "snoozed":
            changed = replace(marks, read=False, read_at=None, archived_at=None, snoozed_until=action.until)
            return None if changed == marks else changed
        case "unsnoozed":
            return replace(marks, snoozed_until=None) if is_snoozed else None
        case "deleted":
            return replace(marks, deleted_at=now)
        case "read_all" | "cleared":
            raise ValueError(f"{action.operation} is done to positions, not to single notifications")


def _is_snoozed(marks: Marks, now: datetime) -> bool:
    return marks.snoozed_until is not None and marks.snoozed_until > now
