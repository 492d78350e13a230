"""The entries that a batch adds to room logs, in the order of arrival."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.router.domain.handover import RoomKey
from services.router.domain.notification import Notification

#: Stands for "more rooms than fit": an index row has 2.7 kB, and `prior` is part of one.
TOO_MANY = "*"
_PRIOR_BYTES = 600


@dataclass(slots=True)
class Entries:
    """Columns of the entries; `left_after` is how many entries of the same room come behind each."""

    tenants: list[str] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)
    left_after: list[int] = field(default_factory=list)
    notifications: list[UUID] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    priors: list[str | None] = field(default_factory=list)
    heads: list[tuple[RoomKey, int]] = field(default_factory=list)  # in the order of their keys


def entries(notifications: Iterable[Notification]) -> Entries:
    """One entry for every room of every notification."""
    found = Entries()
    for notification in notifications:
        for place, room in enumerate(notification.rooms):
            found.tenants.append(notification.tenant)
            found.rooms.append(room)
            found.notifications.append(notification.id)
            found.types.append(notification.type)
            found.priors.append(prior(notification.rooms, place) if place else None)
    keys = list(zip(found.tenants, found.rooms, strict=True))
    left = Counter(keys)
    found.heads = sorted(left.items())
    for key in keys:
        left[key] -= 1
        found.left_after.append(left[key])
    return found


def prior(rooms: Sequence[str], place: int) -> str | None:
    """The rooms before the one at `place` that a reader of it may read too, joined by spaces.

    None where there are none: nobody reads the user rooms of two people. `*` where they are too many for an index row.
    """
    if place == 0 or rooms[place].startswith("user:"):
        return None
    joined = " ".join(rooms[:place])
    return joined if len(joined.encode()) <= _PRIOR_BYTES else TOO_MANY
