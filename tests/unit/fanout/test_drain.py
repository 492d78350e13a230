"""Draining: even shares that are everybody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.fanout.drain import share

pytestmark = pytest.mark.covers("S6")


@given(st.integers(0, 300), st.integers(1, 60))
def test_shares_are_even_and_together_everybody(count: int, steps: int) -> None:
    order: list[int] = list(range(count))
    shares = [share(order, step, steps) for step in range(steps)]
    assert [one for part in shares for one in part] == order
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
