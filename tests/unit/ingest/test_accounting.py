"""Every offset is counted once, however batches are cut, repeated or overtaken by another process."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.accounting import Handled, count, merged, positions

pytestmark = pytest.mark.covers("B7", "F0-3")

P = ("noti", 0)


def handled(*offsets: int, dead: frozenset[int] = frozenset()) -> Handled:
    return Handled(P, list(offsets), dead & set(offsets))


def test_a_batch_is_counted() -> None:
    assert count(handled(5, 6, 9, dead=frozenset({6})), 5) == (10, 2, 1, 2)


def test_what_was_counted_before_is_not_counted_again() -> None:
    assert count(handled(5, 6), 7) is None
    assert count(handled(5, 6, 7, dead=frozenset({5})), 7) == (8, 1, 0, 0)


def test_batches_of_a_partition_are_one() -> None:
    whole = merged([handled(1, 2), Handled(("noti", 1), [7], frozenset({7})), handled(3, dead=frozenset({3}))])
    assert whole[P] == Handled(P, [1, 2, 3], frozenset({3}))
    assert positions(whole) == {P: 4, ("noti", 1): 8}


LOG = st.dictionaries(st.integers(0, 60), st.booleans(), min_size=1)  # offset: whether it is refused
CUTS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=12)  # where a reader begins, how far


@given(LOG, CUTS)
def test_the_counts_add_up_and_count_each_offset_once(log: dict[int, bool], cuts: list[tuple[int, int]]) -> None:
    """Readers begin anywhere that was counted before, as after crashes and rebalances, and read on without holes."""
    dead = frozenset(offset for offset, refused in log.items() if refused)
    next_offset, totals = 0, [0, 0, 0]
    for start, length in [*cuts, (0, 61)]:
        first = min(start, next_offset)
        seen = handled(*(offset for offset in sorted(log) if first <= offset < first + length), dead=dead)
        counted = count(seen, next_offset) if seen.offsets else None
        if counted is not None:
            totals = [a + b for a, b in zip(totals, counted[1:], strict=True)]
            next_offset = counted.next_offset
        assert next_offset == sum(totals)
    assert next_offset == max(log) + 1
    assert (totals[0], totals[1]) == (len(log) - len(dead), len(dead))
