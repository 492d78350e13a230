"""Plain WebSocket at `/ws/notifications` and `/ws`: frames `{"event": …, "data": …}`, for clients without Socket.IO.

`?dialect=` names the namespace whose names and shapes are spoken, `/ws/notifications` by default; `?ack=true` says
that the client acknowledges.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from services.gateway.adapters.plain_sockets import KIND, REFUSED, PlainSockets
from services.gateway.domain.addresses import Network, client_address
from services.gateway.domain.commands import Fault
from services.gateway.domain.dialects.dialect import Dialect
from services.gateway.domain.entrance import Arrival, Limited
from services.gateway.handlers.client_events import ClientEvents
from services.gateway.handlers.door import Door

PATHS = ("/ws/notifications", "/ws")
_DEFAULT = "/ws/notifications"
_NOT_A_FRAME = Fault("INVALID_FRAME", 'a frame is JSON text: {"event": "…", "data": …}')


class PlainEntrance:
    """Lets WebSockets in and listens to them. `origins` are whose pages may open one; `*` is everybody's."""

    def __init__(
        self,
        sockets: PlainSockets,
        door: Door,
        events: ClientEvents,
        dialects: Mapping[str, Dialect],
        origins: tuple[str, ...],
        trusted: Sequence[Network],
    ) -> None:
        self._sockets, self._door, self._events = sockets, door, events
        self._dialects, self._origins, self._trusted = dialects, origins, trusted

    def routes(self) -> Iterator[WebSocketRoute]:
        """One for each path."""
        return (WebSocketRoute(path, self.serve) for path in PATHS)

    async def serve(self, socket: WebSocket) -> None:
        """One WebSocket, until it is over."""
        if not self._is_welcome(socket):
            await socket.close(REFUSED)
            return
        await socket.accept()
        wanted = socket.query_params.get("dialect", _DEFAULT)
        dialect = self._dialects.get(wanted, self._dialects[_DEFAULT])
        sid, peer = secrets.token_urlsafe(12), "" if socket.client is None else socket.client.host
        address = client_address(peer, socket.headers.get("x-forwarded-for"), self._trusted)
        acknowledges = socket.query_params.get("ack") == "true"
        arrival = Arrival(KIND + dialect.namespace, dialect, sid, sid, address, acknowledges)
        plain = self._sockets.opened(arrival.sid, socket)
        listening = asyncio.ensure_future(self._converse(arrival, socket, known=wanted in self._dialects))
        try:
            await asyncio.wait((listening, plain.writing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            self._sockets.closed(arrival.sid)
            self._door.leave(arrival.sid)
            await asyncio.gather(listening, plain.writing, return_exceptions=True)

    def _is_welcome(self, socket: WebSocket) -> bool:
        """A page of the gateway's own origin always is, and so is whoever is no page."""
        origin = socket.headers.get("origin")
        own = socket.headers.get("host")
        return origin is None or "*" in self._origins or origin in self._origins or origin.partition("//")[2] == own

    async def _converse(self, arrival: Arrival, socket: WebSocket, *, known: bool) -> None:
        if not known:
            fault = Fault("INVALID_ARGUMENT", f"dialect: one of {', '.join(self._dialects)}", "dialect")
            self._door.greet(arrival, Limited(fault))
            return await _until_closed(socket)
        given = socket.headers.get("authorization") or socket.query_params.get("token")
        entrance = await self._door.enter(arrival, given, _json(socket.query_params.get("position")))
        self._door.greet(arrival, entrance)
        while (message := await socket.receive())["type"] == "websocket.receive":
            frame = _json(message.get("text"))
            if isinstance(frame, dict) and isinstance(frame.get("event"), str):
                arguments = (frame["data"],) if "data" in frame else ()
                await self._events.hear(arrival.sid, frame["event"], arguments)
            else:
                self._events.complain(arrival.sid, _NOT_A_FRAME)
        return None


async def _until_closed(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _json(text: str | None) -> Any:
    try:
        return None if text is None else orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
