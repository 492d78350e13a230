"""What is done every second: tokens that are over, logs that nobody holds, sockets that are silent, measurements."""

from __future__ import annotations

import asyncio

import psutil

from services.gateway import metrics
from services.gateway.domain.rooms import HeldLogs
from services.gateway.handlers.door import Door
from services.gateway.handlers.garbage import Garbage
from services.gateway.handlers.interest import Interest
from services.gateway.handlers.sessions import Sessions
from services.gateway.ports import Sockets

_AT_ONCE = 1_000  # logs given up before others get a turn
_SAMPLE = 0.01  # seconds: a loop that is busy longer is noticed


class Upkeep:
    """`linger` is how many seconds a log is followed after the last session has left it."""

    def __init__(
        self,
        door: Door,
        sessions: Sessions,
        held: HeldLogs,
        interest: Interest,
        sockets: Sockets,
        linger: float,
    ) -> None:
        self._door, self._sessions, self._held, self._interest = door, sessions, held, interest
        self._sockets, self._linger = sockets, linger
        self._process = psutil.Process()
        self._idle_bytes = 0
        self._garbage = Garbage()

    async def step(self) -> None:
        """One round. Raises Retryable when interest cannot be withdrawn."""
        now = asyncio.get_running_loop().time()
        self._door.expire()
        await self._sockets.sweep()
        self._measure()
        self._garbage.step()
        idle = self._held.idle(now - self._linger)
        for at in range(0, len(idle), _AT_ONCE):
            await self._interest.withdraw(idle[at : at + _AT_ONCE])

    def _measure(self) -> None:
        metrics.HELD_LOGS.set(len(self._held))
        resident = self._process.memory_info().rss
        if not self._sessions:
            self._idle_bytes = resident
        metrics.RSS_PER_CONNECTION.set(max(0, resident - self._idle_bytes) / max(1, len(self._sessions)))

    async def watch_loop(self) -> None:
        """Measures by how much the event loop is late, at worst within a second; one round of that."""
        loop, worst = asyncio.get_running_loop(), 0.0
        end = loop.time() + 1.0
        while loop.time() < end:
            due = loop.time() + _SAMPLE
            await asyncio.sleep(_SAMPLE)
            worst = max(worst, loop.time() - due)
        metrics.LOOP_LAG.set(worst)
