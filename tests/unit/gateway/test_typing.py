"""Typing: told at a bounded rate, and over when nothing is heard any more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.schemas.ephemerals import TYPING_STOPPED
from services.gateway.domain.typing import Drafts, Typists, started, stopped

pytestmark = pytest.mark.covers("F3-2")

ROOM = "res:task:7"
RESOURCE = ("task", "7")


def test_what_others_are_told() -> None:
    begun, ended = started("t", ROOM, "u", RESOURCE, "sid"), stopped("t", ROOM, "u", "sid")
    assert (begun.event, begun.payload) == (
        "typing:user-started", {"userId": "u", "resourceType": "task", "resourceId": "7"}
    )  # fmt: skip
    assert (ended.event, ended.payload) == ("typing:user-stopped", {"userId": "u"})
    assert begun.exclude == ended.exclude == "sid"


def test_a_start_is_told_again_only_after_a_while() -> None:
    drafts = Drafts(again=3, most=8)
    assert drafts.start("s", ROOM, 0) == (True, None)
    assert drafts.start("s", ROOM, 2.9) == (False, None)
    assert drafts.start("s", ROOM, 3) == (True, None)
    assert drafts.start("other", ROOM, 3) == (True, None)


def test_a_stop_is_told_once() -> None:
    drafts = Drafts(again=3, most=8)
    assert not drafts.stop("s", ROOM)
    drafts.start("s", ROOM, 0)
    assert drafts.stop("s", ROOM)
    assert not drafts.stop("s", ROOM)
    assert drafts.start("s", ROOM, 1) == (True, None)


def test_a_socket_that_leaves_has_stopped_everywhere() -> None:
    drafts = Drafts(again=3, most=2)
    assert [drafts.start("s", room, 0) for room in "abc"] == [(True, None), (True, None), (True, "a")]
    assert drafts.leave("s") == ["b", "c"]
    assert drafts.leave("s") == []


def test_a_stop_that_is_lost_is_made_up_for() -> None:
    typists = Typists(patience=10, most=100)
    typists.heard(started("t", ROOM, "u", RESOURCE, "sid"), 0)
    typists.heard(started("t", ROOM, "v", RESOURCE, "sid"), 5)
    typists.heard(started("t", ROOM, "u", RESOURCE, "sid"), 8)
    assert typists.over(14.9) == []
    assert typists.over(15) == [stopped("t", ROOM, "v")]
    typists.heard(stopped("t", ROOM, "u"), 16)
    assert typists.over(100) == []


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.floats(0, 6))), st.integers(1, 3))
def test_nobody_is_shown_as_typing_for_ever_or_beyond_the_bound(
    steps: list[tuple[str, bool, float]], most: int
) -> None:
    typists, now = Typists(patience=10, most=most), 0.0
    shown: set[str] = set()

    def settle() -> None:
        over = typists.over(now)
        assert all(record.event == TYPING_STOPPED for record in over)
        shown.difference_update(record.payload["userId"] for record in over)

    for user, starts, pause in steps:
        now += pause
        make = started("t", ROOM, user, RESOURCE, "s") if starts else stopped("t", ROOM, user, "s")
        typists.heard(make, now)
        shown.add(user) if starts else shown.discard(user)
        settle()
        assert len(shown) <= most
    now += 10
    settle()
    assert not shown
