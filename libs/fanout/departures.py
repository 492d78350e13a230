"""Sessions that ended at the same time leave one after the other, a few in each pass of the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from libs.fanout.session import Session

_A_PASS = 100  # with a short handler each, some 3 ms


class Departures:
    """Thousands of disconnects at once must not keep the loop from those who stay."""

    def __init__(self, leave: Callable[[Session, str], None]) -> None:
        self._leave = leave
        self._line: deque[tuple[Session, str]] = deque()

    def add(self, session: Session, reason: str) -> None:
        """It leaves within the next passes."""
        if not self._line:
            asyncio.get_running_loop().call_soon(self._pass)
        self._line.append((session, reason))

    async def finished(self) -> None:
        """Until nobody stands in line."""
        while self._line:  # noqa: ASYNC110 - passes of the loop are what is waited for
            await asyncio.sleep(0)

    def _pass(self) -> None:
        for _ in range(min(_A_PASS, len(self._line))):
            self._leave(*self._line.popleft())
        if self._line:
            asyncio.get_running_loop().call_soon(self._pass)
