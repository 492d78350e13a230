"""Limits of connections and of what clients say: who is over one is told so, who goes on is banned for a time (S10)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from libs.auth.tokens import Identity
from libs.runtime.logging import get_logger
from services.gateway import metrics
from services.gateway.domain.commands import Fault
from services.gateway.domain.entrance import Arrival
from services.gateway.domain.limits import Bans, Bounds, Connections, Exceeded, Scope
from services.gateway.domain.session import Session

log = get_logger(__name__)

RATE_LIMITED = "RATE_LIMITED"
TOO_MANY_CONNECTIONS = "TOO_MANY_CONNECTIONS"
BANNED = "BANNED"

_shared = lru_cache(1_024)(Scope)  # thousands come from the same places


class Limiter:
    """Counts in this process alone. `clock` counts seconds."""

    def __init__(self, bounds: Bounds, clock: Callable[[], float]) -> None:
        self._bounds, self._clock = bounds, clock
        self._bans = Bans(bounds.shortest, bounds.longest)
        self._connections = Connections(dict(bounds.connections))
        self._inside: dict[str, tuple[str, tuple[Scope, ...]]] = {}

    def banned(self, arrival: Arrival) -> Fault | None:
        """Why nobody from this address may come in now, before it is known who it is."""
        return self._ban_of(Scope("address", arrival.address))

    def enter(self, arrival: Arrival, identity: Identity) -> Fault | None:
        """Counts a socket until it leaves, or says why it may not come in."""
        person = Scope("user", identity.person)
        scopes = (person, _shared("tenant", identity.tenant), _shared("address", arrival.address))
        if (fault := self._ban_of(person)) is not None:
            return fault
        if (full := self._connections.full(arrival.connection, scopes)) is not None:
            return self._full(full, identity)
        self._connections.enter(arrival.connection, scopes)
        self._inside[arrival.sid] = (arrival.connection, scopes)
        return None

    def leave(self, sid: str) -> None:
        """The socket is gone; nothing for one that was never counted."""
        connection, scopes = self._inside.pop(sid, ("", ()))
        self._connections.leave(connection, scopes)

    def hear(self, session: Session) -> Exceeded | None:
        """Counts something that a client said. Who floods is banned."""
        rate = self._bounds.heard.get(session.dialect.namespace, self._bounds.otherwise)
        exceeded = session.heard.take(rate, self._clock())
        if exceeded is not None:
            metrics.LIMITED.labels("events").inc()
            if exceeded.flood:
                self._ban(Scope("user", session.person), "flood", session.identity)
        return exceeded

    def _full(self, scope: Scope, identity: Identity) -> Fault:
        metrics.LIMITED.labels(scope.kind).inc()
        # A tenant's people are not to blame for one another.
        seconds = None if scope.kind == "tenant" else self._ban(scope, "connections", identity)
        message = f"There are too many connections of this {scope.kind}"
        return Fault(TOO_MANY_CONNECTIONS, message, retry_after=seconds)

    def _ban(self, scope: Scope, reason: str, identity: Identity) -> float:
        seconds = self._bans.offend(scope, self._clock())
        metrics.BANS.labels(reason).inc()
        log.warning("banned", scope=scope.kind, reason=reason, seconds=round(seconds), tenant_id=identity.tenant,
                    user_id=identity.reader)  # fmt: skip
        return seconds

    def _ban_of(self, scope: Scope) -> Fault | None:
        seconds = self._bans.left(scope, self._clock())
        if not seconds:
            return None
        metrics.LIMITED.labels("ban").inc()
        return Fault(BANNED, f"This {scope.kind} has to stay away for a time", retry_after=seconds)
