"""What became of records, where several in one batch have the same key."""

import pytest

from services.router.domain.broadcasting import Broadcast
from services.router.domain.offsets import Fate
from services.router.domain.scheduling import Schedule
from services.router.ports import Writing
from tests.unit.router.events import accepted, received

pytestmark = pytest.mark.covers("B1", "F2-8")


def test_a_repeat_of_an_event_that_waited_is_one_beside_what_is_told_of_it() -> None:
    event = received(accepted())
    waits, told = Schedule(event, ()), Broadcast(event)
    writing = Writing([(event.record, waits), (event.record, told)])
    assert [fate for _, fate in writing.fates((), {(Broadcast, told.key)})] == [Fate.DUPLICATE, Fate.ACCEPTED]
    assert [fate for _, fate in writing.fates((), {(Schedule, waits.key)})] == [Fate.ACCEPTED, Fate.DUPLICATE]
