"""What clients say: read by their dialect, done by whoever is responsible, answered in their dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from services.gateway import metrics
from services.gateway.domain.commands import Command, Fault, read
from services.gateway.domain.dialects.dialect import SERVER_ERROR, UNAVAILABLE, Emission
from services.gateway.domain.limits import Exceeded
from services.gateway.domain.session import Session
from services.gateway.errors import Retryable
from services.gateway.handlers.doing import Doing
from services.gateway.handlers.door import Door
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.limiter import RATE_LIMITED, Limiter
from services.gateway.handlers.sessions import Sessions

log = get_logger(__name__)

_UNAVAILABLE = Fault(SERVER_ERROR, UNAVAILABLE)


class ClientEvents:
    """Everything that clients say comes here."""

    def __init__(self, sessions: Sessions, emitter: Emitter, limiter: Limiter, door: Door, clock: Clock) -> None:
        self._sessions, self._emitter, self._limiter, self._door = sessions, emitter, limiter, door
        self._clock = clock
        self._doings: dict[type[Command], Doing] = {}

    def assign(self, doings: Mapping[type[Command], Doing]) -> None:
        """Says who does these kinds of commands."""
        self._doings |= doings

    async def hear(self, sid: str, event: str, arguments: tuple[Any, ...]) -> Mapping[str, Any] | None:
        """A client has said something; returns the payload of what it is answered, for clients that ask for it."""
        session = self._sessions.get(sid)
        if session is None:  # it was refused, or has left meanwhile
            return None
        exceeded = self._limiter.hear(session)
        if exceeded is not None:
            return self._slow_down(session, exceeded)
        command = read(session.dialect.commands, event, arguments)
        metrics.CLIENT_EVENTS.labels(_kind(command)).inc()
        answer = command if isinstance(command, Fault) else await self._do(session, command)
        return self._answer(session, answer)

    def complain(self, sid: str, fault: Fault) -> None:
        """What a client said was no event at all."""
        session = self._sessions.get(sid)
        if session is not None:
            metrics.CLIENT_EVENTS.labels(fault.code).inc()
            self._answer(session, fault)

    def _answer(self, session: Session, answer: Emission | Fault | None) -> Mapping[str, Any] | None:
        if isinstance(answer, Fault):
            answer = session.dialect.error(answer, self._clock())
        if answer is None or session.is_over():
            return None
        self._emitter.say(session, answer)
        return answer.payload

    def _slow_down(self, session: Session, exceeded: Exceeded) -> Mapping[str, Any]:
        """Told once a window, so that the answers are no flood themselves; who does not listen must go."""
        fault = Fault(RATE_LIMITED, "Too many events, please slow down", retry_after=exceeded.retry_after)
        answer = session.dialect.error(fault, self._clock())
        if exceeded.flood:
            self._door.turn_out(session, fault)
        elif exceeded.first:
            self._emitter.say(session, answer)
        return answer.payload

    async def _do(self, session: Session, command: Command) -> Emission | Fault | None:
        try:
            return await self._doings[type(command)](session, command)
        except Retryable as error:
            log.warning("command_held", command=_kind(command), tenant_id=session.tenant, errors=[str(error)])
        except Exception as error:
            log.error("command_failed", command=_kind(command), tenant_id=session.tenant, exc_info=error)
        return _UNAVAILABLE


def _kind(command: Command | Fault) -> str:
    return command.code if isinstance(command, Fault) else type(command).__name__
