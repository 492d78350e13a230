"""What ended at the same time is dealt with one after the other, a few in each pass of the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_A_PASS = 50  # with a short handler each, some 2 ms


class Departures(Generic[T]):
    """Thousands of disconnects at once must not keep the loop from those who stay."""

    def __init__(self, leave: Callable[[T], None]) -> None:
        self._leave = leave
        self._line: deque[T] = deque()

    def add(self, one: T) -> None:
        """It leaves within the next passes."""
        if not self._line:
            asyncio.get_running_loop().call_soon(self._pass)
        self._line.append(one)

    async def finished(self) -> None:
        """Until nobody stands in line."""
        while self._line:  # noqa: ASYNC110 - passes of the loop are what is waited for
            await asyncio.sleep(0)

    def _pass(self) -> None:
        for _ in range(min(_A_PASS, len(self._line))):
            self._leave(self._line.popleft())
        if self._line:
            asyncio.get_running_loop().call_soon(self._pass)
