"""Where a client begins that comes back with a position, and when it must fetch anew (B9)."""

from __future__ import annotations

from typing import Any

import pytest

from services.gateway.domain import resume
from services.gateway.domain.access import Readable, Span
from services.gateway.domain.logs import Head

pytestmark = pytest.mark.covers("B9")

READABLE = Readable({"user:u": [Span(0)], "org:a": [Span(4)], "org:left": [Span(0, 6)]})
HEADS = {"user:u": Head(1, 10), "org:a": Head(2, 9), "state": Head(3, 5)}


def test_each_log_goes_on_where_the_client_stands() -> None:
    given = {"user:u": Head(1, 8), "org:a": Head(2, 9), "state": Head(3, 2)}
    made = resume.plan(given, READABLE, HEADS, 1_000)
    assert made.begin == {"user:u": 8, "org:a": 9, "state": 2}
    assert made.resync == {}


@pytest.mark.parametrize(
    ("at", "reason"),
    [(Head(9, 8), resume.EPOCH), (Head(1, 11), resume.AHEAD)],
)
def test_a_position_that_does_not_fit_goes_on_at_the_end(at: Head, reason: str) -> None:
    made = resume.plan(HEADS | {"user:u": at}, READABLE, HEADS, 1_000)
    assert made.begin["user:u"] == 10
    assert made.resync == {reason: ["user:u"]}


def test_too_much_is_fetched_anew() -> None:
    given = HEADS | {"user:u": Head(1, 4), "org:a": Head(2, 6)}
    assert resume.plan(given, READABLE, HEADS, 9).resync == {}
    made = resume.plan(given, READABLE, HEADS, 8)
    assert made.resync == {resume.TOO_LONG: ["user:u", "org:a"]}
    assert made.begin == {"user:u": 10, "org:a": 9, "state": 5}


def test_a_room_that_the_client_does_not_know_begins_when_it_was_joined() -> None:
    made = resume.plan({"user:u": Head(1, 10)}, READABLE, HEADS, 1_000)
    assert made.begin == {"user:u": 10, "org:a": 4, "state": 5}


def test_of_a_room_that_was_left_only_what_may_be_read_is_missed() -> None:
    heads = {"org:left": Head(1, 90)}
    made = resume.plan({"org:left": Head(1, 4)}, READABLE, heads, 2)
    assert made.begin == {"org:left": 4}
    assert made.resync == {}


def test_rooms_to_follow_are_open_ones_and_those_left_without_having_seen_their_end() -> None:
    assert resume.rooms_to_follow(READABLE, None) == ("user:u", "org:a")
    assert resume.rooms_to_follow(READABLE, {"org:left": Head(1, 5)}) == ("user:u", "org:a", "org:left")
    assert resume.rooms_to_follow(READABLE, {"org:left": Head(1, 6)}) == ("user:u", "org:a")
    assert resume.rooms_to_follow(READABLE, {"org:strange": Head(1, 6)}) == ("user:u", "org:a")


@pytest.mark.parametrize(
    "value",
    [None, "x", [], {"r": 1}, {"r": [1]}, {"r": [1, "2"]}, {"r": [1, 2, 3]}, {"r": [True, 2]}, {"r": None}],
)
def test_what_is_no_position_is_none(value: Any) -> None:
    assert resume.position(value) is None


def test_a_position_survives_the_wire() -> None:
    assert resume.position(resume.on_the_wire(HEADS)) == HEADS
    assert resume.position({}) == {}
