"""Rooms: indexed both ways, whatever happens in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.fanout.rooms import Member, Rooms

pytestmark = pytest.mark.covers("S6")

steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "enter", "enter", "enter", "leave"]), st.integers(0, 4), st.integers(0, 20)
    ),
    max_size=120,
)


@given(steps)
def test_like_a_set_of_pairs(steps: list[tuple[str, int, int]]) -> None:
    """Everybody is where they entered and have not left; empty rooms are gone."""
    rooms: Rooms[str] = Rooms()
    members: dict[str, Member[str]] = {}
    pairs: set[tuple[str, str]] = set()
    for what, who, where in steps:
        sid, room = f"s{who}", f"r{where}"
        if what == "add" and sid not in members:
            members[sid] = rooms.add(sid, f"session of {sid}")
        elif what == "remove" and sid in members:
            del members[sid]
            rooms.remove(sid)
            pairs = {pair for pair in pairs if pair[0] != sid}
        elif what == "enter" and sid in members:
            rooms.enter(members[sid], room)
            pairs.add((sid, room))
        elif what == "leave" and sid in members:
            rooms.leave(members[sid], room)
            pairs.discard((sid, room))
    assert set(rooms.names()) == {room for _, room in pairs}
    for name in rooms.names():
        assert set(rooms.inside(name)) == {sid for sid, inside in pairs if inside == name}
    for sid, member in members.items():
        assert set(member.rooms) == {room for inside, room in pairs if inside == sid}
    assert set(rooms.inside(None)) == set(members)


def test_everybody_is_alone_in_their_own_room() -> None:
    rooms: Rooms[str] = Rooms()
    rooms.add("a", "session")
    rooms.add("b", "other")
    assert rooms.inside("a") == {"a": "session"}
    assert rooms.inside_any(["a", "b", "nobody"]) == {"a": "session", "b": "other"}
