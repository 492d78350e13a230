"""The wheel: up to a tick early, never late, and once."""

from __future__ import annotations

import asyncio

import pytest

from libs.fanout.wheel import Wheel

pytestmark = pytest.mark.covers("S6")

TICK = 0.01


class Item:
    """Notes when it expired; it ends after `times` of them."""

    def __init__(self, wheel: Wheel, after: float, times: int = 1) -> None:
        self.wheel, self.after, self.times = wheel, after, times
        self.due = asyncio.get_running_loop().time() + after
        self.ended = False
        self.early: list[float] = []
        self.done = asyncio.Event()

    def expire(self, now: float) -> None:
        self.early.append(self.due - now)
        self.due = now + self.after
        if len(self.early) >= self.times:
            self.ended = True
            self.done.set()


async def test_items_expire_in_time_and_as_often_as_they_want() -> None:
    wheel = Wheel(TICK)
    wheel.start()
    items = [Item(wheel, 0.02 + 0.003 * number, times=2) for number in range(20)]
    for item in items:
        wheel.put(item)
    async with asyncio.timeout(5):
        for item in items:
            await item.done.wait()
    wheel.stop()
    assert all(early <= TICK + 0.001 for item in items for early in item.early)
    assert all(len(item.early) == 2 for item in items)


async def test_what_has_ended_is_let_go() -> None:
    wheel = Wheel(TICK)
    wheel.start()
    ended, last = Item(wheel, 0.02), Item(wheel, 0.04)
    ended.ended = True
    wheel.put(ended)
    wheel.put(last)
    async with asyncio.timeout(5):
        await last.done.wait()
    wheel.stop()
    assert ended.early == []


async def test_a_new_due_moves_it() -> None:
    """A pong moves the next ping: its slot comes, and it is put on."""
    wheel = Wheel(TICK)
    wheel.start()
    item = Item(wheel, 0.02)
    wheel.put(item)
    item.due += 0.05
    async with asyncio.timeout(5):
        await item.done.wait()
    wheel.stop()
    assert item.early[0] <= TICK + 0.001
