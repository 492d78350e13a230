"""Who is told of an entry in a large room: the same as if everybody were asked, whoever came, left or changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.access import Memberships, Readable, Span
from services.gateway.domain.follow import Follower
from services.gateway.domain.logs import Entry
from services.gateway.domain.muting import Mute
from services.gateway.domain.notification import Place
from services.gateway.domain.rooms import HeldLogs
from services.gateway.domain.session import Session
from services.gateway.handlers.emitter import Emitter
from services.gateway.ports import Sockets
from tests.unit.gateway.shaping import DIALECTS, record
from tests.unit.gateway.test_access import identity

pytestmark = pytest.mark.covers("S12", "S21")

ROOM, AT, BEFORE = "org:o", datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = 40
#: What may happen to a session between two entries.
CHANGES = st.tuples(
    st.sampled_from(["come", "leave", "narrow", "widen", "mute", "unmute", "greet", "end soon"]),
    st.integers(0, PEOPLE - 1),
)
ENTRIES = st.tuples(st.sampled_from(["a", "b"]), st.sets(st.integers(0, PEOPLE - 1), max_size=2))
STEPS = st.lists(st.one_of(CHANGES, ENTRIES), max_size=30)


class Heard:
    """Sockets that note who is told; see ports.Sockets."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def emit(self, _namespace: str, sids: Sequence[str], _event: str, _payload: Mapping[str, Any]) -> None:
        self.told.extend(sids)

    def emit_personal(
        self, _namespace: str, readers: Mapping[str, str], _event: str, _payload: Mapping[str, Any], _field: str
    ) -> None:
        assert all(reader == f"u{sid}" for sid, reader in readers.items())
        self.told.extend(readers)


class Room:
    """One room, and all who may be in it."""

    def __init__(self) -> None:
        self.heard, self.held, self.seq = Heard(), HeldLogs(4), 0
        self.emitter = Emitter(cast("Sockets", self.heard), lambda: AT)
        dialects = sorted(DIALECTS.values(), key=lambda dialect: dialect.namespace)
        self.people = [
            Session(
                str(number),
                dialects[number % len(dialects)].namespace,
                dialects[number % len(dialects)],
                identity(user_id=f"u{number}"),
                readable=Readable({ROOM: [Span(0)]}),
                unsaid=None,
            )
            for number in range(PEOPLE)
        ]
        for session in self.people:
            self.log = self.held.hold(session, ROOM)
            self.log.show(session)
        self.log.follower = Follower(1, 0)

    def change(self, what: str, session: Session) -> None:
        """As the handlers do it."""
        match what:
            case "come":
                self.held.hold(session, ROOM).show(session)
            case "leave":
                self.held.leave(session, 0.0)
                session.unsaid = []  # whoever comes again is not greeted yet
            case "narrow" | "widen":
                session.types = frozenset({"a"}) if what == "narrow" else None
                self.held.changed(session)
            case "mute" | "unmute":
                session.memberships = Memberships(mutes=(Mute("b", BEFORE),) if what == "mute" else ())
                self.held.changed(session)
            case "greet":
                session.unsaid = None
            case "end soon" if session.sid in self.log.live:
                self.log.show(session, until=self.seq + 1)

    def show(self, kind: str, excluded: set[int]) -> tuple[list[str], list[str]]:
        """Who was told of an entry, and who had to be."""
        self.seq += 1
        shown = record(type=kind, created_at=AT, rooms=(Place(ROOM, 1, self.seq),), excluded=_users(excluded))
        entry = Entry(1, self.seq, shown)
        inside = [session for session in self.people if session.sid in self.log.live]
        ends = self.log.ends or {}
        meant = [s for s in inside if s.wants(shown) and self.seq <= ends.get(s, self.seq)]
        kept = {session.sid: len(session.unsaid) for session in meant if session.unsaid is not None}
        self.heard.told = []
        self.emitter.live(self.log, entry)
        assert all(len(self.people[int(sid)].unsaid or ()) == count + 1 for sid, count in kept.items())
        return self.heard.told, [session.sid for session in meant if session.unsaid is None]


def _users(numbers: set[int]) -> tuple[str, ...]:
    return tuple(f"u{number}" for number in numbers)


@given(STEPS)
def test_a_crowd_is_told_as_everybody_asked_alone(steps: list[tuple[str, Any]]) -> None:
    room = Room()
    for what, whom in [*steps, ("a", set()), ("b", set())]:
        if isinstance(whom, int):
            room.change(what, room.people[whom])
            continue
        told, meant = room.show(what, whom)
        assert sorted(told) == sorted(meant)
