"""What a reader may read: intervals of rooms, and in which one of its rooms a notification exists for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from libs.auth.tokens import Identity
from libs.schemas import rooms
from libs.schemas.records import RoomEntry
from services.gateway.domain.muting import Mute
from services.gateway.domain.notification import Place


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a room's log: `after` < seq ≤ `until`; None is open."""

    after: int
    until: int | None = None

    def holds(self, seq: int) -> bool:
        """Whether the entry with this seq lies inside."""
        return self.after < seq and (self.until is None or seq <= self.until)


@dataclass(frozen=True, slots=True)
class Interval:
    """A membership of a person in a group room. `source` is `directory` or `claim`."""

    room: str
    span: Span
    source: str


@dataclass(frozen=True, slots=True)
class Memberships:
    """All intervals of a reader and what is hidden from them, with the version that rises when one of it changes, and
    that of what their tenant says (0: nothing)."""

    version: int = 0
    intervals: tuple[Interval, ...] = ()
    mutes: tuple[Mute, ...] = ()
    said: int = 0


class Readable:
    """The spans of every room that a reader may read. Spans that touch are one."""

    __slots__ = ("_spans",)

    def __init__(self, spans: Mapping[str, Iterable[Span]]) -> None:
        self._spans = {room: _merged(tuple(parts)) for room, parts in spans.items()}

    def may_read(self, room: str, seq: int) -> bool:
        """Whether the reader may read this entry."""
        return any(span.holds(seq) for span in self._spans.get(room, ()))

    def home(self, places: Sequence[Place | RoomEntry]) -> str | None:
        """The room in which a notification exists for the reader: the first of its rooms that they may read."""
        return next((place.room for place in places if self.may_read(place.room, place.seq)), None)

    def first(self, room: str) -> int | None:
        """The seq after which the reader may read something of a room, or None when the room is not theirs."""
        spans = self._spans.get(room)
        return spans[0].after if spans else None

    def last(self, room: str) -> Span | None:
        """The latest span of a room, or None when the room is not theirs."""
        spans = self._spans.get(room)
        return spans[-1] if spans else None

    def open_rooms(self) -> tuple[str, ...]:
        """The rooms whose next entry the reader may read, in the fixed order."""
        return rooms.ordered(room for room, spans in self._spans.items() if spans[-1].until is None)

    def all_rooms(self) -> tuple[str, ...]:
        """Every room of which the reader may read something, in the fixed order."""
        return rooms.ordered(self._spans)


@lru_cache(4_096)
def _merged(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Thousands have been in the same rooms for as long: one object for all."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.after, s.until is None, s.until or 0)):
        before = merged[-1] if merged else None
        if before is not None and (before.until is None or span.after <= before.until):
            ends = (before.until, span.until)
            until = None if None in ends else max(end for end in ends if end is not None)
            merged[-1] = Span(before.after, until)
        else:
            merged.append(span)
    return tuple(merged)


def own_rooms(identity: Identity) -> tuple[str, ...]:
    """The rooms that are the reader's by who they are."""
    own = [rooms.user(identity.user_id)] if identity.user_id is not None else []
    return (*own, rooms.agent(identity.agent_id)) if identity.agent_id is not None else tuple(own)


def claimed_rooms(identity: Identity) -> tuple[str, ...]:
    """The group rooms that the token claims; everybody claims the tenant and its broadcasts."""
    return (
        *(rooms.org(org) for org in identity.org_ids),
        *(rooms.dept(department) for department in identity.departments),
        *(rooms.role(role) for role in identity.roles),
        rooms.TENANT,
        rooms.BROADCAST,
    )


def claims_to_open(identity: Identity, memberships: Memberships) -> tuple[str, ...]:
    """Claimed rooms without an interval that is open, or that the directory once decided about."""
    settled = {i.room for i in memberships.intervals if i.span.until is None or i.source == "directory"}
    return tuple(room for room in dict.fromkeys(claimed_rooms(identity)) if room not in settled)


def readable(identity: Identity, memberships: Memberships) -> Readable:
    """What the reader may read: their own rooms, the directory's intervals, and claims that the token still makes."""
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for room in own_rooms(identity):
        spans[room].append(Span(0))
    claimed = frozenset(claimed_rooms(identity))
    for interval in memberships.intervals:
        if interval.source == "directory" or interval.room in claimed:
            spans[interval.room].append(interval.span)
    return Readable(spans)
