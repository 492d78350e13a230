"""One timer for everything that waits: a slot is a list of those that are due within its tick."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

log = logging.getLogger(__name__)


class Timed(Protocol):
    """Something with a time at which it wants to be looked at."""

    @property
    def due(self) -> float:
        """Loop time, in seconds."""
        ...

    @property
    def ended(self) -> bool:
        """Nobody waits for it any more: it is dropped when its slot comes."""
        ...

    def expire(self, now: float) -> None:
        """It is due. It is put into the wheel again afterwards, at its new `due`, unless it has ended."""
        ...


class Wheel:
    """Slots of `tick` seconds. A slot fires up to one tick early, never late, and something stands in one slot only."""

    def __init__(self, tick: float) -> None:
        self.tick = tick
        self.now = 0.0  # loop time of the last turn: exact to a tick, and free
        self._last = 0
        self._slots: dict[int, list[Timed]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.lag = 0.0  # seconds by which the last turn was late: how long the loop was busy

    def start(self) -> None:
        """Begin turning, on the running loop."""
        loop = asyncio.get_running_loop()
        self.now = loop.time()
        self._last = int(self.now / self.tick)
        self._timer = loop.call_at((self._last + 1) * self.tick, self._turn, loop)

    def stop(self) -> None:
        """Nobody is looked at any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._slots.clear()

    def put(self, item: Timed) -> None:
        """Into the slot of its `due`."""
        self._slots.setdefault(max(int(item.due / self.tick), self._last + 1), []).append(item)

    def _expire(self, item: Timed) -> None:
        try:
            item.expire(self.now)
        except Exception:  # one that fails must not stop the timer of all others
            log.exception("timer error")

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = loop.time()
        current = int(self.now / self.tick)
        self.lag = self.now - (self._last + 1) * self.tick
        for slot in range(self._last + 1, current + 1):
            self._last = slot
            for item in self._slots.pop(slot, ()):
                if not item.ended and item.due <= self.now + self.tick:
                    self._expire(item)
                if not item.ended:
                    self.put(item)
        self._timer = loop.call_at((current + 1) * self.tick, self._turn, loop)
