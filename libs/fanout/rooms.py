"""Who is in which room, indexed both ways: leaving costs what one is in, whatever the number of rooms."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

S = TypeVar("S")

CONNECTING, CONNECTED, LEAVING = 0, 1, 2
_FEW = 16  # rooms up to which a member keeps them in a tuple


class Member(Generic[S]):
    """A session in a namespace, under the identifier that the namespace gave it."""

    __slots__ = ("rooms", "session", "sid", "state")

    def __init__(self, sid: str, session: S) -> None:
        self.sid, self.session = sid, session
        self.state = CONNECTING
        self.rooms: tuple[Hashable, ...] | set[Hashable] = ()


class Rooms(Generic[S]):
    """The rooms of one namespace. A room with one member is that member; only larger ones cost a dictionary."""

    def __init__(self) -> None:
        self.members: dict[str, Member[S]] = {}
        self._rooms: dict[Hashable, Member[S] | dict[str, S]] = {}

    def add(self, sid: str, session: S) -> Member[S]:
        """A new member, in no room but its own."""
        member = self.members[sid] = Member(sid, session)
        return member

    def remove(self, sid: str) -> Member[S] | None:
        """Out of the namespace and of all its rooms."""
        member = self.members.pop(sid, None)
        if member is not None:
            for room in member.rooms:
                self._take_out(member, room)
            member.rooms = ()
        return member

    def enter(self, member: Member[S], room: Hashable) -> None:
        """Once in, entering again changes nothing. Everybody is in their own room (their sid) and in None."""
        if room == member.sid or room is None or room in member.rooms:
            return
        inside = self._rooms.get(room)
        if inside is None:
            self._rooms[room] = member
        elif isinstance(inside, Member):
            self._rooms[room] = {inside.sid: inside.session, member.sid: member.session}
        else:
            inside[member.sid] = member.session
        if isinstance(member.rooms, set):
            member.rooms.add(room)
        else:
            more = (*member.rooms, room)
            member.rooms = more if len(more) <= _FEW else set(more)

    def leave(self, member: Member[S], room: Hashable) -> None:
        """Out of one room."""
        if room not in member.rooms:
            return
        self._take_out(member, room)
        if isinstance(member.rooms, set):
            member.rooms.discard(room)
        else:
            member.rooms = tuple(other for other in member.rooms if other != room)

    def inside(self, room: Hashable) -> dict[str, S]:
        """sid → session of everybody in a room; None is everybody. Not to be changed."""
        if room is None:
            return {sid: member.session for sid, member in self.members.items()}
        if isinstance(room, str) and (alone := self.members.get(room)) is not None:
            return {alone.sid: alone.session}
        inside = self._rooms.get(room)
        if inside is None:
            return {}
        return {inside.sid: inside.session} if isinstance(inside, Member) else inside

    def inside_any(self, rooms: Iterable[Hashable]) -> dict[str, S]:
        """Everybody in one of the rooms, once."""
        together: dict[str, S] = {}
        for room in rooms:
            together.update(self.inside(room))
        return together

    def names(self) -> Collection[Hashable]:
        """Rooms that have somebody in them, without everybody's own."""
        return self._rooms.keys()

    def __iter__(self) -> Iterator[Member[S]]:
        return iter(self.members.values())

    def _take_out(self, member: Member[S], room: Hashable) -> None:
        inside = self._rooms.get(room)
        if isinstance(inside, Member):
            if inside is member:
                del self._rooms[room]
        elif inside is not None:
            inside.pop(member.sid, None)
            if not inside:
                del self._rooms[room]
