"""What is waited for, sent again after 1, 5 and 15 minutes, and given up, as the test moves the clock (F1-4, S8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.schemas.records import StateChange
from services.gateway.domain import acknowledging
from services.gateway.domain.acknowledging import Patience, Unacknowledged
from services.gateway.domain.logs import Entry
from services.gateway.domain.notification import Notification, Place

pytestmark = pytest.mark.covers("F1-4", "S8")

PATIENCE = Patience((timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15)), timedelta(minutes=20))
START = datetime(2026, 1, 1, tzinfo=UTC)


def entry(number: int, room: str = "user:u") -> Entry:
    record = Notification(
        tenant="t",
        id=str(UUID(int=number)),
        event="system.notification",
        type="system.notification",
        title="T",
        message="M",
        severity="normal",
        metadata={},
        created_at=START,
        rooms=(Place(room, 1, number),),
    )
    return Entry(1, number, record)


def waiting(*numbers: int, room: str = "user:u") -> Unacknowledged:
    waits = Unacknowledged()
    for number in numbers:
        waits.note(room, entry(number, room), START)
    return waits


def due(waits: Unacknowledged, minutes: float) -> list[int]:
    return [notification.int for notification, _ in waits.due(START + timedelta(minutes=minutes), PATIENCE)]


def test_it_is_sent_again_after_one_five_and_fifteen_minutes_and_then_given_up() -> None:
    waits = waiting(1)
    repeats = {minute: due(waits, minute) for minute in range(40)}
    assert [minute for minute, numbers in repeats.items() if numbers] == [1, 5, 15]
    assert not len(waits)
    assert waits.confirmed("user:u", 9) == 0  # nobody ever had it


def test_after_a_pause_it_is_sent_again_once_and_not_for_every_age_that_went_by() -> None:
    waits = waiting(1)
    assert due(waits, 7) == [1]
    assert due(waits, 7) == []
    assert due(waits, 15) == [1]


def test_what_is_acknowledged_is_not_sent_again() -> None:
    waits = waiting(1, 2)
    sent = waits.acknowledge(UUID(int=1))
    assert sent is not None
    assert (sent.room, sent.seq) == ("user:u", 1)
    assert waits.acknowledge(UUID(int=1)) is None
    assert due(waits, 1) == [2]


def test_a_repetition_does_not_begin_anew() -> None:
    waits = waiting(1)
    assert due(waits, 1) == [1]
    waits.note("user:u", entry(1), START + timedelta(minutes=1))
    assert [minute for minute in range(2, 40) if due(waits, minute)] == [5, 15]


def test_what_was_read_elsewhere_is_not_waited_for() -> None:
    waits = waiting(1)
    change = StateChange(
        tenant="t", user_id="u", epoch=1, seq=1, operation="read", notification_id=UUID(int=1), at=START
    )
    waits.note("state:u", Entry(1, 1, change), START)
    assert due(waits, 1) == []


def test_no_socket_makes_us_remember_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledging, "_MOST", 10)
    waits = waiting(*range(1, 31))
    assert len(waits) == 10
    assert waits.confirmed("user:u", 30) == 0


@given(st.permutations(range(1, 12)), st.integers(0, 11))
def test_the_watermark_stands_below_the_first_that_is_missing(order: list[int], acknowledged: int) -> None:
    waits = waiting(*range(1, 12))
    waits.note("org:o", entry(1_000, "org:o"), START)
    for number in order[:acknowledged]:
        waits.acknowledge(UUID(int=number))
    missing = set(order[acknowledged:])
    assert waits.confirmed("user:u", 11) == min(missing, default=12) - 1
    assert waits.confirmed("org:o", 1_005) == 999
    assert waits.confirmed("org:other", 7) == 7
