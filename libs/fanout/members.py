"""python-socketio's client manager on indexed rooms and shared bytes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import Any

from socketio import AsyncManager

from libs.fanout.rooms import CONNECTED, CONNECTING, LEAVING, Member, Rooms
from libs.fanout.session import Session

_NOBODY: Rooms[Session] = Rooms()


class FanoutManager(AsyncManager):
    """Rooms of this process. `adopt` puts the same beneath a manager that speaks to other processes."""

    namespaces: dict[str, Rooms[Session]]

    def __init__(self) -> None:
        super().__init__()
        self.namespaces = {}

    @classmethod
    def adopt(cls, manager: Any) -> Any:
        """A manager whose rooms and sends are ours: `manager` itself, for example an AsyncRedisManager.

        Its own class keeps the first word; ours takes the place of AsyncManager below it.
        """
        if not isinstance(manager, cls):
            manager.__class__ = type(type(manager).__name__, (type(manager), cls), {})
            manager.namespaces = {}
        return manager

    @property
    def rooms(self) -> dict[str, dict[Hashable, dict[str, str]]]:
        """namespace → room → sid → Engine.IO's sid, as the library keeps it; made for whoever asks."""
        return {name: _as_library(rooms) for name, rooms in self.namespaces.items()}

    @rooms.setter
    def rooms(self, _rooms: object) -> None:
        """The library's empty one."""

    def member(self, sid: str | None, namespace: str) -> Member[Session] | None:
        """A connected client, whatever its state."""
        rooms = self.namespaces.get(namespace)
        return None if rooms is None or sid is None else rooms.members.get(sid)

    def sessions(self, namespace: str, sids: Iterable[str]) -> list[Session]:
        """Those of them that are connected."""
        rooms = self.namespaces.get(namespace, _NOBODY)
        return [member.session for member in map(rooms.members.get, sids) if member is not None]

    def recipients(self, namespace: str, room: Any) -> dict[str, Session]:
        """sid → session of a room, a sid, a list of either, or (None) of everybody. Not to be changed."""
        rooms = self.namespaces.get(namespace, _NOBODY)
        if hasattr(room, "__len__") and not isinstance(room, str):
            return rooms.inside_any(room)
        return rooms.inside(room)

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Callable[..., Any] | None = None,
        to: Any = None,
        **_options: Any,
    ) -> None:
        """See python-socketio. One encoding for all, unless each is to answer under a number of its own."""
        inside = self.recipients(namespace, to or room)
        chosen = _without(inside, skip_sid)
        if not chosen:
            return
        packets, flush = self.server.packets, self.server.eio.flush
        arguments = [event, *data] if isinstance(data, tuple) else [event] if data is None else [event, data]
        if callback is not None:
            for sid, session in list(chosen.items()):
                flush.send(session, packets.event(namespace, arguments, self._generate_ack_id(sid, callback)))
        elif len(chosen) == 1:
            flush.send(next(iter(chosen.values())), packets.event(namespace, arguments))
        else:
            flush.send_all(chosen.values(), packets.event(namespace, arguments))
        if flush.busy:
            await flush.breathe()

    # --- the library's questions ---

    def get_namespaces(self) -> Iterable[str]:
        """Those with somebody in them."""
        return self.namespaces.keys()

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """(sid, Engine.IO's sid) of a room."""
        yield from [(sid, session.sid) for sid, session in self.recipients(namespace, room).items()]

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """A member that its connect handler has not yet let in; None when the session is gone or a member already."""
        session: Session | None = self.server.eio.sockets.get(eio_sid)
        if session is None or session.ended or session.member(namespace) is not None:
            return None
        sid: str = self.server.eio.generate_id()
        session.set_member(namespace, self.namespaces.setdefault(namespace, Rooms()).add(sid, session))
        return sid

    async def connect(self, sid: str, namespace: str) -> str | None:
        """It is let in."""
        member = self.member(sid, namespace)
        if member is not None and member.state == CONNECTING:
            member.state = CONNECTED
            member.session.joined()
        return sid

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        """Its connect handler is at work."""
        member = self.member(sid, namespace)
        return member is not None and member.state == CONNECTING

    def is_connected(self, sid: str, namespace: str) -> bool:
        """It was let in and is not leaving."""
        member = self.member(sid, namespace)
        return member is not None and member.state == CONNECTED

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """The session's member in a namespace."""
        session: Session | None = self.server.eio.sockets.get(eio_sid)
        member = None if session is None else session.member(namespace)
        return None if member is None else member.sid

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """The member's session."""
        member = self.member(sid, namespace)
        return None if member is None else member.session.sid

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """It is leaving: its disconnect handler still finds everything."""
        member = self.member(sid, namespace)
        if member is None:
            return None
        member.state = LEAVING
        return member.session.sid

    def basic_disconnect(self, sid: str, namespace: str, **_options: Any) -> None:
        """It has left, with all its rooms."""
        rooms = self.namespaces.get(namespace)
        member = None if rooms is None else rooms.remove(sid)
        if rooms is None or member is None:
            return
        member.session.set_member(namespace, None)
        self.callbacks.pop(sid, None)
        if not rooms.members:
            del self.namespaces[namespace]

    def is_sid_room(self, namespace: str, room: str) -> bool:
        """A room that is somebody's own."""
        return self.member(room, namespace) is not None

    def basic_enter_room(self, sid: str, namespace: str, room: Hashable, eio_sid: str | None = None) -> None:
        """Raises ValueError for a stranger, and for another's own room."""
        del eio_sid
        member = self.member(sid, namespace)
        if member is None:
            raise ValueError("sid is not connected to requested namespace")
        if room != sid and isinstance(room, str) and self.is_sid_room(namespace, room):
            raise ValueError("cannot enter a sid room")
        self.namespaces[namespace].enter(member, room)

    def basic_leave_room(self, sid: str, namespace: str, room: Hashable) -> None:
        """Whoever is not inside stays as it is."""
        member = self.member(sid, namespace)
        if member is not None:
            self.namespaces[namespace].leave(member, room)

    def basic_close_room(self, room: str, namespace: str) -> None:
        """Everybody out. Raises ValueError for somebody's own room."""
        if self.is_sid_room(namespace, room):
            raise ValueError("cannot close a sid room")
        for sid in list(self.recipients(namespace, room)):
            self.basic_leave_room(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[Hashable]:
        """Its own and the others."""
        member = self.member(sid, namespace)
        return [] if member is None else [sid, *member.rooms]


def _without(inside: dict[str, Session], skip: str | Collection[str] | None) -> dict[str, Session]:
    if skip is None:
        return inside
    skipped = {skip} if isinstance(skip, str) else set(skip)
    return {sid: session for sid, session in inside.items() if sid not in skipped}


def _as_library(rooms: Rooms[Session]) -> dict[Hashable, dict[str, str]]:
    names: list[Hashable] = [None, *rooms.members, *rooms.names()]
    return {name: {sid: session.sid for sid, session in rooms.inside(name).items()} for name in names}
