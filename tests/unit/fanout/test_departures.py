"""Many who leave at once: all of them, in order, and a few in each pass of the loop."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from libs.fanout.departures import Departures

pytestmark = pytest.mark.covers("S6")


async def test_thousands_leave_over_many_passes() -> None:
    left: list[int] = []
    departures = Departures(left.append)
    for number in range(1_050):
        departures.add(number)
    passes = [0]
    while passes[-1] < 1_050:
        await asyncio.sleep(0)
        passes.append(len(left))
    assert max(after - before for before, after in pairwise(passes)) <= 200
    assert left == list(range(1_050))


async def test_who_comes_while_others_leave_is_waited_for() -> None:
    left: list[int] = []

    def leave(number: int) -> None:
        left.append(number)
        if number < 3:
            departures.add(number + 1)

    departures = Departures(leave)
    departures.add(0)
    await departures.finished()
    assert left == [0, 1, 2, 3]
