"""Rooms that clients ask for: names, policies, grants; whatever is not allowed is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.auth import grants
from libs.schemas import rooms
from services.gateway.domain import joining
from services.gateway.domain.access import Readable, Span
from services.gateway.domain.dialects.root import Root
from services.gateway.domain.joining import Allowed, Ask, Denied, Group, Policy, Resource
from services.gateway.domain.live_rooms import LiveRooms, Seat
from services.gateway.domain.session import Session
from tests.unit.gateway.test_access import identity

pytestmark = pytest.mark.covers("S15", "F4-1")

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
KEY = "k" * 32
SOON = (NOW + timedelta(seconds=60)).timestamp()
TASK = Resource("task", "7")
NOBODY = Readable({})
MEMBER = Readable({"org:7": [Span(0)], "tenant": [Span(3)], "dept:left": [Span(0, 5)]})


def grant(tenant: str = "t", user: str = "u", room: str = "task:7", key: str = KEY, minutes: float = 5) -> str:
    return grants.issue(tenant, user, [room], key, now=NOW, lifetime=timedelta(minutes=minutes))


def session(sid: str, tenant: str = "t") -> Session:
    return Session(sid, "/", Root(), identity(tenant=tenant))


def decide(policy: Policy | None, readable: Readable = NOBODY, token: str | None = None) -> Allowed | Denied | Ask:
    return joining.decide(policy, TASK, identity(), readable, token, NOW)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("task:7", TASK),
        ("doc:a:b", Resource("doc", "a:b")),
        ("lobby", Resource("room", "lobby")),
        ("user:u", Group("user:u")),
        ("role:ADMIN", Group("role:ADMIN")),
        ("session:s", Group("session:s")),
        ("tenant", Group("tenant")),
        ("tenant:t", Group("tenant")),
        ("tenant:other", joining.NOT_ALLOWED),
        ("res:task:7", joining.NO_SUCH_ROOM),
        ("state:u", joining.NO_SUCH_ROOM),
        ("session:", joining.NO_SUCH_ROOM),
        ("user:", joining.NO_SUCH_ROOM),
        ("", joining.NO_SUCH_ROOM),
        (":7", joining.NO_SUCH_ROOM),
        ("task:", joining.NO_SUCH_ROOM),
        ("task:a b", joining.NO_SUCH_ROOM),
        ("task:a\n", joining.NO_SUCH_ROOM),
        ("task:" + "x" * 201, joining.NO_SUCH_ROOM),
        ("7task:1", joining.NO_SUCH_ROOM),
    ],
)
def test_what_a_name_means(name: str, meant: object) -> None:
    assert joining.named(name, "t") == meant


@given(st.text(max_size=40))
def test_no_name_of_a_client_reaches_a_log_as_a_resource(name: str) -> None:
    meant = joining.named(name, "t")
    if isinstance(meant, Resource):
        assert meant.room.startswith("res:")
        assert not rooms.is_log(meant.room)


def test_groups_are_for_those_who_belong_there() -> None:
    me = identity(session_id="s")
    assert joining.belongs(Group("org:7"), me, MEMBER)
    assert joining.belongs(Group("session:s"), me, MEMBER)
    assert not joining.belongs(Group("session:other"), me, MEMBER)
    assert not joining.belongs(Group("dept:left"), me, MEMBER)
    assert not joining.belongs(Group("org:8"), me, MEMBER)


def test_without_a_policy_nobody_joins() -> None:
    assert decide(None, MEMBER, grant()) == joining.NOT_ALLOWED
    assert decide(Policy(), MEMBER, grant()) == joining.NOT_ALLOWED


def test_members_of_the_rooms_that_the_policy_names() -> None:
    assert decide(Policy(members=("org:{id}",)), MEMBER) == Allowed(SOON)
    assert decide(Policy(members=("org:{id}",))) == joining.NOT_ALLOWED
    assert decide(Policy(members=("dept:left",)), MEMBER) == joining.NOT_ALLOWED
    assert decide(Policy(members=("role:none", "tenant")), MEMBER) == Allowed(SOON)


def test_a_grant_lets_in_until_it_ends() -> None:
    policy = Policy(grant_key=KEY)
    assert decide(policy, token=grant(minutes=0.5)) == Allowed((NOW + timedelta(seconds=30)).timestamp())
    assert decide(policy, token=grant()) == Allowed(SOON)  # whether there is such a policy is looked at again


@pytest.mark.parametrize(
    "token",
    [
        grant(tenant="other"), grant(user="other"), grant(room="task:8"), grant(key="x" * 32), grant(minutes=0),
        grant(minutes=-1), "", "x.y.z",
    ],
)  # fmt: skip
def test_a_grant_of_something_else_does_not(token: str) -> None:
    assert decide(Policy(grant_key=KEY), token=token) == joining.NOT_ALLOWED


def test_where_neither_tells_the_application_is_asked() -> None:
    policy = Policy(members=("tenant",), grant_key=KEY, url="https://app.example.test/may")
    assert decide(policy) == Ask(policy)
    assert decide(policy, MEMBER) == Allowed(SOON)
    assert decide(policy, token="wrong") == Ask(policy)


def test_live_rooms_know_who_is_in_them_until_they_leave() -> None:
    live, here, there = LiveRooms(), session("1"), session("2", "other")
    live.enter(Seat(here, "res:task:7", TASK, until=100.0))
    live.enter(Seat(there, "res:task:7", TASK))
    assert list(live.members("t", "res:task:7")) == ["1"]
    assert list(live.members("other", "res:task:7")) == ["2"]
    assert [seat.session.sid for seat in live.due(100)] == ["1"]
    assert live.due(99) == []
    assert live.leave(here, "res:task:7", 5)
    assert not live.leave(here, "res:task:7", 5)
    assert live.idle(4) == []
    assert live.idle(5) == [("t", "res:task:7")]
    assert live.drop(("t", "res:task:7"))
    live.close(there, 6)
    live.enter(Seat(there, "res:task:7", TASK))
    assert not live.drop(("other", "res:task:7"))
    assert live.idle(100) == []


Steps = list[tuple[str, str, bool]]


@given(st.lists(st.tuples(st.sampled_from(["a1", "a2", "b1", "b2"]), st.sampled_from(["x", "y"]), st.booleans())))
def test_nobody_is_in_a_room_of_another_tenant(steps: Steps) -> None:
    live = LiveRooms()
    sessions = {sid: session(sid, sid[0]) for sid in ("a1", "a2", "b1", "b2")}
    model: set[tuple[str, str]] = set()
    for sid, room, enters in steps:
        if enters:
            live.enter(Seat(sessions[sid], room))
            model.add((sid, room))
        else:
            assert live.leave(sessions[sid], room, 0) == ((sid, room) in model)
            model.discard((sid, room))
    for tenant in "ab":
        for room in "xy":
            assert set(live.members(tenant, room)) == {s for s, r in model if r == room and s[0] == tenant}
