"""The entries that a batch adds to room logs, in the order of arrival."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.router.domain.handover import RoomKey
from services.router.domain.notification import Notification
from services.router.domain.withdrawing import Withdrawn

NOTIFICATION, CONTROL = 0, 1  # kinds of entries
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
    kinds: list[int] = field(default_factory=list)
    expiries: list[datetime | None] = field(default_factory=list)
    heads: list[tuple[RoomKey, int]] = field(default_factory=list)  # in the order of their keys


def entries(appended: Iterable[Notification | Withdrawn]) -> Entries:
    """One entry for every room of every notification, and a control entry for every room of every withdrawn one."""
    found = Entries()
    for one in appended:
        kind, of_type, expires_at = _describe(one)
        for place, room in enumerate(one.rooms):
            found.tenants.append(one.tenant)
            found.rooms.append(room)
            found.notifications.append(one.id)
            found.types.append(of_type)
            found.priors.append(prior(one.rooms, place) if place and kind == NOTIFICATION else None)
            found.kinds.append(kind)
            found.expiries.append(expires_at)
    keys = list(zip(found.tenants, found.rooms, strict=True))
    left = Counter(keys)
    found.heads = sorted(left.items())
    for key in keys:
        left[key] -= 1
        found.left_after.append(left[key])
    return found


def _describe(one: Notification | Withdrawn) -> tuple[int, str, datetime | None]:
    if isinstance(one, Withdrawn):
        return CONTROL, one.reason, None
    return NOTIFICATION, one.type, one.expires_at


def prior(rooms: Sequence[str], place: int) -> str | None:
    """The rooms before the one at `place` that a reader of it may read too, joined by spaces.

    None where there are none: nobody reads the user rooms of two people. `*` where they are too many for an index row.
    """
    if place == 0 or rooms[place].startswith("user:"):
        return None
    joined = " ".join(rooms[:place])
    return joined if len(joined.encode()) <= _PRIOR_BYTES else TOO_MANY
