"""uvicorn's glue: a connection whose first request is a WebSocket for us never becomes an HTTP connection.

Everything else (REST, polling, other WebSockets) goes to the protocol that uvicorn would have taken, with the same
bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.server import ServerState

from libs.fanout.answers import plain, refusal
from libs.fanout.engine import Engine
from libs.fanout.errors import Refused
from libs.fanout.head import parse
from libs.fanout.websocket import Handshake, open_websocket

_END = b"\r\n\r\n"
_http_protocol: Callable[..., asyncio.Protocol] = AutoHTTPProtocol


def uvicorn_options(server: Any, path: str = "socket.io") -> dict[str, Any]:
    """Keyword arguments for `uvicorn.run` or `uvicorn.Config` that put a server's WebSockets on the fast road.

    `server` is an AsyncServer or an Engine, `path` the same that its ASGI application has. Without these options the
    server works as well, by ASGI. uvicorn's access log and its proxy headers do not see connections of this road.
    """
    engine: Engine = getattr(server, "eio", server)
    begin = b"GET /" + path.strip("/").encode()

    class Front(_Front):
        """uvicorn makes one for each connection."""

        def __init__(
            self,
            config: Config,
            server_state: ServerState,
            app_state: dict[str, Any],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> None:
            # Several of uvicorn's servers may serve one engine: a session does not know whose it is.
            server_state.connections = engine.connections
            super().__init__(engine, begin, (config, server_state, app_state))

    return {"http": Front, "ws_per_message_deflate": False, "ws_ping_interval": None, "backlog": 4096}


class _Front(asyncio.Protocol):
    """Reads the head of the first request. It stands in the wheel meanwhile: no head is waited for without end."""

    __slots__ = ("_begin", "_engine", "_got", "_made_with", "_transport", "due")

    def __init__(self, engine: Engine, begin: bytes, made_with: tuple[Config, ServerState, dict[str, Any]]) -> None:
        self._engine, self._begin, self._made_with = engine, begin, made_with
        self._got = b""
        self._transport: Any = None
        self.due = 0.0

    @property
    def ended(self) -> bool:
        """The connection is another protocol's, or gone."""
        return self._transport is None

    def expire(self, _now: float) -> None:
        """The head did not come."""
        transport = self._let_go()
        self._engine.counts.unfinished += 1
        transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        engine = self._engine
        engine.start()
        self._transport = transport
        self.due = engine.wheel.now + engine.wheel.tick + engine.limits.handshake_seconds
        engine.wheel.put(self)
        self._made_with[1].connections.add(self)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """A part of the head, mostly all of it."""
        self._got += data
        end = self._got.find(_END)
        if end >= 0:
            self._decide(end)
        elif len(self._got) > self._engine.limits.head_bytes:
            self._hand_over()

    def connection_lost(self, _exc: Exception | None) -> None:
        """It never was anything."""
        if self._transport is not None:
            self._let_go()

    def shutdown(self) -> None:
        """uvicorn stops."""
        self._let_go().close()

    def _decide(self, end: int) -> None:
        head = self._got[:end]
        if not self._is_ours(head):
            self._hand_over()
            return
        rest, transport = self._got[end + len(_END) :], self._let_go()
        try:
            parsed = parse(head, _scheme(transport), _peer(transport))
            self._check_concurrency()
        except Refused as refused:
            transport.write(plain(refusal(refused)))
            transport.close()
            return
        open_websocket(self._engine, transport, Handshake(parsed))
        if rest and not transport.is_closing():
            transport.get_protocol().data_received(rest)

    def _is_ours(self, head: bytes) -> bool:
        begin = self._begin
        if not head.startswith(begin) or head[len(begin) : len(begin) + 1] not in (b"/", b"?"):
            return False
        return b"\nupgrade: websocket" in head.lower()

    def _check_concurrency(self) -> None:
        config, state, _ = self._made_with
        if config.limit_concurrency is not None and len(state.connections) >= config.limit_concurrency:
            raise Refused(3, "Too many connections", 503)

    def _hand_over(self) -> None:
        data, transport = self._got, self._let_go()
        config, state, app = self._made_with
        protocol: Any = _http_protocol(config, state, app)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(data)

    def _let_go(self) -> Any:
        transport, self._transport = self._transport, None
        self._made_with[1].connections.discard(self)
        self._got = b""
        return transport


def _scheme(transport: asyncio.Transport) -> str:
    return "https" if transport.get_extra_info("sslcontext") else "http"


def _peer(transport: asyncio.Transport) -> tuple[str, int]:
    peer = transport.get_extra_info("peername")
    return (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) and len(peer) >= 2 else ("", 0)
