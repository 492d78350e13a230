"""Events with a time of their own: one instant, or a time on each recipient's own clock.

They are scheduled also when the time has come: what becomes of an event must not depend on when it is read, or one that
is read again after a crash would be told beside its own schedule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from libs.rules.clocks import first
from libs.schemas.events import Recipients
from libs.schemas.records import AcceptedEvent, Source
from services.router.domain.incoming import Received
from services.router.domain.notification import Key

#: Where an event says it comes from when its time has come.
SOURCE = "scheduled"


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes one notification at one instant. `record` is the event as it goes on its topic then."""

    id: UUID
    due_at: datetime
    record: bytes


@dataclass(frozen=True, slots=True)
class Schedule:
    """An event that waits, in one part or, for people on different clocks, in several. The first has the event's id."""

    received: Received
    parts: tuple[Part, ...]
    sensitive: tuple[str, ...] = ()  # paths into the data

    @property
    def key(self) -> Key:
        """What the event is known by."""
        return self.received.event.tenant, self.received.event.id

    @property
    def subject(self) -> str:
        """The only person whom it names; '' where it names others, or nobody."""
        named = self.received.event.recipients
        alone = named is not None and len(set(named.user_ids)) == 1 and not _names_others(named)
        return named.user_ids[0] if named is not None and alone else ""


def users_of(event: AcceptedEvent) -> tuple[str, ...]:
    """The people on whose own clocks it is to be told."""
    on_clocks = event.deliver_at is not None and event.deliver_at.tzinfo is None
    return event.recipients.user_ids if on_clocks and event.recipients is not None else ()


def schedule(
    received: Received, zone_of: Callable[[str | None], ZoneInfo], sensitive: tuple[str, ...] = ()
) -> Schedule:
    """The parts of an event that waits, the earliest first.

    `zone_of` gives a person's zone, and for None the tenant's: groups have no clock of their own.
    """
    event = received.event
    assert event.deliver_at is not None  # only what waits is scheduled
    if event.deliver_at.tzinfo is not None:
        return Schedule(received, (_part(event, 0, event.deliver_at.astimezone(UTC), event.recipients),), sensitive)
    local, users = event.deliver_at, users_of(event)
    at: defaultdict[datetime, list[str]] = defaultdict(list)
    for user in users:
        at[first(local, zone_of(user))].append(user)
    named = event.recipients
    if named is None or not users:
        return Schedule(received, (_part(event, 0, first(local, zone_of(None)), named),), sensitive)
    others = first(local, zone_of(None))
    if _names_others(named):
        at[others] += []
    parts = [
        _part(event, number, due, _some(named, tuple(those), with_others=due == others))
        for number, (due, those) in enumerate(sorted(at.items()))
    ]
    return Schedule(received, tuple(parts), sensitive)


def _some(named: Recipients, users: tuple[str, ...], *, with_others: bool) -> Recipients:
    if with_others:
        return named.model_copy(update={"user_ids": users})
    return Recipients(user_ids=users, exclude_user_ids=named.exclude_user_ids)


def _names_others(named: Recipients) -> bool:
    return any(value for name, value in named if name not in ("user_ids", "exclude_user_ids"))


def _part(event: AcceptedEvent, number: int, due_at: datetime, recipients: Recipients | None) -> Part:
    id_ = event.id if number == 0 else uuid5(event.id, f"part {number}")
    changed: dict[str, Any] = {"id": id_, "deliver_at": None, "recipients": recipients, "accepted_at": due_at}
    told = event.model_copy(update=changed | {"source": Source(topic=SOURCE)})
    return Part(id_, due_at, told.model_dump_json(by_alias=True, exclude_none=True).encode())
