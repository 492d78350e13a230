"""Who is typing (F3-2): what a socket says is told at a bounded rate, and forgotten when the stop is lost."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from libs.schemas.ephemerals import TYPING_STARTED, TYPING_STOPPED
from libs.schemas.records import Ephemeral

Place = tuple[str, str, str]  # (tenant, room, user id)


def started(tenant: str, room: str, user: str, resource: tuple[str, str], sid: str) -> Ephemeral:
    """The record that tells others."""
    payload = {"userId": user, "resourceType": resource[0], "resourceId": resource[1]}
    return Ephemeral(tenant=tenant, rooms=(room,), event=TYPING_STARTED, payload=payload, exclude=sid)


def stopped(tenant: str, room: str, user: str, sid: str | None = None) -> Ephemeral:
    """The record that takes it back."""
    return Ephemeral(tenant=tenant, rooms=(room,), event=TYPING_STOPPED, payload={"userId": user}, exclude=sid)


class Drafts:
    """Where the sockets of this gateway are typing. A start is repeated to others every `again` seconds at most.

    `most` is at how many places one socket may be typing: of more, the one that is typed at least recently is over.
    """

    def __init__(self, again: float, most: int) -> None:
        self._again, self._most = again, most
        self._places: dict[str, OrderedDict[str, float]] = {}

    def start(self, sid: str, room: str, now: float) -> tuple[bool, str | None]:
        """Whether others are to be told, and the room in which the socket is no longer typing."""
        places: OrderedDict[str, float] = self._places.setdefault(sid, OrderedDict())
        told = places.get(room)
        if told is not None and now - told < self._again:
            return False, None
        places[room] = now
        places.move_to_end(room)
        return True, places.popitem(last=False)[0] if len(places) > self._most else None

    def stop(self, sid: str, room: str) -> bool:
        """Whether others are to be told: they are not when nobody was typing."""
        places = self._places.get(sid)
        if places is None or places.pop(room, None) is None:
            return False
        if not places:
            del self._places[sid]
        return True

    def leave(self, sid: str) -> list[str]:
        """The rooms in which a socket that has gone was typing."""
        return list(self._places.pop(sid, ()))


class Typists:
    """Who is shown as typing to the clients of this gateway. Whoever says nothing for `patience` seconds has stopped.

    At most `most` are remembered: of more, the ones that were heard of longest ago have stopped.
    """

    def __init__(self, patience: float, most: int) -> None:
        self._patience, self._most = patience, most
        self._until: OrderedDict[Place, float] = OrderedDict()

    def heard(self, record: Ephemeral, now: float) -> None:
        """Takes note of what the record says about somebody typing."""
        for place in _places(record):
            self._until.pop(place, None)
            if record.event == TYPING_STARTED:
                self._until[place] = now + self._patience

    def over(self, now: float) -> list[Ephemeral]:
        """Those who have stopped without saying so."""
        gone = []
        while self._until:
            place, until = next(iter(self._until.items()))
            if until > now and len(self._until) <= self._most:
                break
            del self._until[place]
            gone.append(stopped(*place))
        return gone


def _places(record: Ephemeral) -> Iterable[Place]:
    if record.event in (TYPING_STARTED, TYPING_STOPPED):
        yield from ((record.tenant, room, str(record.payload.get("userId"))) for room in record.rooms)
