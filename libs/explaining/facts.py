"""What is stored about one notification and one person: what answers are derived from."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime

from libs.catalogue.types import NotificationType
from libs.rules.person import Person
from libs.schemas import rooms


@dataclass(frozen=True, slots=True)
class Entry:
    """Where the notification stands in one room."""

    room: str
    seq: int


@dataclass(frozen=True, slots=True)
class Interval:
    """One stay of the person in a group room."""

    room: str
    joined_at: datetime
    joined_seq: int
    left_at: datetime | None
    left_seq: int | None
    role: str | None
    source: str

    def covers(self, seq: int) -> bool:
        """Whether the person may read this entry of the room."""
        return self.joined_seq < seq and (self.left_seq is None or seq <= self.left_seq)

    def holds(self, at: datetime) -> bool:
        """Whether the person was a member at this time."""
        return self.joined_at <= at and (self.left_at is None or at < self.left_at)


@dataclass(frozen=True, slots=True)
class Expanding:
    """A group whose members are decided one by one; those up to `cursor` have been."""

    room: str
    channels: tuple[str, ...]
    as_of: datetime
    cursor: str
    done: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored about one notification and one person. `reader` is a user id, or `agent:{id}`.

    `addressed` are the rooms of the audience, also where nothing is shown in-app; `rule` says how it came about.
    `named` are the channels that the event itself names. `person` is as the directory has it now, with the preferences
    and suppressions of the planning time. `deliverable` are the external channels in use. `withdrawn` is why it is not
    shown any more (cancelled, replaced), `withdrawn_in` the same by room; `muted_since` when its type had been hidden
    from the person as it came, `by_default` that their tenant hides it; `over`: its time is over by now.
    """

    reader: str
    planned_at: datetime
    entries: tuple[Entry, ...]
    addressed: tuple[str, ...]
    named: tuple[str, ...]
    kind: NotificationType | None
    intervals: tuple[Interval, ...]
    expansions: tuple[Expanding, ...]
    person: Person | None
    deliverable: Set[str]
    severity: str = "normal"
    expires_at: datetime | None = None
    rule: str = "named"
    excluded: tuple[str, ...] = ()
    withdrawn: str | None = None
    withdrawn_in: Mapping[str, str] = field(default_factory=dict)
    muted_since: datetime | None = None
    by_default: bool = False
    over: bool = False

    @property
    def own_room(self) -> str:
        """The person's own room."""
        return self.reader if self.reader.startswith("agent:") else rooms.user(self.reader)

    def stay_in_audience(self) -> Interval | None:
        """The membership by which the person was addressed; None where there is none."""
        moments = {expansion.room: expansion.as_of for expansion in self.expansions}
        for stay in self.intervals:
            if stay.room in self.addressed and stay.holds(moments.get(stay.room, self.planned_at)):
                return stay
        return None
