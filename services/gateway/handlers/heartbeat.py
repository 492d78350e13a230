"""`heartbeat`: a word now and then to clients of the dialects that have one, so that silence means something (F4-1)."""

from __future__ import annotations

from libs.runtime.clock import Clock
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.sessions import Sessions


class Heartbeat:
    """Beats for all sessions."""

    def __init__(self, sessions: Sessions, emitter: Emitter, clock: Clock) -> None:
        self._sessions, self._emitter, self._clock = sessions, emitter, clock

    async def beat(self) -> None:
        """One beat."""
        now = self._clock()
        self._emitter.tell(self._sessions, lambda dialect: dialect.heartbeat(now))
