"""Who may read what: intervals, claims, and the one room in which a notification exists for a reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.auth.tokens import Identity
from services.gateway.domain.access import (
    Interval,
    Memberships,
    Readable,
    Span,
    claims_to_open,
    own_rooms,
    readable,
)
from services.gateway.domain.notification import Place

pytestmark = pytest.mark.covers("F0-7", "B9")


def identity(**given: object) -> Identity:
    fields: dict[str, object] = {
        "tenant": "t",
        "user_id": "u",
        "agent_id": None,
        "org_ids": (),
        "departments": (),
        "roles": (),
        "session_id": None,
        "expires_at": 0.0,
    }
    return Identity(**(fields | given))  # type: ignore[arg-type]  # the fields are named above


def place(room: str, seq: int) -> Place:
    return Place(room, 1, seq)


def test_a_notification_exists_in_the_first_room_that_may_be_read() -> None:
    places = [place("user:other", 1), place("org:a", 5), place("org:b", 9)]
    both = Readable({"org:a": [Span(0)], "org:b": [Span(0)]})
    assert both.home(places) == "org:a"
    joined_later = Readable({"org:a": [Span(5)], "org:b": [Span(0)]})
    assert joined_later.home(places) == "org:b"
    left_before = Readable({"org:a": [Span(0, 4)], "org:b": [Span(8, 9)]})
    assert left_before.home(places) == "org:b"
    assert Readable({}).home(places) is None


def test_a_changed_role_leaves_no_hole() -> None:
    access = Readable({"org:a": [Span(3, 7), Span(7)]})
    assert [seq for seq in range(1, 10) if access.may_read("org:a", seq)] == [4, 5, 6, 7, 8, 9]
    assert access.last("org:a") == Span(3)


def test_what_was_between_two_memberships_stays_hidden() -> None:
    access = Readable({"org:a": [Span(0, 3), Span(6)]})
    assert [seq for seq in range(1, 9) if access.may_read("org:a", seq)] == [1, 2, 3, 7, 8]
    assert access.open_rooms() == ("org:a",)


@given(st.lists(st.tuples(st.integers(0, 20), st.none() | st.integers(0, 20)), max_size=6), st.integers(1, 25))
def test_merging_changes_nothing(bounds: list[tuple[int, int | None]], seq: int) -> None:
    spans = [Span(after, until) for after, until in bounds if until is None or until >= after]
    assert Readable({"r": spans} if spans else {}).may_read("r", seq) == any(span.holds(seq) for span in spans)


def test_own_rooms_of_people_and_agents() -> None:
    assert own_rooms(identity()) == ("user:u",)
    assert own_rooms(identity(user_id=None, agent_id="a")) == ("agent:a",)
    assert own_rooms(identity(agent_id="a")) == ("user:u", "agent:a")


def test_a_claim_counts_as_long_as_the_token_makes_it() -> None:
    memberships = Memberships(1, (Interval("org:a", Span(2), "claim"), Interval("org:b", Span(0, 4), "directory")))
    assert readable(identity(org_ids=("a",)), memberships).open_rooms() == ("user:u", "org:a")
    without = readable(identity(), memberships)
    assert without.open_rooms() == ("user:u",)
    assert without.may_read("org:b", 4)


def test_claims_are_opened_where_the_directory_has_not_decided() -> None:
    memberships = Memberships(1, (Interval("org:a", Span(0, 4), "directory"), Interval("tenant", Span(0), "claim")))
    wanted = claims_to_open(identity(org_ids=("a", "b"), roles=("x",)), memberships)
    assert wanted == ("org:b", "role:x", "broadcast")
