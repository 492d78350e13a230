"""How much a socket is told, where its dialect has a limit to that: what is over it comes as one batch (S10).

A socket over its limit is taken out of what is shown live until the window ends, and then caught up: the logs keep what
waits for it. Nothing is counted per socket: each log counts what it has shown, and a socket is told what its logs show.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from services.gateway import metrics
from services.gateway.domain.limits import Rate
from services.gateway.domain.rooms import HeldLog, HeldLogs
from services.gateway.domain.session import Session
from services.gateway.handlers.catch_up import CatchUp

_BURST = 200  # entries that may be shown in one go: sockets are paused so much before their limit


class Pacing:
    """`rates` by namespace of a dialect; their windows are the same for all sockets. `clock` counts seconds."""

    def __init__(
        self, held: HeldLogs, catch_up: CatchUp, rates: Mapping[str, Rate], clock: Callable[[], float]
    ) -> None:
        self._held, self._catch_up, self._rates, self._clock = held, catch_up, rates, clock
        self._margin = min(_BURST, min((rate.limit for rate in rates.values()), default=_BURST) // 5)
        self._step = max(1, self._margin // 4)
        self._shortest = min((rate.seconds for rate in rates.values()), default=60.0)
        self._paused: dict[str, tuple[Session, int]] = {}

    def shown(self, log: HeldLog) -> None:
        """A log has shown an entry live; its sockets are looked at once in a while, when all of that has been done."""
        window = self._window(self._shortest)
        log.shown = log.shown + 1 if log.window == window else 1
        log.window = window
        if log.shown % self._step == 0:
            asyncio.get_running_loop().call_soon(self._check, log)

    async def resume(self) -> None:
        """One round: whose window is over is caught up."""
        for sid, (session, window) in list(self._paused.items()):
            if self._window(self._rates[session.dialect.namespace].seconds) != window:
                del self._paused[sid]
                session.paused = False
                if not session.is_over():
                    self._catch_up.start(session)

    def _check(self, log: HeldLog) -> None:
        for session in list(log.live):
            rate = self._rates.get(session.dialect.namespace)
            if rate is not None and not session.paused and self._told(session, log.window) + self._margin > rate.limit:
                self._pause(session, log.window)

    def _told(self, session: Session, window: int) -> int:
        return sum(log.shown for log in self._held.of(session).values() if log.window == window)

    def _pause(self, session: Session, window: int) -> None:
        session.paused = True
        for name, log in self._held.of(session).items():
            if log.hide(session):
                session.behind[name] = log.followed.seq
        self._paused[session.sid] = (session, window)
        metrics.LIMITED.labels("told").inc()

    def _window(self, seconds: float) -> int:
        return int(self._clock() // seconds)
