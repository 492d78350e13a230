"""Rooms without a log: who is in them now, and until when they may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.gateway.domain.joining import Resource
from services.gateway.domain.session import Session

Room = tuple[str, str]  # (tenant, room)


@dataclass(slots=True, eq=False)
class Seat:
    """A session's place in a room.

    `until` is when its right is looked at again, in seconds of the epoch. `grant` is what it came with. `silent_since`
    is since when nobody can tell whether it still has that right. The room of a session itself is no resource.
    """

    session: Session
    room: str
    resource: Resource | None = None
    grant: str | None = None
    until: float | None = None
    silent_since: float | None = None


class LiveRooms:
    """All live rooms that somebody here is in, or has been in until a moment ago."""

    def __init__(self) -> None:
        self._rooms: dict[Room, dict[str, Seat]] = {}
        self._of: dict[str, dict[str, Seat]] = {}
        self._idle: dict[Room, float] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[Room]:
        return iter(list(self._rooms))

    def enter(self, seat: Seat) -> None:
        """The session is in the room; a seat that it has already is replaced."""
        key = (seat.session.tenant, seat.room)
        self._rooms.setdefault(key, {})[seat.session.sid] = seat
        self._of.setdefault(seat.session.sid, {})[seat.room] = seat
        self._idle.pop(key, None)

    def leave(self, session: Session, room: str, now: float) -> bool:
        """Whether it was in the room. What nobody is in is idle from now on (`now` is monotonic)."""
        seats = self._of.get(session.sid, {})
        if seats.pop(room, None) is None:
            return False
        if not seats:
            del self._of[session.sid]
        members = self._rooms[session.tenant, room]
        del members[session.sid]
        if not members:
            self._idle[session.tenant, room] = now
        return True

    def close(self, session: Session, now: float) -> None:
        """The session is over."""
        for room in list(self._of.get(session.sid, ())):
            self.leave(session, room, now)

    def seats(self, session: Session) -> Mapping[str, Seat]:
        """The session's seats, by room."""
        return self._of.get(session.sid, {})

    def members(self, tenant: str, room: str) -> Mapping[str, Seat]:
        """The seats in a room, by socket."""
        return self._rooms.get((tenant, room), {})

    def due(self, now: float) -> list[Seat]:
        """The seats whose right is to be looked at (`now` is of the epoch)."""
        seats = (seat for seats in self._of.values() for seat in seats.values())
        return [seat for seat in seats if seat.until is not None and seat.until <= now]

    def idle(self, before: float) -> list[Room]:
        """The rooms that nobody has been in since before that time."""
        return [room for room, since in self._idle.items() if since <= before]

    def drop(self, room: Room) -> bool:
        """Forgets a room, unless somebody is in it again."""
        if self._rooms.get(room):
            return False
        self._idle.pop(room, None)
        return self._rooms.pop(room, None) is not None
