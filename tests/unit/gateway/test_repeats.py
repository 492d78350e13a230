"""What many are told one after the other is shaped once, as long as it is the same entry."""

from __future__ import annotations

import pytest

from services.gateway.domain.dialects.dialect import Dialect, Repeated
from services.gateway.domain.logs import Entry
from services.gateway.handlers.repeats import Repeats
from tests.unit.gateway.shaping import DIALECTS, ROOM, record

pytestmark = pytest.mark.covers("B9")


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
def test_an_entry_is_shaped_once(dialect: Dialect) -> None:
    repeats, entry = Repeats(), Entry(7, 3, record())
    shape = repeats.shape(dialect, ROOM, entry)
    assert shape is not None
    assert shape == dialect.entry(ROOM, entry)
    assert isinstance(shape.payload, Repeated)
    assert repeats.shape(dialect, ROOM, entry) is shape


def test_each_dialect_room_and_reading_has_a_shape_of_its_own() -> None:
    repeats, entry = Repeats(), Entry(7, 3, record())
    one, other = list(DIALECTS.values())[:2]
    again = Entry(7, 3, record(title="corrected"))
    assert repeats.shape(one, ROOM, entry) == one.entry(ROOM, entry)
    assert repeats.shape(other, ROOM, entry) == other.entry(ROOM, entry)
    assert repeats.shape(one, "role:r", entry) == one.entry("role:r", entry)
    assert repeats.shape(one, ROOM, again) == one.entry(ROOM, again)


def test_what_shows_nothing_is_told_to_nobody() -> None:
    assert Repeats().shape(next(iter(DIALECTS.values())), ROOM, Entry(7, 3, None)) is None


def test_only_the_last_are_remembered() -> None:
    repeats, dialect = Repeats(), next(iter(DIALECTS.values()))
    entries = [Entry(7, seq, record()) for seq in range(600)]
    first, *_, last = [repeats.shape(dialect, ROOM, entry) for entry in entries]
    assert repeats.shape(dialect, ROOM, entries[-1]) is last
    assert repeats.shape(dialect, ROOM, entries[0]) is not first
