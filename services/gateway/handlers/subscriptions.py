"""Small things that clients ask of their own socket: which types it is shown (S21), and whether it is heard."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from libs.catalogue.catalogue import Catalogue
from libs.runtime.clock import Clock
from services.gateway.domain.commands import Fault, Ping, Subscribe, Unsubscribe
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.rooms import HeldLogs
from services.gateway.domain.session import Session

_MAX_TYPES = 500


class Subscriptions:
    """Subscriptions are of a socket: they end with it, and another socket of the person is shown everything still."""

    def __init__(self, catalogue_of: Callable[[str], Catalogue], held: HeldLogs, clock: Clock) -> None:
        self._catalogue_of, self._held, self._clock = catalogue_of, held, clock

    async def ping(self, session: Session, _command: Ping) -> Emission:
        """`pong`"""
        return session.dialect.pong(self._clock())

    async def subscribe(self, session: Session, command: Subscribe) -> Emission | Fault:
        """The first subscription narrows the socket to what it names; further ones add to it."""
        types = (session.types or frozenset()) | self._keys(session.tenant, command.types)
        if len(types) > _MAX_TYPES:
            return Fault("TOO_MANY_TYPES", f"at most {_MAX_TYPES} types", "types")
        self._show(session, types)
        return self._answer(session)

    async def unsubscribe(self, session: Session, command: Unsubscribe) -> Emission:
        """Takes types out again; without any named, the socket is shown everything. What it never named is no fault."""
        if not command.types:
            self._show(session, None)
        elif session.types is not None:
            self._show(session, session.types - self._keys(session.tenant, command.types))
        return self._answer(session)

    def _show(self, session: Session, types: frozenset[str] | None) -> None:
        session.types = types
        self._held.changed(session)

    def _keys(self, tenant: str, names: Iterable[str]) -> frozenset[str]:
        """Catalogue keys; a name that the catalogue does not know is taken for the key of a type yet to come."""
        catalogue = self._catalogue_of(tenant)
        found = ((name, catalogue.get(name)) for name in names)
        return frozenset(name if kind is None else kind.key for name, kind in found)

    def _answer(self, session: Session) -> Emission:
        return session.dialect.subscribed(None if session.types is None else sorted(session.types))
