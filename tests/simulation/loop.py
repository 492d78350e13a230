"""An event loop without a clock: where asyncio would wait for the world, it asks what happens next."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any


class SteppedLoop(asyncio.SelectorEventLoop):
    """Runs everything that can run, then calls `when_idle`, which lets something happen or says that time is to pass;
    it is told whether there is a timer.

    `now` is the loop's time in seconds; it moves only when nothing else happens, straight to the next timer.
    """

    def __init__(self, when_idle: Callable[[bool], bool]) -> None:
        self.now, self.ending = 0.0, False
        super().__init__(_Asking(self, when_idle))

    def time(self) -> float:
        return self.now


class Stuck(AssertionError):
    """Nothing can happen any more, and not everything is done: all wait for each other."""


class _Asking(selectors.SelectSelector):
    def __init__(self, loop: SteppedLoop, when_idle: Callable[[bool], bool]) -> None:
        super().__init__()
        self._loop, self._when_idle = loop, when_idle

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return []  # there is still something to run
        if self._loop.ending or not self._when_idle(timeout is not None):
            if timeout is None:
                raise Stuck("everything waits for something else")
            self._loop.now += timeout
        return []


def run(loop: SteppedLoop, main: Coroutine[Any, Any, None]) -> None:
    """Runs `main` to its end, and ends what it left behind."""
    try:
        loop.run_until_complete(main)
    finally:
        loop.ending = True
        loop.run_until_complete(_end_others())
        loop.close()


async def _end_others() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
