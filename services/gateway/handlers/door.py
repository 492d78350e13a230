"""The door of sockets: who may come in, who is told why not, and who must go (S9, S22)."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from libs.auth.tokens import Identity, InvalidToken, verify
from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from services.gateway import metrics
from services.gateway.domain import resume
from services.gateway.domain.dialects.dialect import Dialect
from services.gateway.domain.session import Session
from services.gateway.errors import Retryable
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.sessions import Sessions
from services.gateway.ports import Sockets
from services.gateway.settings import Settings

log = get_logger(__name__)

_LEEWAY = 5.0  # seconds, the same as when a token is verified
_TOLD_AT_ONCE = 100  # clients, before others get a turn


class Door:
    """Lets sockets in and out."""

    def __init__(
        self, settings: Settings, sessions: Sessions, emitter: Emitter, sockets: Sockets, clock: Clock
    ) -> None:
        self._settings, self._sessions, self._emitter = settings, sessions, emitter
        self._sockets, self._clock = sockets, clock
        self._secret = settings.jwt_secret.get_secret_value()
        self._admission = asyncio.Semaphore(settings.connect_concurrency)
        self._closing = False

    async def enter(self, namespace: str, dialect: Dialect, sid: str, token: str | None, position: Any) -> None:
        """A socket has connected: it becomes a session, or is told why not and closed."""
        identity = self._identity(token)
        if identity is None:
            self._turn_away(namespace, dialect, sid)
            return
        try:
            with metrics.CONNECT_SECONDS.time():
                async with asyncio.timeout(self._settings.connect_timeout), self._admission:
                    if self._closing:
                        raise Retryable("the gateway stops")
                    session = Session(sid, namespace, dialect, identity)
                    await self._sessions.open(session, resume.position(position))
        except (Retryable, TimeoutError) as error:
            log.warning("connect_held", tenant_id=identity.tenant, user_id=identity.reader, errors=[repr(error)])
            self._send_away(namespace, dialect, sid)
        except Exception as error:
            log.error("connect_failed", tenant_id=identity.tenant, user_id=identity.reader, exc_info=error)
            self._send_away(namespace, dialect, sid)

    async def refresh(self, sid: str, token: str | None) -> None:
        """A client brings a new token; one of somebody else is refused and the old one stays."""
        session, identity = self._sessions.get(sid), self._identity(token)
        if session is None:
            return
        if identity is None or not _same(session.identity, identity):
            if identity is not None:
                self._count("other-person", identity)
            self._emitter.say(session, session.dialect.unauthorized(self._clock(), expired=False))
            return
        try:
            await self._sessions.refresh(session, identity)
        except Retryable:
            self._emitter.say(session, session.dialect.unavailable(self._clock(), self._pause()))

    def leave(self, sid: str) -> None:
        """A socket is gone."""
        self._sessions.close(sid)

    def expire(self) -> None:
        """Ends the sessions whose token is over."""
        now = self._clock().timestamp()
        for session in self._sessions:
            if session.identity.expires_at + _LEEWAY < now:
                self._turn_away(session.namespace, session.dialect, session.sid)
                self._sessions.close(session.sid)

    async def close(self) -> None:
        """The gateway stops: tells every client when to come back, each after its own pause, and closes sockets."""
        self._closing = True
        for number, session in enumerate(self._sessions):
            self._emitter.say(session, session.dialect.closing(self._pause(), self._clock()))
            if number % _TOLD_AT_ONCE == 0:
                await self._sockets.breathe()
                await asyncio.sleep(0)
        await self._sockets.drain(self._settings.drain_window)

    def _send_away(self, namespace: str, dialect: Dialect, sid: str) -> None:
        self._emitter.answer(namespace, sid, dialect.unavailable(self._clock(), self._pause()))
        self._sockets.drop(sid)

    def _turn_away(self, namespace: str, dialect: Dialect, sid: str) -> None:
        if dialect.explains:
            self._emitter.answer(namespace, sid, dialect.unauthorized(self._clock(), expired=False))
        self._sockets.refuse(sid)

    def _identity(self, token: str | None) -> Identity | None:
        try:
            return verify(token or "", self._secret)
        except InvalidToken as error:
            self._count("expired" if error.expired else "invalid" if token else "missing")
            return None

    def _count(self, reason: str, identity: Identity | None = None) -> None:
        metrics.UNAUTHORIZED.labels("socket", reason).inc()
        who = {} if identity is None else {"tenant_id": identity.tenant, "user_id": identity.reader}
        log.warning("unauthorized", door="socket", reason=reason, **who)

    def _pause(self) -> int:
        """Milliseconds. Spread, so that clients do not all come back at once."""
        return 500 + random.randrange(1 + int(self._settings.reconnect_spread * 1000))  # noqa: S311 - jitter


def _same(one: Identity, other: Identity) -> bool:
    return (one.tenant, one.user_id, one.agent_id) == (other.tenant, other.user_id, other.agent_id)
