"""Room names and their fixed order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.schemas import rooms

pytestmark = pytest.mark.covers("S15")

names = st.builds(
    lambda make, name: make(name),
    st.sampled_from([rooms.user, rooms.org, rooms.dept, rooms.role]),
    st.text("abc", min_size=1, max_size=3),
) | st.sampled_from([rooms.TENANT, rooms.BROADCAST])


@given(st.lists(names))
def test_order_is_the_same_whatever_the_order_of_arrival(some: list[str]) -> None:
    assert rooms.ordered(some) == rooms.ordered(reversed(some))
    assert sorted(rooms.ordered(some)) == sorted(set(some))


def test_the_most_personal_room_comes_first() -> None:
    some = ["broadcast", "org:o", "tenant", "role:admin", "user:u", "dept:d", "agent:a"]
    assert rooms.ordered(some) == (
        "user:u", "agent:a", "dept:d", "role:admin", "org:o", "tenant", "broadcast",
    )  # fmt: skip


def test_sessions_and_resources_are_no_logs() -> None:
    assert rooms.is_log("user:7")
    assert not rooms.is_log("session:7")
    assert not rooms.is_log("res:agent:7")


def test_only_users_and_agents_have_rooms_of_their_own() -> None:
    assert rooms.is_personal("user:7")
    assert rooms.is_personal("agent:7")
    assert not rooms.is_personal("org:7")
