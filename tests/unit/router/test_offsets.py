"""Every offset is counted once, and a loss is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.incoming import Record
from services.router.domain.offsets import Fate, Stretch, first_hole, halves, partition_of, tally
from tests.unit.router.events import record

pytestmark = pytest.mark.covers("F0-4")

P = ("service.event", 0)


def at(*offsets: int) -> list[Record]:
    return [record(b"", offset) for offset in offsets]


def fates(*offsets: int) -> list[tuple[Record, Fate]]:
    return [(one, Fate.ACCEPTED) for one in at(*offsets)]


@pytest.mark.parametrize(
    ("offsets", "hole"),
    [((5, 6, 7), None), ((3, 4, 5), None), ((6, 7), (0, 5, 6)), ((5, 6, 9), (2, 7, 9)), ((4, 6), (1, 5, 6))],
)
def test_offsets_that_were_passed_over_are_seen(offsets: tuple[int, ...], hole: tuple[int, int, int] | None) -> None:
    found = first_hole(at(*offsets), {P: 5})
    assert found == (None if hole is None else (hole[0], Stretch(P, hole[1], hole[2])))


def test_a_verified_stretch_has_no_holes_but_gaps() -> None:
    verified = Stretch(P, 5, 12)
    assert first_hole(at(7, 9), {P: 5}, verified) is None
    added = tally(fates(7, 9), {P: 5}, verified)[P]
    assert (added.next_offset, added.accepted, added.gaps) == (12, 2, 5)


def test_what_was_counted_before_is_not_counted_again() -> None:
    assert tally(fates(3, 4), {P: 5}) == {}
    added = tally(fates(3, 4, 5, 6), {P: 5})[P]
    assert (added.next_offset, added.accepted) == (7, 2)


steps = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.sampled_from(Fate)), max_size=30)


@given(steps, st.integers(0, 6), st.integers(0, 6), st.none() | st.tuples(st.integers(0, 6), st.integers(0, 14)))
def test_the_accounting_adds_up(
    given_: list[tuple[int, int, Fate]], first: int, second: int, stretch: tuple[int, int] | None
) -> None:
    """Whatever comes in whatever order: offsets move forward only, by exactly what was counted."""
    start = {("service.event", 0): first, ("service.event", 1): second}
    records = [(record(b"", offset, partition), fate) for partition, offset, fate in given_]
    verified = Stretch(("service.event", 0), *stretch) if stretch else None
    for partition, added in tally(records, start, verified).items():
        counted = added.accepted + added.duplicates + added.dead + added.gaps
        assert added.next_offset - start[partition] == counted > 0


@given(steps, st.integers(0, 12))
def test_a_batch_in_two_parts_adds_up_to_the_same(given_: list[tuple[int, int, Fate]], cut: int) -> None:
    start = {("service.event", 0): 0, ("service.event", 1): 0}
    records = [(record(b"", offset, partition), fate) for partition, offset, fate in given_]
    whole = {partition: added.next_offset for partition, added in tally(records, start).items()}
    left = {partition: added.next_offset for partition, added in tally(records[:cut], start).items()}
    right = {partition: added.next_offset for partition, added in tally(records[cut:], start | left).items()}
    assert start | left | right == start | whole


def test_a_verified_stretch_is_cut_with_its_batch() -> None:
    assert halves(None, 7) == (None, None)
    assert halves(Stretch(P, 5, 12), 7) == (Stretch(P, 5, 7), Stretch(P, 7, 12))


def test_where_a_record_stood() -> None:
    assert partition_of(record(b"", 3, 2)) == ("service.event", 2)
