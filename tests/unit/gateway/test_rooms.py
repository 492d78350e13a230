"""The index of who listens, and what each may be shown."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from msgspec.structs import replace

from services.gateway.domain.access import Readable, Span
from services.gateway.domain.dialects.root import Root
from services.gateway.domain.follow import Follower
from services.gateway.domain.logs import Entry, LogKey, Stretch
from services.gateway.domain.notification import Notification, Place
from services.gateway.domain.rooms import HeldLog, HeldLogs
from services.gateway.domain.session import Session
from services.gateway.handlers.emitter import _wanting
from tests.unit.gateway.test_access import identity


def session(sid: str, readable: Readable, tenant: str = "t") -> Session:
    return Session(sid, "/", Root(), identity(tenant=tenant), readable=readable)


def live(logs: HeldLogs, member: Session, name: str) -> HeldLog:
    log = logs.hold(member, name)
    log.follower = log.follower or Follower(1, 0)
    log.show(member)
    return log


def entry(*places: tuple[str, int]) -> Entry:
    rooms = tuple(Place(room, 1, seq) for room, seq in places)
    record = Notification(
        tenant="t",
        id=str(uuid4()),
        event="service.event",
        type="x",
        metadata={},
        created_at=datetime.now(UTC),
        rooms=rooms,
    )
    return Entry(1, places[-1][1], record)


def test_in_a_later_room_it_is_shown_to_those_who_cannot_read_an_earlier_one() -> None:
    logs = HeldLogs(4)
    both = session("both", Readable({"user:u": [Span(0)], "org:o": [Span(0)]}))
    only = session("only", Readable({"org:o": [Span(0)]}))
    live(logs, both, "org:o")
    log = live(logs, only, "org:o")
    shown = log.audience(entry(("user:u", 1), ("org:o", 1)))
    assert [member.sid for member in shown] == ["only"]
    assert {member.sid for member in log.audience(entry(("org:o", 2)))} == {"both", "only"}


def test_who_is_excluded_is_shown_nothing() -> None:
    shown = entry(("org:o", 1))
    assert isinstance(shown.record, Notification)
    excluding = Entry(1, 1, replace(shown.record, excluded=("u",)))
    member = session("s", Readable({"org:o": [Span(0)]}))
    assert member.reader == "u"
    assert _wanting([member], shown) == [member]
    assert _wanting([member], excluding) == []


def test_whoever_was_removed_is_shown_what_came_before() -> None:
    logs = HeldLogs(4)
    member = session("s", Readable({"org:o": [Span(0, 5)]}))
    log = live(logs, member, "org:o")
    log.show(member, until=5)
    assert list(log.audience(entry(("org:o", 5)))) == [member]
    assert list(log.audience(entry(("org:o", 6)))) == []


def test_rooms_of_two_tenants_with_one_name_are_two() -> None:
    logs = HeldLogs(4)
    here, there = session("a", Readable({}), "t"), session("b", Readable({}), "other")
    assert logs.hold(here, "org:o") is not logs.hold(there, "org:o")


def test_a_log_is_idle_when_the_last_one_has_left_and_dropped_only_then() -> None:
    logs = HeldLogs(4)
    one, two = session("1", Readable({})), session("2", Readable({}))
    logs.hold(one, "org:o")
    logs.hold(two, "org:o")
    logs.leave(one, 10.0)
    assert logs.idle(99.0) == []
    logs.leave(two, 11.0)
    assert [key.name for key in logs.idle(11.0)] == ["org:o"]
    logs.hold(one, "org:o")
    logs.drop(LogKey("t", "org:o"))
    assert len(logs) == 1
    logs.leave(one, 12.0)
    logs.drop(LogKey("t", "org:o"))
    assert len(logs) == 0
    assert logs.people() == []


def test_memory_serves_what_it_reaches_back_to() -> None:
    logs = HeldLogs(3)
    log = live(logs, session("s", Readable({})), "org:o")
    for seq in range(1, 6):
        log.remember(Entry(1, seq, None))
    assert log.remembered(Stretch(1, 5)) is None
    remembered = log.remembered(Stretch(3, 5))
    assert remembered is not None
    assert [e.seq for e in remembered] == [4, 5]
