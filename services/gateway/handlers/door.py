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
from services.gateway.domain.commands import Authenticate
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.entrance import Admitted, Arrival, Entrance, Refused, Unserved
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

    async def enter(self, arrival: Arrival, token: str | None, position: Any) -> Entrance:
        """A socket wants to come in. Nothing is told it before `greet`."""
        identity = self._identity(token)
        if isinstance(identity, Refused):
            return identity
        try:
            with metrics.CONNECT_SECONDS.time():
                async with asyncio.timeout(self._settings.connect_timeout), self._admission:
                    if self._closing:
                        raise Retryable("the gateway stops")
                    session = Session(arrival.sid, arrival.namespace, arrival.dialect, identity)
                    return Admitted(session, await self._sessions.open(session, resume.position(position)))
        except (Retryable, TimeoutError) as error:
            log.warning("connect_held", tenant_id=identity.tenant, user_id=identity.reader, errors=[repr(error)])
        except Exception as error:
            log.error("connect_failed", tenant_id=identity.tenant, user_id=identity.reader, exc_info=error)
        return Unserved()

    def greet(self, arrival: Arrival, entrance: Entrance) -> None:
        """The transport has let the socket in: it is told that its session stands, or why it must go."""
        match entrance:
            case Admitted(session, refetch):
                self._sessions.greet(session, refetch)
            case Refused(expired):
                if arrival.dialect.explains:
                    self._answer(arrival, arrival.dialect.unauthorized(self._clock(), expired=expired))
                self._sockets.refuse(arrival.namespace, arrival.sid, arrival.dialect.refused)
            case Unserved():
                self._answer(arrival, arrival.dialect.unavailable(self._clock(), self._pause()))
                self._sockets.drop(arrival.namespace, arrival.sid)

    async def refresh(self, session: Session, command: Authenticate) -> Emission | None:
        """A client brings a new token; one of somebody else is refused, and the old one stays. Raises Retryable."""
        identity = self._identity(command.token)
        if not isinstance(identity, Refused) and not _same(session.identity, identity):
            self._count("other-person", identity)
            identity = Refused(expired=False)
        if isinstance(identity, Refused):
            return session.dialect.unauthorized(self._clock(), expired=identity.expired)
        await self._sessions.refresh(session, identity)
        return None

    def leave(self, sid: str) -> None:
        """A socket is gone."""
        self._sessions.close(sid)

    def expire(self) -> None:
        """Ends the sessions whose token is over."""
        now = self._clock().timestamp()
        for session in self._sessions:
            if session.identity.expires_at + _LEEWAY < now:
                self._emitter.say(session, session.dialect.unauthorized(self._clock(), expired=True))
                self._sockets.refuse(session.namespace, session.sid)
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

    def _answer(self, arrival: Arrival, emission: Emission) -> None:
        self._emitter.answer(arrival.namespace, arrival.sid, emission)

    def _identity(self, token: str | None) -> Identity | Refused:
        try:
            return verify(token or "", self._secret)
        except InvalidToken as error:
            self._count("expired" if error.expired else "invalid" if token else "missing")
            return Refused(error.expired)

    def _count(self, reason: str, identity: Identity | None = None) -> None:
        metrics.UNAUTHORIZED.labels("socket", reason).inc()
        who = {} if identity is None else {"tenant_id": identity.tenant, "user_id": identity.reader}
        log.warning("unauthorized", door="socket", reason=reason, **who)

    def _pause(self) -> int:
        """Milliseconds. Spread, so that clients do not all come back at once."""
        return 500 + random.randrange(1 + int(self._settings.reconnect_spread * 1000))  # noqa: S311 - jitter


def _same(one: Identity, other: Identity) -> bool:
    return (one.tenant, one.user_id, one.agent_id) == (other.tenant, other.user_id, other.agent_id)
