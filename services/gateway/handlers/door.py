"""The door of sockets: who may come in, who is told why not, and who must go (S9, S22)."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import Any

from libs.auth.tokens import Identity
from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from services.gateway import metrics
from services.gateway.domain import resume
from services.gateway.domain.commands import Authenticate, Fault
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.entrance import Admitted, Arrival, Entrance, Limited, Refused, Unserved
from services.gateway.domain.session import Session
from services.gateway.errors import Retryable, Unauthorized
from services.gateway.handlers.credentials import Credentials
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.limiter import Limiter
from services.gateway.handlers.sessions import Sessions
from services.gateway.ports import Sockets
from services.gateway.settings import Settings

log = get_logger(__name__)

_TOLD_AT_ONCE = 100  # clients, before others get a turn


class Door:
    """Lets sockets in and out."""

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        limiter: Limiter,
        sessions: Sessions,
        emitter: Emitter,
        sockets: Sockets,
        clock: Clock,
    ) -> None:
        self._settings, self._credentials, self._limiter, self._sessions = settings, credentials, limiter, sessions
        self._emitter, self._sockets, self._clock = emitter, sockets, clock
        self._admission = asyncio.Semaphore(settings.connect_concurrency)
        self._closing = False

    async def enter(self, arrival: Arrival, token: str | None, position: Any) -> Entrance:
        """A socket wants to come in. Nothing is told it before `greet`."""
        if (banned := self._limiter.banned(arrival)) is not None:
            return Limited(banned)
        try:
            with metrics.CONNECT_SECONDS.time():
                async with asyncio.timeout(self._settings.connect_timeout), self._admission:
                    if self._closing:
                        raise Retryable("the gateway stops")
                    identity = await self._credentials.identify(token, "socket")
                    if (full := self._limiter.enter(arrival, identity)) is not None:
                        return Limited(full)
                    session = Session(arrival.sid, arrival.namespace, arrival.dialect, identity)
                    if arrival.acknowledges:
                        self._emitter.wait_for(session)
                    return Admitted(session, await self._sessions.open(session, resume.position(position)))
        except Unauthorized as error:
            return Refused(error.expired)
        except (Retryable, TimeoutError) as error:
            log.warning("connect_held", errors=[repr(error)])
        except Exception as error:
            log.error("connect_failed", exc_info=error)
        self._limiter.leave(arrival.sid)
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
            case Limited(fault):
                self._answer(arrival, arrival.dialect.error(fault, self._clock()))
                self._sockets.refuse(arrival.namespace, arrival.sid)
            case Unserved():
                self._answer(arrival, arrival.dialect.unavailable(self._clock(), self._pause()))
                self._sockets.drop(arrival.namespace, arrival.sid)

    async def refresh(self, session: Session, command: Authenticate) -> Emission | None:
        """A client brings a new token; one of somebody else is refused, and the old one stays. Raises Retryable."""
        try:
            identity = await self._credentials.identify(command.token, "socket")
            if not _same(session.identity, identity):
                raise self._credentials.refusal("socket", "other-person", "the token is somebody else's", identity)
        except Unauthorized as error:
            return session.dialect.unauthorized(self._clock(), expired=error.expired)
        await self._sessions.refresh(session, identity)
        return None

    def leave(self, sid: str) -> None:
        """A socket is gone."""
        self._limiter.leave(sid)
        self._sessions.close(sid)

    def expire(self) -> None:
        """Ends the sessions whose token is over, and warns those whose token soon will be."""
        now = self._clock().timestamp()
        for session in self._sessions:
            left = session.identity.expires_at - now
            if left + self._settings.jwt_leeway < 0:
                self._end(session, expired=True)
            elif left < self._settings.token_warning and not session.warned:
                session.warned = True
                at = datetime.fromtimestamp(session.identity.expires_at, UTC)
                self._emitter.say(session, session.dialect.expiring(at, self._clock()))

    async def compare_tenants(self) -> None:
        """Ends the sessions of tenants that were disabled. Raises Retryable."""
        refused = await self._credentials.refused({session.tenant for session in self._sessions})
        for session in self._sessions if refused else ():
            if session.tenant in refused:
                self._credentials.refusal("socket", "disabled-tenant", "the tenant is disabled", session.identity)
                self._end(session, expired=False)

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

    def turn_out(self, session: Session, fault: Fault) -> None:
        """Ends a session, and tells it why."""
        self._leave_with(session, session.dialect.error(fault, self._clock()))

    def _end(self, session: Session, *, expired: bool) -> None:
        self._leave_with(session, session.dialect.unauthorized(self._clock(), expired=expired))

    def _leave_with(self, session: Session, word: Emission) -> None:
        self._emitter.say(session, word)
        self._sockets.refuse(session.namespace, session.sid)
        self._sessions.close(session.sid)

    def _pause(self) -> int:
        """Milliseconds. Spread, so that clients do not all come back at once."""
        return 500 + random.randrange(1 + int(self._settings.reconnect_spread * 1000))  # noqa: S311 - jitter


def _same(one: Identity, other: Identity) -> bool:
    return (one.tenant, one.user_id, one.agent_id) == (other.tenant, other.user_id, other.agent_id)
