"""The namespaces of Socket.IO: each speaks its dialect; what a client says is read and handed on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import socketio

from services.gateway.domain.addresses import Network, client_address
from services.gateway.domain.dialects.dialect import Dialect
from services.gateway.domain.entrance import Arrival, Entrance, Unserved
from services.gateway.handlers.client_events import ClientEvents
from services.gateway.handlers.door import Door

_MAX_TOKEN = 16 * 1024


class DialectNamespace(socketio.AsyncNamespace):
    """The namespace of a dialect."""

    def __init__(self, dialect: Dialect, door: Door, events: ClientEvents, trusted: Sequence[Network] = ()) -> None:
        super().__init__(dialect.namespace)
        self._dialect, self._door, self._events, self._trusted = dialect, door, events, trusted
        self._inside: set[str] = set()
        self._ungreeted: list[tuple[Arrival, Entrance]] = []

    async def trigger_event(self, event: str, *arguments: Any) -> Any:
        """Connecting and leaving, and whatever a client says: the library calls this for all of them.

        A client may name its event `connect` or `disconnect`; then it is inside already, and goes on to be.
        """
        sid, *rest = arguments
        if event == "connect" and sid not in self._inside:
            return await self._connect(sid, *rest)
        if event == "disconnect" and not self.server.manager.is_connected(sid, self.namespace):
            self._inside.discard(sid)
            self._door.leave(sid)
            return None
        return await self._events.hear(sid, str(event), tuple(rest))  # the protocol allows numbers

    async def _connect(self, sid: str, environ: Mapping[str, Any], auth: Any = None) -> None:
        connection = self.server.manager.eio_sid_from_sid(sid, self.namespace)
        given = auth if isinstance(auth, dict) else {}
        peer, _port = environ["asgi.scope"].get("client") or ("", 0)
        address = client_address(peer, environ.get("HTTP_X_FORWARDED_FOR"), self._trusted)
        arrival = Arrival(self._dialect.namespace, self._dialect, sid, connection, address, given.get("ack") is True)
        entrance = await self._door.enter(arrival, token_of(environ, auth), given.get("position"))
        if isinstance(entrance, Unserved) and self._dialect.unserved is not None:
            raise socketio.exceptions.ConnectionRefusedError(self._dialect.unserved)
        self._inside.add(sid)
        # The library answers the client's CONNECT when this returns; what is told it must come behind that.
        if not self._ungreeted:
            asyncio.get_running_loop().call_soon(self._greet_all)
        self._ungreeted.append((arrival, entrance))

    def _greet_all(self) -> None:
        """Before the transport's turn comes to write the answers: both are one write then."""
        ungreeted, self._ungreeted = self._ungreeted, []
        for arrival, entrance in ungreeted:
            self._greet(arrival, entrance)

    def _greet(self, arrival: Arrival, entrance: Entrance) -> None:
        if arrival.connection in self.server.environ:
            self._door.greet(arrival, entrance)
        else:  # it went while it was being let in: the library tells nobody
            self._inside.discard(arrival.sid)
            self._door.leave(arrival.sid)


def token_of(environ: Mapping[str, Any], auth: Any) -> str | None:
    """The token of a connection: from the auth object, else the Authorization header, else the query (S22)."""
    given = auth.get("token") if isinstance(auth, dict) else None
    return _text(given) or _text(environ.get("HTTP_AUTHORIZATION")) or _from_query(environ.get("QUERY_STRING", ""))


def _from_query(query: str) -> str | None:
    return next(iter(parse_qs(query).get("token", ())), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() and len(value) <= _MAX_TOKEN else None
