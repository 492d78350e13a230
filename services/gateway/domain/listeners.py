"""The sessions of one log: mostly one, sometimes thousands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from services.gateway.domain.session import Session


class Circle(NamedTuple):
    """Sessions of one namespace from which nothing is kept, and their socket ids in the same order."""

    sessions: list[Session]
    sids: list[str]


class Crowd(NamedTuple):
    """All sessions of a log, sorted. The `choosy` are asked about each entry."""

    circles: list[Circle]
    choosy: list[Session]


class Listeners:
    """Sessions by socket id. One alone costs no dictionary, and how many are sorted is remembered."""

    __slots__ = ("_crowd", "_inside")

    def __init__(self) -> None:
        self._inside: Session | dict[str, Session] | None = None
        self._crowd: Crowd | None = None

    def __len__(self) -> int:
        inside = self._inside
        return len(inside) if isinstance(inside, dict) else int(inside is not None)

    def __iter__(self) -> Iterator[Session]:
        inside = self._inside
        if isinstance(inside, dict):
            return iter(inside.values())
        return iter(() if inside is None else (inside,))

    def __contains__(self, sid: object) -> bool:
        inside = self._inside
        if isinstance(inside, dict):
            return sid in inside
        return inside is not None and inside.sid == sid

    def add(self, session: Session) -> None:
        """Once in, being added again changes nothing."""
        inside, self._crowd = self._inside, None
        if inside is None or inside is session:
            self._inside = session
        elif isinstance(inside, dict):
            inside[session.sid] = session
        else:
            self._inside = {inside.sid: inside, session.sid: session}

    def remove(self, session: Session) -> bool:
        """Whether it was there."""
        inside, self._crowd = self._inside, None
        if isinstance(inside, dict):
            return inside.pop(session.sid, None) is not None
        if inside is session:
            self._inside = None
            return True
        return False

    def changed(self) -> None:
        """What is kept from one of them is another thing from now on."""
        self._crowd = None

    @property
    def crowd(self) -> Crowd:
        """Made anew when somebody came, went or changed. Not to be changed."""
        if self._crowd is None:
            self._crowd = _sorted(self)
        return self._crowd


def _sorted(sessions: Listeners) -> Crowd:
    alike: defaultdict[str, list[Session]] = defaultdict(list)
    choosy = []
    for session in sessions:
        if session.wants_all and session.unsaid is None:
            alike[session.namespace].append(session)
        else:
            choosy.append(session)
    return Crowd([Circle(those, [session.sid for session in those]) for those in alike.values()], choosy)
