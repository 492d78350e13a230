"""Who hears what stands in no log, how much one socket may say, and answers that are remembered for a while."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.schemas.records import Ephemeral
from services.gateway.domain.access import Readable, Span
from services.gateway.domain.hearing import hearers
from services.gateway.domain.joining import Resource
from services.gateway.domain.live_rooms import LiveRooms, Seat
from services.gateway.domain.pace import Pace
from services.gateway.domain.rooms import HeldLogs
from services.gateway.domain.session import Session
from services.gateway.handlers.remembering import Remembered
from tests.unit.gateway.test_rooms import live, session

pytestmark = pytest.mark.covers("F3-6", "F3-2", "F1-3")

DOC = "res:doc:1"


def heard(held: HeldLogs, rooms: LiveRooms, *names: str, tenant: str = "t", exclude: str | None = None) -> set[str]:
    record = Ephemeral(tenant=tenant, rooms=names, event="x", payload={}, exclude=exclude)
    return {one.sid for one in hearers(held, rooms, record)}


def member(held: HeldLogs, sid: str, tenant: str = "t", until: int | None = None) -> Session:
    one = session(sid, Readable({"user:u": [Span(0)], "org:o": [Span(0, until)]}), tenant)
    for room in ("user:u", "org:o"):
        live(held, one, room)
    return one


def test_each_hears_it_once_and_not_who_caused_it_and_nobody_of_another_tenant() -> None:
    held, rooms = HeldLogs(4), LiveRooms()
    one, two, stranger = member(held, "1"), member(held, "2"), member(held, "3", "other")
    for sits in (one, two, stranger):
        rooms.enter(Seat(sits, DOC, Resource("doc", "1")))
    assert len(hearers(held, rooms, Ephemeral(tenant="t", rooms=("org:o", DOC, "user:u"), event="x", payload={}))) == 2
    assert heard(held, rooms, DOC, exclude="1") == {"2"}
    assert heard(held, rooms, DOC, tenant="other") == {"3"}
    assert heard(held, rooms, "org:none", "res:doc:2") == set()


def test_whoever_was_removed_or_has_left_hears_the_group_no_more() -> None:
    held, rooms = HeldLogs(4), LiveRooms()
    member(held, "removed", until=5)
    silent = member(held, "silent")
    held.of(silent)["org:o"].hide(silent)
    assert heard(held, rooms, "org:o") == set()
    silent.behind["org:o"] = 0  # it is being brought on again
    assert heard(held, rooms, "org:o") == {"silent"}


def test_while_memberships_are_being_read_only_what_is_their_own_is_heard() -> None:
    held, rooms = HeldLogs(4), LiveRooms()
    one = member(held, "1")
    rooms.enter(Seat(one, DOC, Resource("doc", "1")))
    rooms.enter(Seat(one, "session:s"))
    one.suspended = True
    assert [room for room in ("org:o", DOC, "user:u", "session:s") if heard(held, rooms, room)] == [
        "user:u",
        "session:s",
    ]


@given(st.integers(1, 10), st.lists(st.floats(0, 0.5), max_size=100))
def test_in_no_second_does_a_socket_say_more_than_twice_its_rate(rate: int, pauses: list[float]) -> None:
    pace, now, said = Pace(rate), 0.0, []
    for pause in pauses:
        now += pause
        if pace.take("s", now):
            said.append(now)
    assert all(sum(start <= at < start + 1 for at in said) <= 2 * rate for start in said)
    pace.leave("s")
    assert pace.take("s", now)


async def test_answers_are_remembered_for_a_while_and_asked_for_once_by_all() -> None:
    now, asked = [0.0], []

    async def load(key: str) -> tuple[int, float]:
        asked.append(key)
        await asyncio.sleep(0)
        if key == "broken":
            raise LookupError(key)
        return len(asked), 10.0

    remembered = Remembered(load, 2, lambda: now[0])
    assert await asyncio.gather(*(remembered.get("a") for _ in range(5))) == [1] * 5
    now[0] = 9.9
    assert await remembered.get("a") == 1
    now[0] = 10.0
    assert await remembered.get("a") == 2
    for _ in range(2):
        with pytest.raises(LookupError):
            await remembered.get("broken")
    await remembered.get("b")
    await remembered.get("c")  # one too many: the oldest is forgotten
    asked.clear()
    await remembered.get("a")
    assert asked == ["a"]
