"""What is told in one go is bounded in bytes, and nothing is left out of it for ever (S10, F1-2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.logs import Entry
from services.gateway.domain.portions import fitting, newest, weight
from tests.unit.gateway.shaping import DIALECTS, ROOM, record, shaped

pytestmark = pytest.mark.covers("S10", "F1-2")

MOST = 5_000
entries = st.lists(st.integers(0, 3 * MOST), max_size=20).map(
    lambda sizes: [(ROOM, Entry(7, seq, record(message="x" * size))) for seq, size in enumerate(sizes, 1)]
)


@given(entries)
def test_portions_after_each_other_are_everything_in_order(those: list[tuple[str, Entry]]) -> None:
    left, told = those, list[tuple[str, Entry]]()
    while left:
        portion = list(fitting(left, MOST))
        assert len(portion) == 1 or sum(weight(entry) for _, entry in portion) <= MOST
        told, left = told + portion, left[len(portion) :]
    assert told == those


@given(entries)
def test_the_newest_are_the_last_in_the_same_order(those: list[tuple[str, Entry]]) -> None:
    last = list(newest(those, MOST))
    assert last == those[len(those) - len(last) :]
    assert bool(last) == bool(those)


@pytest.mark.parametrize("namespace", DIALECTS)
def test_an_entry_weighs_about_what_it_is_on_the_wire(namespace: str) -> None:
    entry = Entry(7, 3, record(message="äöü" * 1_000, data={"key": ["value"] * 500}))
    told = len(str(shaped(DIALECTS[namespace], ROOM, entry).payload).encode())
    assert weight(entry) / 2 < told < weight(entry) * 2
