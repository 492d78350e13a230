"""Delivered watermarks: what sockets confirm by answering pings is written down in batches (S8)."""

from __future__ import annotations

import asyncio

from services.gateway.domain.delivered import Confirmations
from services.gateway.domain.rooms import HeldLog, HeldLogs
from services.gateway.domain.session import Session
from services.gateway.handlers.sessions import Sessions
from services.gateway.ports import Logs, Person, Sockets

_NONE = Confirmations()  # of a socket that was never pinged
_AT_ONCE = 50  # sockets that are looked at before others get a turn


class Delivered:
    """Keeps the confirmations of every session and flushes the watermarks that rise."""

    def __init__(self, sessions: Sessions, held: HeldLogs, logs: Logs, sockets: Sockets) -> None:
        self._sessions, self._held, self._logs, self._sockets = sessions, held, logs, sockets
        self._confirmations: dict[str, Confirmations] = {}
        self._shown: set[HeldLog] = set()  # since it was last asked, as the next one
        self._told: set[Session] = set()
        self._risen: dict[tuple[Person, str], int] = {}

    def shown(self, log: HeldLog) -> None:
        """A log has shown something live."""
        self._shown.add(log)

    def told(self, session: Session) -> None:
        """A session was sent something of what it had missed."""
        self._told.add(session)

    def pinged(self, sid: str) -> None:
        """A ping is on its way to the socket, behind everything that was emitted."""
        session = self._sessions.get(sid)
        if session is not None:
            self._confirmations.setdefault(sid, Confirmations()).pinged(self._sent(session))

    def ponged(self, sid: str) -> None:
        """The socket answered its oldest ping."""
        session, confirmations = self._sessions.get(sid), self._confirmations.get(sid)
        if session is None or confirmations is None:
            return
        for room, seq in confirmations.ponged().items():
            key = (session.person, room)
            self._risen[key] = max(seq, self._risen.get(key, 0))

    async def ask(self) -> None:
        """Pings the sockets that were sent something that no ping on its way would confirm."""
        self._confirmations = {sid: c for sid, c in self._confirmations.items() if self._sessions.get(sid) is not None}
        shown, told, self._shown, self._told = self._shown, self._told, set(), set()
        for number, session in enumerate(told.union(*(log.live for log in shown)), 1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if not session.is_over() and self._lags(session):
                self._sockets.ping(session.namespace, session.sid)

    async def flush(self) -> None:
        """Writes the watermarks that have risen. Raises Retryable, and keeps them."""
        risen = dict(self._risen)
        if risen:
            await self._logs.delivered(risen)
        self._risen = {key: seq for key, seq in self._risen.items() if risen.get(key, 0) < seq}

    def _lags(self, session: Session) -> bool:
        return self._confirmations.get(session.sid, _NONE).lags(self._sent(session))

    def _sent(self, session: Session) -> dict[str, int]:
        if session.newest:  # its logs stand at their ends, but it has not been sent anything yet
            return {}
        if session.unacknowledged is not None:  # it says itself what has arrived
            return {}
        behind, state = session.behind, session.state_log
        return {
            name: seq
            for name, log in self._held.of(session).items()
            if name != state and log.follower is not None and (seq := behind.get(name, log.follower.seq)) > 0
        }
