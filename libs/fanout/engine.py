"""The Engine.IO server: its sessions, and what they share. Handlers, cookies and origins are python-engineio's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import engineio

from libs.fanout import asgi, requests
from libs.fanout.counts import Counts
from libs.fanout.departures import Departures
from libs.fanout.drain import Drain
from libs.fanout.flush import Flush
from libs.fanout.handlers import Handlers
from libs.fanout.head import Head
from libs.fanout.intake import Intake, Receiver
from libs.fanout.limits import Limits
from libs.fanout.polling import Polling
from libs.fanout.reasons import Reason
from libs.fanout.session import Session
from libs.fanout.wheel import Wheel

_OLD = 30.0  # seconds that the last words for a closed polling session are kept
_TICKS = 40  # of the wheel, within the shortest of its times


class Engine(engineio.AsyncServer):
    """python-engineio's AsyncServer on callbacks, for ASGI. The same arguments; `limits` are ours.

    `receiver` gets what sessions say; without one the handlers registered with `on` do.
    """

    def __init__(self, *, limits: Limits | None = None, receiver: Receiver | None = None, **options: Any) -> None:
        options["async_mode"] = options.get("async_mode") or "asgi"
        if options["async_mode"] != "asgi":
            raise ValueError("this server speaks ASGI alone")
        super().__init__(**options | {"monitor_clients": False})
        self.limits = limits or Limits()
        self.largest: int = self.max_http_buffer_size
        self.counts = Counts()
        self.interval: float = self.ping_interval + self.ping_interval_grace_period
        shortest = min(self.interval, self.ping_timeout, self.limits.join_seconds, self.limits.handshake_seconds)
        self.wheel = Wheel(min(0.25, max(0.005, shortest / _TICKS)))
        self.flush = Flush(self.limits.turn_sockets, self.limits.emit_seconds, self.limits.emit_bytes)
        self.receiver: Any = receiver or Handlers(self)
        self.intake = Intake(self.receiver, self.limits, self.counts, self.logger)
        self.connections: set[Any] = set()  # uvicorn's, once it serves us
        self.closing: Departures[asyncio.Transport] = Departures(_close)
        self.lingering: dict[str, Polling] = {}
        self.pinged: Callable[[Session], None] = _unheard
        self.ponged: Callable[[Session], None] = _unheard
        self.draining = False
        self._started = False

    def start(self) -> None:
        """Called with the first connection: there is a loop then."""
        if not self._started:
            self._started = True
            self.wheel.start()

    def session(self, head: Head, *, polling: bool) -> Session:
        """A new session, in the wheel."""
        self.start()
        sid: str = self.generate_id()
        session = self.sockets[sid] = Session(self, sid, head.packed(self.limits.kept_headers), polling=polling)
        self.wheel.put(session)
        self.counts.opened += 1
        return session

    def greeting(self, session: Session) -> dict[str, Any]:
        """The open packet's payload: times in milliseconds, exact below a second as well."""
        upgrades = ["websocket"] if session.polling is not None and self.upgradable else []
        return {
            "sid": session.sid,
            "upgrades": upgrades,
            "pingTimeout": round(self.ping_timeout * 1000),
            "pingInterval": round(self.interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }

    @property
    def upgradable(self) -> bool:
        """Polling sessions may go on over a WebSocket."""
        return bool(self.allow_upgrades) and "websocket" in self.transports

    def gone(self, session: Session, reason: str) -> None:
        """A session has ended. It is forgotten after its disconnect handlers, which may still use its data."""
        self.receiver.gone(session, reason)

    def forget(self, session: Session) -> None:
        """Nobody needs it any more."""
        self.sockets.pop(session.sid, None)

    def linger(self, sid: str, polling: Polling) -> None:
        """Keeps the last words for a polling session that we closed until they are fetched."""
        self.lingering[sid] = polling
        asyncio.get_running_loop().call_later(_OLD, self.lingering.pop, sid, None)

    async def drain(self, seconds: float) -> None:
        """Takes no new session and closes those there are, spread over `seconds`; returns when all handlers are done.

        Clients see their transport close, so they come back by themselves (a Socket.IO disconnect would keep them
        away), and not all at once.
        """
        self.draining = True
        await Drain(seconds).close(list(self.sockets.values()))
        await self.receiver.departed()
        await self.intake.finished()

    async def shutdown(self) -> None:
        """Stops the wheel and closes what is open."""
        self.draining = True
        for session in list(self.sockets.values()):
            session.shutdown()
        await self.receiver.departed()
        await self.intake.finished()
        self.wheel.stop()

    # --- python-engineio's own methods, on our sessions ---

    def _get_socket(self, sid: str) -> Session:
        return self.sockets[sid]  # type: ignore[no-any-return]

    async def send(self, sid: str, data: Any) -> None:
        """A message to one session: text, bytes, or what becomes JSON."""
        session = self.sockets.get(sid)
        if session is not None and not session.ended:
            self.flush.send(session, requests.framed(data))
            await self.flush.breathe()

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """A packet of python-engineio's making."""
        session = self.sockets.get(sid)
        if session is not None and not session.ended:
            self.flush.send(session, requests.framed_packet(pkt))

    async def disconnect(self, sid: str | None = None) -> None:
        """Closes one session, or all."""
        chosen = list(self.sockets.values()) if sid is None else [self.sockets[sid]] if sid in self.sockets else []
        for session in chosen:
            session.end(Reason.SERVER_DISCONNECT)

    async def handle_request(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """The ASGI entrance: polling requests, and WebSockets that a server without our classes brings."""
        if scope["type"] == "websocket":
            await asgi.serve(self, scope, receive, send)
        else:
            await requests.serve(self, scope, receive, send)


def _unheard(_session: Session) -> None:
    """Nobody listens."""


def _close(transport: asyncio.Transport) -> None:
    transport.close()
